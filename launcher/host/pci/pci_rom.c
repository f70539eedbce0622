/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci_rom: `rom = host`: the video BIOS of a device from where this host has it. A laptop's card has no ROM chip of its own: its image is in
 * the firmware, which hands it over by an ACPI table (VFCT, AMD), or to the driver alone (the method _ROM, NVIDIA), whose copy is in debugfs
 * then. Else the card itself is asked, by its attribute `rom` (sysfs-bus-pci), as which the kernel also shows the firmware's shadow at
 * 0xC0000 of the screen that the host was started with.
 *
 * QEMU gets it as a file in memory. What is read from the card is a step: the attribute has to be opened for it, and closed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/pci/pci.h"
#include "launcher/host/pci/rom_image.h"

#define VFCT          "/sys/firmware/acpi/tables/VFCT"
#define DEBUGFS       "/sys/kernel/debug/dri"
#define LIMIT_MS      20000 /* half a MiB, a byte at a time */
#define VENDOR_NVIDIA 0x10de
#define HIDE          "0\n" /* pci_write_rom() takes these two bytes alone for it; "0" shows it */

/* ---- where it is ---- */

/* What speaks against it is kept: the first that is more than that there is nothing. */
static bool is_taken(struct pci_rom *r, const char *path, const char *bytes, size_t at, size_t n, const struct pci_function *fn,
		     struct err *e)
{
	if (!e)
		e = rom_check(bytes + at, n, fn->vendor, fn->device);
	if (!e) {
		r->from = str_dup(path);
		r->bytes = mem_new(n);
		memcpy(r->bytes, bytes + at, n);
		r->len = n;
	} else if (err_code(e) != ENOENT && !r->problem) {
		r->problem = str_fmt("%s: %s", path, err_text(e));
	}
	err_free(e);
	return r->from != NULL;
}

/* Whole; NULL where there is none, or it is not for us to read. */
static char *bytes_of(struct root *root, const char *path, struct pci_rom *r, size_t *ret_n)
{
	char *bytes = NULL;
	cleanup_err struct err *e = root_read_bytes(root, path, &bytes, ret_n);
	r->secret |= err_code(e) == EACCES || err_code(e) == EPERM;
	return e ? NULL : bytes;
}

static bool from_table(struct root *root, const struct pci_function *fn, struct pci_rom *r)
{
	size_t n = 0, at = 0, len = 0;
	cleanup_free char *bytes = bytes_of(root, VFCT, r, &n);
	if (!bytes)
		return false;
	struct err *e = rom_in_vfct(bytes, n, fn->addr, fn->vendor, fn->device, &at, &len);
	return is_taken(r, VFCT, bytes, at, len, fn, e);
}

/* What the host's driver has got of the firmware while it has the card: nouveau_debugfs.c, amdgpu_debugfs.c. By the card's number in /dev/dri. */
static bool from_driver(struct root *root, const struct pci_function *fn, struct pci_rom *r)
{
	static const char *const names[] = { "vbios.rom", "amdgpu_vbios" };
	cleanup_strv struct strv nodes = {};
	cleanup_free char *dir = pci_path(fn->addr, "drm");
	err_free(root_list(root, dir, &nodes));
	for (size_t i = 0; i < nodes.n; i++)
		for (size_t k = 0; str_starts(nodes.v[i], "card") && k < ARRAY_SIZE(names); k++) {
			size_t n = 0;
			cleanup_free char *path = str_fmt(DEBUGFS "/%s/%s", nodes.v[i] + strlen("card"), names[k]);
			cleanup_free char *bytes = bytes_of(root, path, r, &n);
			if (bytes && is_taken(r, path, bytes, 0, n, fn, NULL))
				return true;
		}
	return false;
}

static void from_card(struct root *root, const struct pci_function *fn, struct pci_rom *r)
{
	struct stat st;
	cleanup_free char *path = pci_path(fn->addr, "rom");
	cleanup_err struct err *e = root_stat(root, path, &st);
	r->from = e ? NULL : steal(path);
	r->on_card = !e;
}

struct pci_rom *pci_rom_read(struct root *root, const struct pci_function *fn)
{
	struct pci_rom *r = mem_new(sizeof(*r));
	if (!from_table(root, fn, r) && !from_driver(root, fn, r))
		from_card(root, fn, r);
	return r;
}

void pci_rom_free(struct pci_rom *r)
{
	if (!r)
		return;
	free(r->from);
	free(r->bytes);
	free(r->problem);
	free(r);
}

/* ---- what is said of it ---- */

static void add_missing(struct findings *out, const struct pci_function *fn, const struct pci_rom *r)
{
	struct pci_addr_text text = pci_addr_short(fn->addr);
	if (r->secret)
		findings_add(out, FINDING_BAD, "rom", tr_fmt("where the ROM of %s may be is for root alone to read", text.s),
			     tr_dup("ask again by sudo; a start by sudo reads it"));
	else if (r->problem)
		findings_add(out, FINDING_BAD, "rom", tr_fmt("this host has no ROM of %s that it could give: %s", text.s, r->problem),
			     tr_dup("a newer firmware; or save it from Windows (GPU-Z), and name the file: rom = FILE"));
	else
		findings_add(
			out, FINDING_BAD, "rom",
			tr_fmt("this host shows no ROM of %s: no table VFCT, no driver's copy, and the card has none of its own", text.s),
			tr_dup(fn->vendor == VENDOR_NVIDIA
				       ? N_("its firmware gives it to a driver alone (the ACPI method _ROM): with nouveau on the card its copy is "
					    "taken; or save it from Windows (GPU-Z), and name the file: rom = FILE")
				       : N_("save it from Windows (GPU-Z), and name the file: rom = FILE")));
}

void pci_rom_findings(struct findings *out, const struct pci_pick *pick)
{
	const struct pci_rom *r = pick->rom;
	const struct pci_function *fn = pick->n ? &pick->v[pick->named] : NULL;
	if (!r || !fn)
		return;
	if (!r->from) {
		add_missing(out, fn, r);
		return;
	}
	struct pci_addr_text text = pci_addr_short(fn->addr);
	if (r->problem)
		findings_add(out, FINDING_WARN, "rom", str_dup(r->problem),
			     tr_fmt("the ROM of %s is taken from %s instead", text.s, r->from));
	if (!r->on_card)
		findings_add(out, FINDING_OK, "rom", tr_fmt("the ROM of %s is in %s (%zu KiB)", text.s, r->from, r->len >> 10), NULL);
	else if (fn->boot_vga)
		findings_add(
			out, FINDING_WARN, "rom",
			tr_fmt("the ROM of %s is read from the card at the start; the host's screen is on it, and what its firmware left there may "
			       "be changed",
			       text.s),
			tr_dup("if the start refuses it: another card as the primary display in the firmware's setup, or rom = FILE"));
	else
		findings_add(out, FINDING_OK, "rom", tr_fmt("the ROM of %s is read from the card at the start", text.s), NULL);
}

/* ---- the step ---- */

void pci_rom_step(struct steps *out, const struct pci_pick *pick)
{
	const struct pci_function *fn = &pick->v[pick->named];
	if (pick->rom && pick->rom->on_card)
		steps_add(out, &pci_rom_kind, pci_addr_text(fn->addr).s, "read", "rom = host: QEMU gets it as it is now");
}

struct asked {
	struct root *root;
	char *path;
	struct pci_addr addr;
	int fd; /* where to; -1: only whether it is shown */
};

static void asked_free(struct asked *a)
{
	free(a->path);
}

static struct err *ask(const struct step *s, struct root *root, struct asked *ret)
{
	struct pci_addr addr;
	TRY(pci_addr_parse(s->target, &addr));
	*ret = (struct asked){ root, pci_path(addr, "rom"), addr, -1 };
	return NULL;
}

static char *describe(const struct step *s)
{
	return tr_fmt("read the ROM of %s", s->target);
}

/* Hidden, it is EINVAL; shown to whom it cannot be read, EIO. */
static struct err *peek(void *data)
{
	const struct asked *a = data;
	cleanup_fd int fd = -1;
	char byte;
	TRY(root_open_fd(a->root, a->path, O_RDONLY, &fd));
	ssize_t n = read(fd, &byte, 1);
	return n > 0 || (n < 0 && errno != EINVAL) ? NULL : err_errno(EINVAL, "%s", a->path);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup(asked_free) struct asked a = {};
	TRY(ask(s, env->root, &a));
	cleanup_err struct err *e = child_call(peek, &a, LIMIT_MS);
	if (err_code(e) == ETIMEDOUT)
		return steal(e);
	*ret_value = str_dup(e ? "hidden" : "shown");
	return NULL;
}

/* In a child: a card that does not answer may take for ever. */
static struct err *copy(void *data)
{
	const struct asked *a = data;
	cleanup_free char *bytes = NULL;
	size_t n = 0;
	int vendor = (int)pci_number(a->root, a->addr, "vendor", 0), device = (int)pci_number(a->root, a->addr, "device", 0);
	TRY(root_read_bytes(a->root, a->path, &bytes, &n));
	TRY(err_wrap(rom_check(bytes, n, (uint16_t)vendor, (uint16_t)device), "%s", a->path));
	for (size_t at = 0; a->fd >= 0 && at < n;) {
		ssize_t part = pwrite(a->fd, bytes + at, n - at, (off_t)at);
		if (part <= 0)
			return err_errno(errno, "memfd");
		at += (size_t)part;
	}
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	cleanup(asked_free) struct asked a = {};
	TRY(ask(s, env->root, &a));
	a.fd = s->data ? *(const int *)s->data : -1;
	bool shown = streq(s->prior, "shown");
	if (!shown)
		TRY(child_write(env->root, a.path, "1"));
	struct err *e = child_call(copy, &a, LIMIT_MS), *f = shown ? NULL : child_write(env->root, a.path, HIDE);
	if (e)
		err_free(f);
	return err_hint(e ? e : f, "a card that is asleep or has shown the host's screen may not give it: rom = FILE");
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	(void)env, (void)s; /* apply has checked what it got */
	return NULL;
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	cleanup(asked_free) struct asked a = {};
	TRY(ask(s, env->root, &a));
	return root_exists(env->root, a.path) ? child_write(env->root, a.path, HIDE) : NULL;
}

/* It is hidden again as soon as it was read: whoever finds it shown was killed meanwhile. */
static enum step_whose whose(const struct step *s, const char *now)
{
	return streq(now, s->prior) || streq(now, "hidden") ? STEP_PRIOR : STEP_BETWEEN;
}

const struct step_kind pci_rom_kind = {
	.name = "pci-rom",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.whose = whose,
};
