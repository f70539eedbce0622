/* SPDX-License-Identifier: GPL-2.0-or-later */
/* install: see install.h. */
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/plan/install.h"

#define DISC "install"
#define DRIVERS "drivers"
#define ANSWERS "answers"

static void add_disc(struct config *c, const char *name, const char *path)
{
	for (size_t i = 0; i < c->n_cdroms; i++)
		if (streq(c->cdroms[i].name, name)) {
			str_set(&c->cdroms[i].path, path);
			return;
		}
	c->cdroms = mem_grow(c->cdroms, c->n_cdroms, sizeof(*c->cdroms));
	c->cdroms[c->n_cdroms++] =
		(struct conf_disk){ .name = str_dup(name), .path = str_dup(path), .bus = BUS_SATA, .format = FORMAT_RAW, .readonly = true };
}

/* The disc, then what was booted before: the installer starts the machine again and wants to go on from the disk. */
static void boot_disc(struct config *c)
{
	struct strv order = {};
	strv_add(&order, DISC);
	for (size_t i = 0; i < c->boot.order.n; i++)
		if (!streq(c->boot.order.v[i], DISC))
			strv_add(&order, c->boot.order.v[i]);
	for (size_t i = 0; !c->boot.order.n && i < c->n_disks; i++)
		strv_add(&order, c->disks[i].name);
	strv_free(&c->boot.order);
	c->boot.order = order;
	str_set(&c->boot.kernel, NULL);
}

void install_amend(struct config *c, const char *disc, const char *drivers, const char *answers, enum display_mode mode)
{
	add_disc(c, DISC, disc);
	if (drivers)
		add_disc(c, DRIVERS, drivers);
	if (answers)
		add_disc(c, ANSWERS, answers);
	boot_disc(c);
	if (c->display.mode != DISPLAY_SPICE && c->display.mode != DISPLAY_WINDOW)
		c->display.mode = mode;
	if (c->display.video == VIDEO_NONE)
		c->display.video = VIDEO_VIRTIO;
	/* the installer has no driver for the card: its monitor would show nothing */
	for (size_t i = 0; i < c->n_monitors; i++) {
		free(c->monitors[i].name);
		free(c->monitors[i].match);
	}
	c->n_monitors = 0;
}

/* The first disk that Windows sees only with a driver of virtio-win; NULL if there is none. */
static const struct conf_disk *needs_driver(const struct config *c)
{
	for (size_t i = 0; i < c->n_disks; i++)
		if (c->disks[i].bus == BUS_VIRTIO || c->disks[i].bus == BUS_SCSI)
			return &c->disks[i];
	return NULL;
}

void install_say(const struct config *c, const struct disc *disc, bool drivers, bool answers)
{
	const struct conf_disk *d = needs_driver(c);
	log_info("%s: installing from \"%s\"; this run only, the configuration stays as it is", c->vm.name, disc->label);
	if (answers)
		log_info("  Nothing is asked: Windows installs itself, wipes the machine's disk for it, and comes up with your account.");
	if (!disc->udf || answers) /* no Windows, or nobody sits before it */
		return;
	log_info("  1. Press a key in the window when it says \"Press any key to boot from CD or DVD\".");
	if (d && drivers)
		log_info("  2. Where it asks where to install and shows no disk: Load driver, Browse, the virtio-win "
			 "disc, %s, w11.",
			 d->bus == BUS_SCSI ? "vioscsi" : "amd64");
	else if (d)
		log_warn("%s: Windows does not see [disk %s] without a driver: first qlaunch fetch virtio-win, or --set "
			 "'disk %s.bus=nvme'",
			 c->vm.name, d->name, d->name);
	else
		log_info("  2. Choose the disk; Windows has its driver.");
	log_info("  When Windows is up, run virtio-win-guest-tools from the virtio-win disc; from then on: qlaunch %s", c->vm.name);
}
