/* SPDX-License-Identifier: GPL-2.0-or-later */
/* claims: see claims.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include "launcher/base/tr.h"
#include "launcher/plan/claims.h"

/* One word a thing: "pci 0000:01:00.0", "disk /dev/nvme0n1", "cpu 8". */
static void claims_of(const struct plan *p, struct strv *ret)
{
	for (size_t i = 0; i < p->pci.n_picks; i++)
		for (size_t k = 0; k < p->pci.picks[i].n; k++)
			strv_addf(ret, "pci %s", pci_addr_text(p->pci.picks[i].v[k].addr).s);
	for (size_t i = 0; i < p->mdevs.n; i++)
		strv_addf(ret, "mdev %s", p->mdevs.v[i].uuid);
	for (size_t i = 0; i < p->disks.n_disks; i++)
		if (p->disks.v[i].real && !p->disks.v[i].conf->readonly)
			strv_addf(ret, "disk %s", p->disks.v[i].real);
	for (size_t i = 0; i < p->inputs.n; i++) {
		cleanup_strv struct strv words = {};
		input_claims(&p->inputs.v[i], &words);
		for (size_t k = 0; k < words.n; k++)
			strv_addf(ret, "input %s", words.v[k]);
	}
	for (size_t i = 0; i < p->usb.n; i++)
		if (usb_meant(p->config, &p->usb.v[i]))
			strv_addf(ret, "usb %s", p->usb.v[i].sys);
	for (size_t i = 0; i < p->config->n_usb; i++) /* they may be plugged in later */
		strv_addf(ret, "usb %s", p->config->usb[i].id ? p->config->usb[i].id : p->config->usb[i].port);
	for (size_t i = 0; i < p->net.n; i++) {
		const struct net *n = &p->net.v[i];
		if (*n->link) /* those of mode user meet nobody else's */
			strv_addf(ret, "MAC %s", n->mac);
		if (n->own)
			strv_addf(ret, "subnet of %s", n->gateway);
		struct conf_forward forward;
		for (size_t k = 0; k < n->conf->forward.n; k++) /* a translated port listens nowhere */
			if (conf_forward_parse(n->conf->forward.v[k], &forward))
				strv_addf(ret, "port %s:%u", forward.protocol, forward.host);
	}
	if (p->desktop.shared) /* two guests' pictures in one file would be neither's */
		strv_addf(ret, "%s", p->desktop.shared);
	if (p->cpu.exclusive && p->config->cpu.isolate != ISOLATE_OFF)
		for (int cpu = cpus_next(&p->cpu.all, -1); cpu >= 0; cpu = cpus_next(&p->cpu.all, cpu))
			strv_addf(ret, "cpu %d", cpu);
}

/* Which of `want` the machine `vm` has, if it runs; owned by the caller, NULL for none. */
static char *clash(struct root *root, const char *base, const char *vm, const struct strv *want)
{
	cleanup_free char *path = str_fmt("%s/%s/claims", base, vm), *text = root_read_or(root, path, "");
	cleanup_strv struct strv theirs = {};
	strv_split(&theirs, text, "\n");
	for (size_t i = 0; i < want->n; i++)
		if (strv_has(&theirs, want->v[i]))
			return str_dup(want->v[i]);
	return NULL;
}

/* Calls fn for each clash with another running machine. */
static void each_clash(struct root *root, const char *base, const struct plan *p, void (*fn)(void *data, const char *thing, const char *vm),
		       void *data)
{
	cleanup_strv struct strv vms = {}, want = {};
	claims_of(p, &want);
	cleanup_err struct err *e = journal_list(root, base, &vms);
	for (size_t i = 0; !e && i < vms.n; i++) {
		if (streq(vms.v[i], p->config->vm.name) || !journal_alive(root, base, vms.v[i]))
			continue; /* a dead one claims nothing: restore gives its things back */
		cleanup_free char *thing = clash(root, base, vms.v[i], &want);
		if (thing)
			fn(data, thing, vms.v[i]);
	}
}

static void to_error(void *data, const char *thing, const char *vm)
{
	struct err **e = data;
	if (!*e)
		*e = err_hint(err_coded(EBUSY, "%s belongs to %s, which runs", thing, vm), "qlaunch stop %s", vm);
}

static void to_finding(void *data, const char *thing, const char *vm)
{
	findings_add(data, FINDING_BAD, "in use", tr_fmt("%s belongs to %s, which runs", thing, vm), tr_fmt("qlaunch stop %s", vm));
}

struct err *claims_take(struct root *root, const char *base, const struct journal *j, const struct plan *p)
{
	cleanup_free char *lock_path = str_fmt("%s/.claims", base), *path = str_fmt("%s/claims", journal_dir(j));
	cleanup_fd int lock = -1;
	cleanup_strv struct strv want = {};
	claims_of(p, &want);
	if (!want.n) /* nobody can be in its way, nor it in theirs */
		return NULL;
	TRY(root_append(root, lock_path, ""));
	TRY(root_open_fd(root, lock_path, O_RDWR | O_NOFOLLOW, &lock));
	if (flock(lock, LOCK_EX) < 0) /* held for the moment that reading and writing takes */
		return err_errno(errno, "%s", lock_path);
	struct err *e = NULL;
	each_clash(root, base, p, to_error, &e);
	TRY(e);
	cleanup_free char *text = strv_join(&want, "\n");
	return root_put(root, path, text, 0600);
}

char *claims_owner(struct root *root, const char *base, const char *thing)
{
	cleanup_strv struct strv vms = {}, want = {};
	strv_add(&want, thing);
	err_free(journal_list(root, base, &vms));
	for (size_t i = 0; i < vms.n; i++) {
		cleanup_free char *found = journal_alive(root, base, vms.v[i]) ? clash(root, base, vms.v[i], &want) : NULL;
		if (found)
			return str_dup(vms.v[i]);
	}
	return NULL;
}

/* A machine that reads a disk claims nothing, so that several can; one that writes to it keeps readers out as well. */
static bool check_claimed(struct root *root, const char *base, const struct disk *d, struct findings *out)
{
	cleanup_free char *thing = str_fmt("disk %s", d->real), *owner = claims_owner(root, base, thing);
	if (owner && d->conf->readonly)
		to_finding(out, thing, owner);
	return owner;
}

void claims_check(struct step_env *env, const char *base, struct plan *p)
{
	each_clash(env->root, base, p, to_finding, &p->findings);
	for (size_t i = 0; i < p->disks.n_disks; i++) {
		struct disk *d = &p->disks.v[i];
		d->claimed = d->real && check_claimed(env->root, base, d, &p->findings);
	}
	for (size_t i = 0; i < p->pci.n_picks; i++) {
		for (size_t k = 0; k < p->pci.picks[i].n; k++) {
			struct pci_function *fn = &p->pci.picks[i].v[k];
			cleanup_free char *thing = str_fmt("pci %s", pci_addr_text(fn->addr).s);
			cleanup_free char *owner = claims_owner(env->root, base, thing);
			fn->claimed = owner;
		}
	}
}
