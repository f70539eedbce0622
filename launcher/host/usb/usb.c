/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb: see usb.h. Facts from sysfs (Documentation/ABI/testing/sysfs-bus-usb). */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/usb/usb.h"

#define DEVICES "/sys/bus/usb/devices"
#define CLASS_HUB 9
#define ABSENT "absent"
#define GUEST "guest"
#define NO_DRIVER "-"

static char *attr(struct root *root, const char *sys, const char *name)
{
	cleanup_free char *path = str_fmt(DEVICES "/%s/%s", sys, name);
	return root_read_or(root, path, "");
}

static unsigned number(struct root *root, const char *sys, const char *name, int base)
{
	cleanup_free char *text = attr(root, sys, name);
	return (unsigned)strtoul(text, NULL, base);
}

static void read_blocks(struct root *root, struct usb_device *d)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *part = str_fmt("/%s/", d->sys);
	err_free(root_list(root, "/sys/class/block", &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("/sys/class/block/%s", names.v[i]), *real = root_real(root, path),
				  *partition = str_fmt("%s/partition", path);
		if (real && strstr(real, part) && !root_exists(root, partition))
			strv_add(&d->blocks, names.v[i]);
	}
}

static void device_read(struct root *root, const char *sys, struct usb_device *d)
{
	cleanup_free char *maker = attr(root, sys, "manufacturer"), *product = attr(root, sys, "product"),
			  *name = str_fmt("%s%s%s", maker, *maker && *product ? " " : "", product);
	*d = (struct usb_device){
		.sys = str_dup(sys),
		.name = str_printable(name),
		.vendor = number(root, sys, "idVendor", 16),
		.product = number(root, sys, "idProduct", 16),
		.bus = number(root, sys, "busnum", 10),
		.number = number(root, sys, "devnum", 10),
		.hub = number(root, sys, "bDeviceClass", 16) == CLASS_HUB,
	};
	d->node = str_fmt("/dev/bus/usb/%03u/%03u", d->bus, d->number);
	read_blocks(root, d);
}

struct err *usb_devices_read(struct root *root, struct usb_devices *ret_devices)
{
	cleanup_strv struct strv names = {};
	struct usb_devices d = {};
	if (root_exists(root, DEVICES))
		TRY(root_list(root, DEVICES, &names));
	for (size_t i = 0; i < names.n; i++) {
		/* "usb1" is a root hub, "1-2:1.0" an interface */
		if (names.v[i][0] < '0' || names.v[i][0] > '9' || strchr(names.v[i], ':'))
			continue;
		d.v = mem_grow(d.v, d.n, sizeof(*d.v));
		device_read(root, names.v[i], &d.v[d.n++]);
	}
	*ret_devices = d;
	return NULL;
}

void usb_devices_free(struct usb_devices *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].sys);
		free(d->v[i].name);
		free(d->v[i].node);
		strv_free(&d->v[i].blocks);
	}
	free(d->v);
	*d = (struct usb_devices){};
}

bool usb_means(const struct conf_usb *conf, const struct usb_device *d)
{
	unsigned vendor, product;
	if (d->hub)
		return false;
	if (conf->id)
		return sscanf(conf->id, "%4x:%4x", &vendor, &product) == 2 && vendor == d->vendor && product == d->product;
	if (!conf->port || !str_starts(d->sys, conf->port))
		return false;
	const char *rest = d->sys + strlen(conf->port);
	return !*rest || *rest == '.';
}

bool usb_meant(const struct config *c, const struct usb_device *d)
{
	for (size_t i = 0; i < c->n_usb; i++)
		if (usb_means(&c->usb[i], d))
			return true;
	return false;
}

struct step *usb_step(struct steps *out, const struct usb_device *d)
{
	cleanup_free char *why =
		tr_fmt("%s (%04x:%04x) is attached while it is plugged in", *d->name ? d->name : _("it"), d->vendor, d->product);
	struct step *s = steps_add(out, &usb_kind, d->sys, GUEST, why);
	s->late = true;
	return s;
}

void usb_steps(struct steps *out, const struct config *c, const struct usb_devices *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (usb_meant(c, &d->v[i]))
			usb_step(out, &d->v[i]);
}

void usb_findings(struct findings *out, const struct config *c, const struct usb_devices *d)
{
	for (size_t k = 0; k < c->n_usb; k++) {
		const struct conf_usb *conf = &c->usb[k];
		cleanup_free char *section = str_fmt("usb %s", conf->name), *where = config_where(c, section, conf->id ? "id" : "port");
		const struct usb_device *found = NULL;
		for (size_t i = 0; i < d->n && !found; i++)
			found = usb_means(conf, &d->v[i]) ? &d->v[i] : NULL;
		if (found)
			findings_add(out, FINDING_OK, "usb",
				     str_fmt("%s: %s, %s", where, found->sys, *found->name ? found->name : _("no name")), NULL);
		else
			findings_add(out, FINDING_WARN, "usb",
				     tr_fmt("%s: nothing with %s %s is plugged in; it is attached when it comes", where,
					    conf->id ? "id" : "port", conf->id ? conf->id : conf->port),
				     NULL);
	}
}

/* ---- the step ---- */

static char *describe(const struct step *s)
{
	return tr_fmt("hand USB device %s to the guest", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_strv struct strv names = {}, parts = {};
	cleanup_free char *dir = str_fmt(DEVICES "/%s", s->target), *prefix = str_fmt("%s:", s->target);
	if (!root_exists(env->root, dir)) {
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	strv_addf(&parts, "%u/%u", number(env->root, s->target, "busnum", 10), number(env->root, s->target, "devnum", 10));
	TRY(root_list(env->root, DEVICES, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *link = str_fmt(DEVICES "/%s/driver", names.v[i]), *driver = root_link_name(env->root, link);
		if (str_starts(names.v[i], prefix))
			strv_addf(&parts, "%s=%s", names.v[i], driver ? driver : NO_DRIVER);
	}
	*ret_value = strv_join(&parts, " ");
	return NULL;
}

/* QEMU does it, with the descriptor that it is given: the record is what matters, for a QEMU that is killed puts
 * nothing back. */
static struct err *apply(struct step_env *env, struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

/* Calls fn for each interface that had a driver of the host's and has none now, or still QEMU's (usbfs). Returns how
 * many. */
static size_t each_taken(const struct step *s, const char *now, struct err *(*fn)(struct root *root, const char *interface),
			 struct root *root, struct err **ret_err)
{
	cleanup_strv struct strv had = {}, has = {};
	size_t taken = 0;
	strv_split(&had, s->prior, " ");
	strv_split(&has, now, " ");
	if (!had.n || !has.n || !streq(had.v[0], has.v[0])) /* gone, or another device by now */
		return 0;
	for (size_t i = 1; i < had.n; i++) {
		char *equals = strchr(had.v[i], '=');
		if (!equals || streq(equals + 1, NO_DRIVER) || streq(equals + 1, "usbfs"))
			continue;
		*equals = '\0';
		cleanup_free char *none = str_fmt("%s=" NO_DRIVER, had.v[i]), *qemu = str_fmt("%s=usbfs", had.v[i]);
		if (!strv_has(&has, none) && !strv_has(&has, qemu))
			continue;
		taken++;
		if (fn && !*ret_err)
			*ret_err = fn(root, had.v[i]);
	}
	return taken;
}

static struct err *ask_driver(struct root *root, const char *interface)
{
	return child_write(root, "/sys/bus/usb/drivers_probe", interface);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	struct err *e = NULL;
	TRY(probe(env, s, &now));
	each_taken(s, now, ask_driver, env->root, &e);
	return e;
}

static enum step_whose whose(const struct step *s, const char *now)
{
	return each_taken(s, now, NULL, NULL, NULL) ? STEP_WANTED : STEP_PRIOR;
}

const struct step_kind usb_kind = {
	.name = "usb",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.whose = whose,
};
