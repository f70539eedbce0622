/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdev: see mdev.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/kind/vfio.h"
#include "launcher/host/mdev/mdev.h"

#define DEVICES "/sys/bus/mdev/devices"
#define ABSENT  "absent"

/* FNV-1a of both names, from two different beginnings; marked as a UUID whose bits are the maker's own (RFC 9562, version 8). */
static void own_uuid(const char *vm, const char *name, char ret_uuid[MDEV_UUID_TEXT])
{
	cleanup_free char *text = str_fmt("%s/%s", vm, name);
	uint64_t half[2] = { UINT64_C(0xcbf29ce484222325), UINT64_C(0x84222325cbf29ce4) };
	for (int i = 0; i < 2; i++)
		for (const char *p = text; *p; p++)
			half[i] = (half[i] ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	snprintf(ret_uuid, MDEV_UUID_TEXT, "%08" PRIx64 "-%04" PRIx64 "-8%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, half[0] >> 32,
		 half[0] >> 16 & 0xffff, half[0] & 0xfff, (half[1] >> 48 & 0x3fff) | 0x8000, half[1] & UINT64_C(0xffffffffffff));
}

/* "PARENT TYPE" of the device with this UUID; NULL: there is none. Owned by the caller. */
static char *who_has(struct root *root, const char *uuid)
{
	cleanup_free char *link = str_fmt(DEVICES "/%s", uuid), *path = root_link(root, link);
	cleanup_free char *type_link = str_fmt("%s/mdev_type", link), *type = root_link_name(root, type_link);
	char *slash = path ? strrchr(path, '/') : NULL;
	if (!slash)
		return NULL;
	*slash = '\0';
	const char *parent = strrchr(path, '/');
	return str_fmt("%s %s", parent ? parent + 1 : path, type ? type : "?");
}

static char *types_path(struct pci_addr parent)
{
	return str_fmt("/sys/bus/pci/devices/%s/mdev_supported_types", pci_addr_text(parent).s);
}

/* "i915-GVTg_V5_4 (1 left), …"; owned by the caller. */
static char *offered(struct root *root, struct pci_addr parent)
{
	cleanup_free char *dir = types_path(parent);
	cleanup_strv struct strv types = {}, told = {};
	err_free(root_list(root, dir, &types));
	for (size_t i = 0; i < types.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s/available_instances", dir, types.v[i]), *left = root_read_or(root, path, "?");
		strv_addf(&told, _("%s (%s left)"), types.v[i], left);
	}
	return strv_join(&told, ", ");
}

/* What the card's driver says to one more of this type. */
static void ask_parent(struct root *root, struct mdev *m)
{
	const struct conf_mdev *conf = m->conf;
	struct pci_addr_text at = pci_addr_text(conf->parent);
	cleanup_free char *device = str_fmt("/sys/bus/pci/devices/%s", at.s), *dir = types_path(conf->parent);
	cleanup_free char *left_path = str_fmt("%s/%s/available_instances", dir, conf->type), *left = root_read_or(root, left_path, NULL);
	cleanup_free char *api_path = str_fmt("%s/%s/device_api", dir, conf->type), *api = root_read_or(root, api_path, "vfio-pci");
	cleanup_free char *types = offered(root, conf->parent);
	if (!root_exists(root, device)) {
		m->problem = tr_fmt("there is no PCI device %s", at.s);
	} else if (!root_exists(root, dir)) {
		m->problem = tr_fmt("the driver of %s shares out no parts of it (mediated devices)", at.s);
		m->remedy = tr_dup(
			"Intel up to the 10th generation: i915.enable_gvt=1 and the module kvmgt; NVIDIA: the vGPU driver of the host");
	} else if (!left) {
		m->problem = tr_fmt("%s has no parts of the type \"%s\"", at.s, conf->type);
		m->remedy = tr_fmt("it has %s", types);
	} else if (!streq(api, "vfio-pci")) {
		m->problem = tr_fmt("parts of the type \"%s\" are no PCI devices (%s)", conf->type, api);
	} else if (strtoul(left, NULL, 10) == 0) {
		m->problem = tr_fmt("no part of the type \"%s\" is left of %s", conf->type, at.s);
		m->remedy = tr_fmt("end another machine that has one, or take another type: %s", types);
	}
}

static void ask(struct root *root, const struct config *c, struct mdev *m)
{
	const struct conf_mdev *conf = m->conf;
	if (conf->uuid)
		snprintf(m->uuid, sizeof(m->uuid), "%s", conf->uuid);
	else
		own_uuid(c->vm.name, conf->name, m->uuid);
	m->there = who_has(root, m->uuid);
	cleanup_free char *wanted = conf->type ? str_fmt("%s %s", pci_addr_text(conf->parent).s, conf->type) : NULL;
	if (m->there && wanted && !streq(m->there, wanted)) {
		m->problem = tr_fmt("the mediated device %s is there, but is %s", m->uuid, m->there);
		m->remedy = tr_fmt("echo 1 > /sys/bus/mdev/devices/%s/remove, when nobody uses it", m->uuid);
	} else if (!m->there && !wanted) {
		m->problem = tr_fmt("there is no mediated device %s", m->uuid);
		m->remedy =
			tr_fmt("mdevctl start -u %s; or parent and type in [mdev %s], and it is made at the start", m->uuid, conf->name);
	} else if (!m->there) {
		ask_parent(root, m);
	}
}

struct err *mdev_facts_read(struct root *root, const struct config *c, struct mdev_facts *ret_facts)
{
	struct mdev_facts f = { .n = c->n_mdevs, .v = mem_new(c->n_mdevs * sizeof(struct mdev)) };
	for (size_t i = 0; i < f.n; i++) {
		f.v[i].conf = &c->mdevs[i];
		ask(root, c, &f.v[i]);
	}
	*ret_facts = f;
	return NULL;
}

void mdev_facts_free(struct mdev_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].there);
		free(f->v[i].problem);
		free(f->v[i].remedy);
	}
	free(f->v);
	*f = (struct mdev_facts){};
}

void mdev_steps(struct steps *out, const struct mdev_facts *f, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct mdev *m = &f->v[i];
		cleanup_free char *why = str_fmt("[mdev %s]", m->conf->name), *group = str_fmt(DEVICES "/%s/iommu_group", m->uuid);
		cleanup_free char *want = m->conf->type ? str_fmt("%s %s", pci_addr_text(m->conf->parent).s, m->conf->type) : NULL;
		if (want && !m->there)
			steps_add(out, &mdev_kind, m->uuid, want, why)->obstacle = m->problem ? str_dup(m->problem) : NULL;
		if (uid != 0)
			node_step(out, group, uid, gid, "QEMU runs as the user and opens it");
	}
}

void mdev_findings(struct findings *out, const struct mdev_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct mdev *m = &f->v[i];
		if (m->problem)
			findings_add(out, FINDING_BAD, "mdev", str_fmt("[mdev %s]: %s", m->conf->name, m->problem),
				     m->remedy ? str_dup(m->remedy) : NULL);
		else if (m->there)
			findings_add(out, FINDING_OK, "mdev", tr_fmt("[mdev %s]: %s, which is there and stays", m->conf->name, m->there),
				     NULL);
		else
			findings_add(out, FINDING_OK, "mdev",
				     tr_fmt("[mdev %s]: a %s of %s is made at the start", m->conf->name, m->conf->type,
					    pci_addr_text(m->conf->parent).s),
				     NULL);
	}
}

struct err *mdev_open(struct root *root, const struct mdev_facts *f, int fds[], size_t *n)
{
	for (size_t i = 0; i < f->n; i++, ++*n) {
		cleanup_free char *sys = str_fmt(DEVICES "/%s", f->v[i].uuid);
		TRY(vfio_open_device(root, sys, &fds[*n]));
	}
	return NULL;
}

/* ---- the kind ---- */

static char *describe(const struct step *s)
{
	return tr_fmt("make a part of a card, %s (%s)", s->want, s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	char *who = strchr(s->target, '/') ? NULL : who_has(env->root, s->target);
	*ret_value = who ? who : str_dup(ABSENT);
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct pci_addr parent;
	const char *type = strchr(s->want, ' ');
	cleanup_free char *addr = str_ndup(s->want, strcspn(s->want, " "));
	TRY(pci_addr_parse(addr, &parent));
	if (!type || strchr(type, '/'))
		return err_new("\"%s\" is no PARENT TYPE", s->want);
	cleanup_free char *dir = types_path(parent), *path = str_fmt("%s/%s/create", dir, type + 1);
	return err_hint(child_write(env->root, path, s->target), "the kernel's log says why: dmesg | grep %s", addr);
}

/* Waits for whoever has it open, which no guest of ours has by then. */
static struct err *undo(struct step_env *env, const struct step *s)
{
	if (strchr(s->target, '/')) /* a journal's, which may be anything */
		return err_new("\"%s\" is no UUID", s->target);
	cleanup_free char *path = str_fmt(DEVICES "/%s/remove", s->target);
	return child_write(env->root, path, "1");
}

const struct step_kind mdev_kind = {
	.name = "mdev",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
};
