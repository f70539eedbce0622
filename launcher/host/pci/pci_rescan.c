/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci_rescan: a function leaves its bus and is found anew, as by `echo 1 > remove` and `echo 1 > rescan`. The kernel then reads it as it does
 * at its own start and gives its memory windows new places; what was set of it (driver_override, power, reset) is gone with the old
 * device, and is set again here.
 *
 * It is done while the function is on vfio-pci: before QEMU is let go, and after it has ended. Undo brings it to what the step before it,
 * pci-driver, has left: from there that gives it back. Any of its writes can be the last one before a crash.
 */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/pci/pci.h"

#define VFIO   "vfio-pci"
#define RESCAN "/sys/bus/pci/rescan"

/* What a new device would have by default. */
static const char *const kept[] = { "reset_method", "d3cold_allowed", "power/control" };
struct settings {
	char *v[ARRAY_SIZE(kept)]; /* NULL: there is none */
};

static void settings_read(struct root *root, struct pci_addr addr, struct settings *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		cleanup_free char *path = pci_path(addr, kept[i]);
		ret->v[i] = root_read_or(root, path, NULL);
	}
}

static struct err *settings_write(struct root *root, struct pci_addr addr, const struct settings *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		cleanup_free char *path = pci_path(addr, kept[i]), *now = root_read_or(root, path, NULL);
		if (now && s->v[i] && !streq(now, s->v[i]))
			TRY(child_write(root, path, *s->v[i] ? s->v[i] : "\n"));
	}
	return NULL;
}

static void settings_free(struct settings *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		free(s->v[i]);
}

static bool is_there(struct root *root, struct pci_addr addr)
{
	cleanup_free char *path = pci_path(addr, "vendor");
	return root_exists(root, path);
}

static char *driver_of(struct root *root, struct pci_addr addr)
{
	cleanup_free char *link = pci_path(addr, "driver");
	return root_link_name(root, link);
}

static char *describe(const struct step *s)
{
	return tr_fmt("take %s off its bus and find it anew", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct pci_addr addr;
	TRY(pci_addr_parse(s->target, &addr));
	*ret_value = str_dup(is_there(env->root, addr) ? "there" : "gone");
	return NULL;
}

static struct err *take_off(struct root *root, struct pci_addr addr)
{
	cleanup_free char *holders = NULL, *path = pci_path(addr, "remove");
	TRY(pci_holders(root, addr, true, NULL, &holders));
	if (holders)
		return err_hint(err_errno(EBUSY, "it is held open by %s", holders), "end them first");
	return child_write(root, path, "1");
}

static struct err *find(struct root *root, struct pci_addr addr)
{
	TRY(child_write(root, RESCAN, "1"));
	return is_there(root, addr) ? NULL
				    : err_hint(err_new("the kernel does not find it any more"),
					       "echo 1 > %s; if it is still missing, switch the machine off and on again", RESCAN);
}

/* The kernel has given what it found to the first driver that is loaded for it: drivers_autoprobe is not asked at a rescan. */
static struct err *bind(struct root *root, struct pci_addr addr)
{
	cleanup_free char *path = pci_path(addr, "driver_override"), *taken = driver_of(root, addr);
	cleanup_free char *unbind = str_fmt("/sys/bus/pci/drivers/%s/unbind", taken ? taken : "");
	TRY(child_write(root, path, VFIO));
	if (taken && !streq(taken, VFIO))
		TRY(child_write(root, unbind, pci_addr_text(addr).s));
	TRY(child_write(root, "/sys/bus/pci/drivers_probe", pci_addr_text(addr).s));
	cleanup_free char *driver = driver_of(root, addr);
	return streq(driver, VFIO) ? NULL : err_new("%s did not take it again", VFIO);
}

/* Nobody has said which driver is to have it: it was found by a rescan, or somebody took our word back. */
static bool is_new(struct root *root, struct pci_addr addr)
{
	cleanup_free char *path = pci_path(addr, "driver_override"), *now = root_read_or(root, path, "");
	return streq(now, "(null)");
}

/* From whatever is there, also from between the rescan and what follows it; what another driver was given by name is left to it. */
static struct err *again(struct root *root, struct pci_addr addr)
{
	cleanup_free char *driver = driver_of(root, addr);
	cleanup(settings_free) struct settings settings = {};
	if (driver && !streq(driver, VFIO))
		return is_new(root, addr) ? bind(root, addr) : NULL;
	settings_read(root, addr, &settings);
	if (driver)
		TRY(take_off(root, addr));
	if (driver || !is_there(root, addr))
		TRY(find(root, addr));
	TRY(settings_write(root, addr, &settings));
	return bind(root, addr);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct pci_addr addr;
	TRY(pci_addr_parse(s->target, &addr));
	cleanup_free char *link = pci_path(addr, "iommu_group"), *group = root_link_name(env->root, link);
	cleanup_free char *driver = driver_of(env->root, addr);
	if (!streq(driver, VFIO))
		return err_new("it is on %s, not on %s", driver ? driver : _("no driver"), VFIO);
	TRY(again(env->root, addr));
	cleanup_free char *now = root_link_name(env->root, link);
	/* its node was planned by the number */
	return streq(now, group) ? NULL : err_new("it was in IOMMU group %s and is in %s now", group ? group : "-", now ? now : "-");
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	struct pci_addr addr;
	TRY(pci_addr_parse(s->target, &addr));
	cleanup_free char *driver = driver_of(env->root, addr);
	return streq(driver, VFIO) ? NULL : err_new("it is not on %s", VFIO);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	struct pci_addr addr;
	TRY(pci_addr_parse(s->target, &addr));
	return again(env->root, addr);
}

/* There is a way back to go, whatever is found: the guest has had it. */
static enum step_whose whose(const struct step *s, const char *now)
{
	(void)s, (void)now;
	return STEP_BETWEEN;
}

const struct step_kind pci_rescan_kind = {
	.name = "pci-rescan",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};
