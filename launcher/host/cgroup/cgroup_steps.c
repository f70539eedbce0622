/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup: what is to be done, and what `check` says of it. See cgroup.h. Pure. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/kind/systemd.h"
#include "launcher/host/kind/unit.h"

#define UNIT_NAME_LONGEST 255 /* systemd's UNIT_NAME_MAX and the kernel's NAME_MAX */

/* "qlaunch_win11": the name of the scope, the slice and the group before their suffix. */
static char *group_name(const struct config *c)
{
	cleanup_free char *part = systemd_escape(c->vm.name);
	return str_fmt(CGROUP_PREFIX "%s", part);
}

/* Of the host's groups that list some of these CPUs, the next one from *i on; NULL when there is none left. One of every CPU is seen to:
 * unlist_steps(). */
static const struct cgroup_owner *next_listed(const struct cgroup_facts *f, const struct cpus *guest, const struct cpus *host, size_t *i)
{
	struct cpus all = cpus_or(guest, host);
	while (*i < f->n_listed) {
		const struct cgroup_owner *l = &f->listed[(*i)++];
		struct cpus both = cpus_and(guest, &l->cpus);
		if (!cpus_empty(&both) && !cpus_equal(&l->cpus, &all))
			return l;
	}
	return NULL;
}

/* The one of which the kernel makes no partition. */
static const struct cgroup_owner *in_the_way(const struct config *c, const struct cgroup_facts *f, const struct cpus *guest,
					     const struct cpus *host)
{
	size_t i = 0;
	const struct cgroup_owner *l = NULL;
	if (c->cpu.isolate != ISOLATE_PARTITION || !f->exclusive)
		return NULL;
	while ((l = next_listed(f, guest, host, &i)) && l->below)
		;
	return l;
}

/* Why these CPUs cannot be set apart; NULL if they can. */
static char *obstacle(const struct config *c, const struct cgroup_facts *f, const struct cpus *guest, const struct cpus *host)
{
	if (f->obstacle)
		return str_dup(f->obstacle);
	if (cpus_empty(host))
		return tr_dup("the guest has every CPU: none is left for the host");
	if (c->cpu.isolate == ISOLATE_SLICES && !f->systemd)
		return tr_dup("isolate = slices limits systemd's slices, and systemd does not run here");
	for (size_t i = 0; i < f->n_others; i++) {
		struct cpus both = cpus_and(guest, &f->others[i].cpus);
		cleanup_free char *list = cpus_format(&both);
		if (!cpus_empty(&both))
			return tr_fmt("the machine \"%s\" has CPU %s now", f->others[i].vm, list);
		if (c->cpu.isolate == ISOLATE_SLICES && f->narrowed)
			return tr_fmt("the machine \"%s\" has CPUs of its own: isolate = slices serves one machine at a time",
				      f->others[i].vm);
	}
	const struct cgroup_owner *l = in_the_way(c, f, guest, host);
	if (!l)
		return NULL;
	struct cpus both = cpus_and(guest, &l->cpus);
	cleanup_free char *list = cpus_format(&both);
	return tr_fmt("the group %s of the host lists CPU %s: the kernel makes no partition of them (see %s/cpuset.cpus)", l->vm, list,
		      l->vm);
}

struct cpus cgroup_avoid(const struct cgroup_facts *f, const struct cpus *online)
{
	struct cpus avoid = {};
	for (size_t i = 0; i < f->n_listed; i++)
		if (!cpus_subset(online, &f->listed[i].cpus))
			avoid = cpus_or(&avoid, &f->listed[i].cpus);
	return avoid;
}

void cgroup_tell_left(const struct cgroup_facts *f, const struct cpus *left, struct strv *out)
{
	for (size_t i = 0; i < f->n_listed; i++) {
		struct cpus both = cpus_and(left, &f->listed[i].cpus);
		cleanup_free char *list = cpus_format(&both);
		if (!cpus_empty(&both))
			strv_addf(out, _("CPUs %s are left to the host's group %s, which lists them; cpu.place can name them all the same"),
				  list, f->listed[i].vm);
	}
}

/* What the machine's own units have beside their CPUs. All of it ends with them. */
static void property_steps(struct steps *out, const struct config *c, const char *name)
{
	static const char *const words[] = { [OOMD_OMIT] = "omit", [OOMD_AVOID] = "avoid" };
	cleanup_free char *scope = str_fmt("%s.scope", name), *slice = str_fmt("%s.slice", name);
	if (c->host.oomd != OOMD_NONE) {
		cleanup_free char *want = str_fmt("ManagedOOMPreference=%s", words[c->host.oomd]);
		steps_add(out, &unit_property_kind, scope, want, "systemd-oomd looks for others to end")->optional = true;
	}
	if (c->host.weight) {
		cleanup_free char *want = str_fmt("CPUWeight=%u", c->host.weight);
		steps_add(out, &unit_property_kind, slice, want, "[host] weight")->optional = true;
	}
}

static void group_steps(struct steps *out, const struct cgroup_facts *f, const char *name, const char *cpus, const pid_t *held)
{
	cleanup_free char *want = str_fmt("active %s", cpus);
	if (f->systemd) {
		cleanup_free char *scope = str_fmt("%s.scope", name);
		steps_add(out, &scope_kind, scope, want, "QEMU in a slice of its own, which systemd stops when QEMU has ended")->data =
			(void *)(uintptr_t)held;
		return;
	}
	cleanup_free char *dir = str_fmt(CGROUP_MOUNT "/%s", name);
	steps_add(out, &controller_kind, CGROUP_MOUNT "/cgroup.subtree_control", "+cpuset", "groups can have CPUs of their own");
	steps_add(out, &cgroup_kind, dir, want, "QEMU in a group of its own")->data = (void *)(uintptr_t)held;
}

/*
 * A list of every CPU limits nobody, but the kernel makes no partition of CPUs that somebody lists, and (6.1) lets nobody empty the list of
 * a group with processes. systemd leaves such lists behind when a limit is taken away.
 */
static void unlist_steps(struct steps *out, const struct cgroup_facts *f, const char *host, const struct cpus *all)
{
	for (size_t i = 0; i < f->n_listed; i++) {
		cleanup_free char *path = str_fmt(CGROUP_MOUNT "/%s/cpuset.cpus", f->listed[i].vm);
		if (cpus_equal(&f->listed[i].cpus, all))
			steps_add(out, &attr_kind, path, host, "it lists every CPU: the kernel takes that for a claim");
	}
}

static void slices_steps(struct steps *out, const char *host, const char *all)
{
	static const char *const units[] = { "system.slice", "user.slice", "init.scope" };
	cleanup_free char *want = str_fmt("%s of %s", host, all);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		steps_add(out, &allowed_cpus_kind, units[i], want, "the host's programs off the guest's CPUs");
}

void cgroup_steps(struct steps *out, const struct config *c, const struct cgroup_facts *f, const struct cpus *guest,
		  const struct cpus *host, const pid_t *held)
{
	if (c->cpu.isolate == ISOLATE_OFF)
		return;
	size_t first = out->n;
	struct cpus both = cpus_or(guest, host);
	cleanup_free char *cpus = cpus_format(guest), *rest = cpus_format(host), *all = cpus_format(&both), *name = group_name(c);
	cleanup_free char *why_not = obstacle(c, f, guest, host);
	if (!why_not && strlen(name) + strlen(".scope") > UNIT_NAME_LONGEST)
		why_not = tr_dup("the machine's name is too long for a group's");
	if (c->cpu.isolate == ISOLATE_SLICES) {
		/* Undone after the scope: once no unit has a list, systemd takes the controller away, and the full lists with it. The
		 * kernel (6.1) lets nobody empty the list of a group with processes, and makes no partition of CPUs that somebody lists. */
		slices_steps(out, rest, all);
		group_steps(out, f, name, cpus, held);
	} else {
		group_steps(out, f, name, cpus, held);
		const char *type = c->cpu.partition == PARTITION_ROOT ? "root" : "isolated";
		cleanup_free char *dir = str_fmt(CGROUP_MOUNT "/%s%s", name, f->systemd ? ".slice" : ""),
				  *want = str_fmt("%s %s", type, cpus);
		unlist_steps(out, f, rest, &both);
		steps_add(out, &partition_kind, dir, want, "the kernel takes these CPUs from everybody else, in one step");
	}
	if (f->systemd)
		property_steps(out, c, name);
	for (size_t i = first; why_not && i < out->n; i++)
		out->v[i].obstacle = str_dup(why_not);
}

void cgroup_check(struct findings *out, const struct config *c, const struct cgroup_facts *f, const struct cpus *guest,
		  const struct cpus *host)
{
	if (c->host.weight && (c->cpu.isolate == ISOLATE_OFF || !f->systemd))
		findings_add(out, FINDING_WARN, "weight", tr_dup("[host] weight does nothing: QEMU is in no unit of its own here"),
			     tr_dup("cpu.isolate = partition or slices, on a host with systemd"));
	if (c->cpu.isolate == ISOLATE_OFF)
		return;
	char *why_not = obstacle(c, f, guest, host);
	const struct cgroup_owner *l = in_the_way(c, f, guest, host);
	if (!why_not)
		findings_add(out, FINDING_OK, "isolation",
			     tr_fmt("cgroup v2 with cpuset%s", f->systemd ? _(", by systemd") : _(", by hand")), NULL);
	else if (!f->obstacle && l && (str_ends(l->vm, ".slice") || str_ends(l->vm, ".scope")))
		findings_add(
			out, FINDING_BAD, "isolation", why_not,
			tr_fmt("systemctl revert %s, if nobody needs its AllowedCPUs= any more; or choose other CPUs by cpu.place", l->vm));
	else
		findings_add(out, FINDING_BAD, "isolation", why_not,
			     f->obstacle ? str_dup(f->remedy) : tr_dup("choose other CPUs by cpu.place, or cpu.isolate = off"));
	for (size_t i = 0; !why_not && (l = next_listed(f, guest, host, &i));) {
		struct cpus both = cpus_and(guest, &l->cpus);
		cleanup_free char *list = cpus_format(&both);
		findings_add(out, FINDING_WARN, "isolation",
			     tr_fmt("the group %s of the host lists CPU %s: what runs there has other CPUs while the guest has these",
				    l->vm, list),
			     tr_dup("choose other CPUs by cpu.place"));
	}
}
