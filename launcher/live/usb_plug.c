/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb: see usb.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/sd.h"
#include "launcher/guest/args_boot.h"
#include "launcher/guest/args_usb.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/kind/block.h"
#include "launcher/host/usb/usb.h"
#include "launcher/live/usb_plug.h"

#define FD_LIMIT_MS 5000
#define ATTACH_LIMIT_MS 20000 /* the host's drivers let go first */
#define FIRST_FDSET 100

enum state { GONE, COMING, THERE };

struct one {
	struct usb *u;
	char *sys, *node, *id; /* id: QEMU's, "usb-7" */
	int fdset, boot;       /* boot: its boot_index */
	enum state state;
	struct block_claims claims; /* of its disks, while it is COMING */
};

struct usb {
	struct machine *m;
	sd_device_monitor *monitor;
	struct one **v; /* pointers: commands under way hold them */
	size_t n;
};

static struct step *step_of(struct machine *m, const struct usb_device *d)
{
	struct steps *steps = &m->plan->steps;
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].kind == &usb_kind && streq(steps->v[i].target, d->sys))
			return &steps->v[i];
	return usb_step(steps, d);
}

static void undo_step(struct machine *m, const char *sys)
{
	struct undo_report report = {};
	struct steps *steps = &m->plan->steps;
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].kind == &usb_kind && streq(steps->v[i].target, sys) && steps->v[i].state == STEP_DONE)
			engine_undo_one(&m->cli->env, &steps->v[i], &report);
}

static void quietly(void *data, json_t *value, struct err *e)
{
	(void)data, (void)value;
	err_free(e); /* gone with the device, or with QEMU */
}

static void remove_device(struct one *one)
{
	one->state = GONE;
	err_free(qmp_send(one->u->m->qmp, "device_del", json_pack("{s:s}", "id", one->id), ATTACH_LIMIT_MS, quietly, NULL));
}

static void attached(void *data, json_t *value, struct err *e)
{
	struct one *one = data;
	struct machine *m = one->u->m;
	(void)value;
	/* QEMU has a copy, or wants none */
	err_free(qmp_send(m->qmp, "remove-fd", json_pack("{s:i}", "fdset-id", one->fdset), FD_LIMIT_MS, quietly, NULL));
	block_claims_free(&one->claims);
	if (e) {
		log_err(LOG_LEVEL_WARN, err_wrap(e, "%s: USB device %s", m->name, one->sys));
		if (one->state == COMING)
			undo_step(m, one->sys);
		one->state = GONE;
	} else if (one->state == COMING) {
		one->state = THERE;
		log_info("%s: USB device %s is the guest's", m->name, one->sys);
	} else { /* unplugged meanwhile */
		remove_device(one);
	}
}

/* The disks of the host stay the host's while it uses them; and nobody begins to, until QEMU has the device. */
static struct err *claim_disks(struct machine *m, const struct usb_device *d, struct block_claims *ret_claims)
{
	for (size_t i = 0; i < d->blocks.n; i++) {
		cleanup_strv struct strv uses = {};
		disk_uses(m->cli->root, d->blocks.v[i], &uses);
		if (uses.n)
			return err_hint(err_new("%s", uses.v[0]), "unmount it and plug it in again");
	}
	struct err *e = block_claim_all(m->cli->root, &d->blocks, ret_claims);
	/* without the right to open its disks: what the kernel shows of their use has been looked at */
	if (err_code(e) == EACCES || err_code(e) == EPERM) {
		err_free(e);
		return NULL;
	}
	return err_hint(e, "unmount it and plug it in again");
}

static struct err *attach(struct one *one, const struct usb_device *d)
{
	struct machine *m = one->u->m;
	cleanup_fd int fd = -1;
	TRY(claim_disks(m, d, &one->claims));
	TRY(err_hint(root_open_fd(m->cli->root, d->node, O_RDWR, &fd), "sudo qlaunch %s", m->plan->config->path));
	TRY(engine_apply_one(&m->engine, step_of(m, d)));
	TRY(qmp_call_fd(m->qmp, "add-fd", json_pack("{s:i}", "fdset-id", one->fdset), fd, FD_LIMIT_MS, NULL));
	return qmp_send(m->qmp, "device_add", guest_usb_device(one->id, one->fdset, one->boot), ATTACH_LIMIT_MS, attached, one);
}

static void add(struct usb *u, const struct conf_usb *conf, const struct usb_device *d)
{
	struct one *one = mem_new(sizeof(*one));
	*one = (struct one){ .u = u,
			     .sys = str_dup(d->sys),
			     .node = str_dup(d->node),
			     .id = str_fmt("usb-%s-%zu", conf->name, u->n),
			     .fdset = FIRST_FDSET + (int)u->n,
			     .boot = boot_index(u->m->plan->config, "usb", conf->name),
			     .state = COMING };
	u->v = mem_grow(u->v, u->n, sizeof(*u->v));
	u->v[u->n++] = one;
	struct err *e = attach(one, d);
	if (!e)
		return;
	block_claims_free(&one->claims);
	undo_step(u->m, d->sys);
	log_err(LOG_LEVEL_WARN, err_wrap(e, "%s: [usb %s] %s", u->m->name, conf->name, d->sys));
}

/* By its number on the bus: what was unplugged and plugged in again is another device. */
static bool known(const struct usb *u, const struct usb_device *d)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i]->state != GONE && streq(u->v[i]->node, d->node))
			return true;
	return false;
}

static bool is_there(const struct usb_devices *all, const struct one *one)
{
	for (size_t i = 0; i < all->n; i++)
		if (streq(all->v[i].node, one->node))
			return true;
	return false;
}

/* What has come is attached, what has gone is let go; `for_boot`: only what the firmware may boot from. */
static void look(struct usb *u, bool for_boot)
{
	struct machine *m = u->m;
	const struct config *c = m->plan->config;
	cleanup_usb_devices struct usb_devices all = {};
	log_err(LOG_LEVEL_WARN, usb_devices_read(m->cli->root, &all));
	for (size_t i = 0; i < u->n; i++) {
		struct one *one = u->v[i];
		if (one->state == GONE || is_there(&all, one))
			continue;
		log_info("%s: USB device %s is gone", m->name, one->sys);
		if (one->state == THERE)
			remove_device(one);
		one->state = GONE;
		undo_step(m, one->sys);
	}
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < c->n_usb && !known(u, &all.v[i]); k++)
			if (usb_means(&c->usb[k], &all.v[i]) && (!for_boot || boot_index(c, "usb", c->usb[k].name)))
				add(u, &c->usb[k], &all.v[i]);
	if (qmp_queued(m->qmp))
		err_free(qmp_dispatch(m->qmp)); /* a broken connection speaks again through its descriptor */
}

/* "bind" comes when the host's own drivers have what they want of a new device: so that it is known to whom it goes
 * back. */
static int on_device(sd_device_monitor *monitor, sd_device *device, void *data)
{
	sd_device_action_t action;
	(void)monitor;
	if (sd_device_get_action(device, &action) >= 0 && (action == SD_DEVICE_BIND || action == SD_DEVICE_REMOVE))
		look(data, false);
	return 0;
}

static struct usb *usb_of(struct machine *m)
{
	if (!m->usb) {
		m->usb = mem_new(sizeof(*m->usb));
		m->usb->m = m;
	}
	return m->usb;
}

struct err *usb_for_boot(struct machine *m)
{
	const struct config *c = m->plan->config;
	bool any = false;
	for (size_t i = 0; i < c->n_usb; i++)
		any |= boot_index(c, "usb", c->usb[i].name) > 0;
	if (!any)
		return NULL;
	look(usb_of(m), true);
	TRY(qmp_call(m->qmp, "system_reset", NULL, ATTACH_LIMIT_MS, NULL)); /* answers come in order: those before it are here */
	return qmp_queued(m->qmp) ? qmp_dispatch(m->qmp) : NULL;
}

void usb_begin(struct machine *m)
{
	if (!m->plan->config->n_usb)
		return;
	struct usb *u = usb_of(m);
	int r = sd_device_monitor_new(&u->monitor);
	if (r >= 0)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(u->monitor, "usb", "usb_device");
	if (r >= 0)
		r = sd_device_monitor_attach_event(u->monitor, m->event);
	if (r >= 0)
		r = sd_device_monitor_start(u->monitor, on_device, u);
	if (r < 0)
		log_err(LOG_LEVEL_WARN, err_errno(-r, "%s: udev: USB devices that come are not seen", m->name));
	look(u, false);
}

void usb_end(struct usb *u)
{
	if (!u)
		return;
	if (u->monitor) /* libsystemd is loaded */
		sd_device_monitor_unref(u->monitor);
	for (size_t i = 0; i < u->n; i++) {
		block_claims_free(&u->v[i]->claims);
		free(u->v[i]->sys);
		free(u->v[i]->node);
		free(u->v[i]->id);
		free(u->v[i]);
	}
	free(u->v);
	free(u);
}
