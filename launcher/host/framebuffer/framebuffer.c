/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console: see console.h. The kernel's side: Documentation/driver-api/console.rst, drivers/firmware/sysfb.c. */
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/framebuffer/framebuffer.h"
#include "launcher/host/kind/sessions.h"
#include "launcher/host/kind/unit.h"

#define VTCONSOLES  "/sys/class/vtconsole"
#define PLATFORM    "/sys/bus/platform"
#define SUFFIX      "-framebuffer"
#define ABSENT      "absent"

static void read_vtconsoles(struct root *root, struct strv *ret)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, VTCONSOLES, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt(VTCONSOLES "/%s/name", names.v[i]), *name = root_read_or(root, path, "");
		if (strstr(name, "frame buffer"))
			strv_add(ret, names.v[i]);
	}
}

/* Of a driver's directory the devices are the links, but for the one to its module. */
static void read_framebuffers(struct root *root, struct strv *ret)
{
	cleanup_strv struct strv drivers = {};
	err_free(root_list(root, PLATFORM "/drivers", &drivers));
	for (size_t i = 0; i < drivers.n; i++) {
		cleanup_strv struct strv names = {};
		cleanup_free char *dir = str_fmt(PLATFORM "/drivers/%s", drivers.v[i]);
		if (!str_ends(drivers.v[i], SUFFIX))
			continue;
		err_free(root_list(root, dir, &names));
		for (size_t k = 0; k < names.n; k++) {
			cleanup_free char *path = str_fmt("%s/%s", dir, names.v[k]), *link = root_link(root, path);
			if (link && !streq(names.v[k], "module"))
				strv_addf(ret, "%s/%s", drivers.v[i], names.v[k]);
		}
	}
}

struct err *console_facts_read(struct root *root, const struct config *c, struct console_facts *ret_facts)
{
	struct console_facts f = {};
	if (c->host.release_console) {
		f.manager = session_manager(root);
		f.session = f.manager ? session_trouble(root) : NULL;
		read_vtconsoles(root, &f.vtconsoles);
		read_framebuffers(root, &f.framebuffers);
	}
	*ret_facts = f;
	return NULL;
}

void console_facts_free(struct console_facts *f)
{
	free(f->manager);
	free(f->session);
	strv_free(&f->vtconsoles);
	strv_free(&f->framebuffers);
	*f = (struct console_facts){};
}

void console_steps(struct steps *out, const struct console_facts *f)
{
	if (f->manager)
		steps_add(out, &unit_kind, f->manager, "inactive", "the desktop holds the card; it starts again when the guest has ended");
	for (size_t i = 0; i < f->vtconsoles.n; i++) {
		cleanup_free char *path = str_fmt(VTCONSOLES "/%s/bind", f->vtconsoles.v[i]);
		/* without another console to fall back to the kernel keeps this one, and says nothing; it goes with its GPU's driver */
		steps_add(out, &attr_kind, path, "0", "the text console draws into the card's memory")->optional = true;
	}
	for (size_t i = 0; i < f->framebuffers.n; i++)
		steps_add(out, &framebuffer_kind, f->framebuffers.v[i], "unbound", "the firmware's frame buffer lies in the card's memory");
}

void console_findings(struct findings *out, const struct config *c, const struct console_facts *f)
{
	if (!c->host.release_console)
		return;
	cleanup_free char *consoles = strv_join(&f->vtconsoles, ", "), *buffers = strv_join(&f->framebuffers, ", ");
	findings_add(out, FINDING_OK, "console",
		     tr_fmt("let go for the guest: %s; console: %s; frame buffer: %s", f->manager ? f->manager : _("no display manager"),
			    *consoles ? consoles : _("none"), *buffers ? buffers : _("none")),
		     NULL);
	if (f->session)
		findings_add(out, FINDING_BAD, "console", tr_fmt("qlaunch would end with %s, which it stops: %s", f->manager, f->session),
			     tr_dup("start it from a text console, by ssh, or as a service: systemctl start qlaunch@NAME"));
}

static char *describe(const struct step *s)
{
	return tr_fmt("take %s off its driver", s->target);
}

/* "DRIVER/DEVICE" → the device's name; NULL where a journal names anything else. */
static const char *device_of(const char *target)
{
	const char *slash = strchr(target, '/');
	bool fine = slash && slash - target > (ptrdiff_t)strlen(SUFFIX) && strncmp(slash - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) == 0;
	return fine && slash[1] && slash[1] != '.' && !strchr(slash + 1, '/') ? slash + 1 : NULL;
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	const char *device = device_of(s->target);
	if (!device)
		return err_new("\"%s\" is no frame buffer", s->target);
	cleanup_free char *bound = str_fmt(PLATFORM "/drivers/%s", s->target), *there = str_fmt(PLATFORM "/devices/%s", device);
	*ret_value = str_dup(root_exists(env->root, bound) ? "bound" : root_exists(env->root, there) ? "unbound" : ABSENT);
	return NULL;
}

static struct err *write_driver(struct root *root, const char *target, const char *file)
{
	const char *device = device_of(target);
	if (!device)
		return err_new("\"%s\" is no frame buffer", target);
	cleanup_free char *path = str_fmt(PLATFORM "/drivers/%.*s%s", (int)(device - target), target, file);
	return child_write(root, path, device);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return write_driver(env->root, s->target, "unbind");
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	return write_driver(env->root, s->target, "bind");
}

static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior) || streq(now, ABSENT))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind framebuffer_kind = {
	.name = "framebuffer",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
};
