/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu: see cpu.h. Hyper-V interfaces by QEMU's docs/system/i386/hyperv.rst. */
#include "launcher/base/tr.h"
#include "launcher/guest/args_cpu.h"

struct guest {
	const struct config *c;
	const struct cpu_facts *f;
	const struct cpu_plan *p;
	const struct qemu_facts *q;
	struct strv parts; /* of -cpu */
};

/* ---- Hyper-V ---- */

enum when { ALWAYS, NESTED, NESTED_INTEL, WITH_AVIC };
enum leaf { FEATURES, MISC, HINTS, NESTED_FEATURES };

/*
 * One interface: what KVM must have for it (the bits that QEMU itself asks for, target/i386/kvm/kvm.c, and the Linux
 * that brought them, for a host that cannot be asked), and when it is of use. Those that others depend on stand before
 * them.
 */
static const struct hyperv_flag {
	const char *name;
	enum leaf leaf;
	uint32_t bits;
	unsigned major, minor;
	enum when when;
} hyperv_flags[] = {
	{ "hv-relaxed", HINTS, 1 << 5, 3, 10, ALWAYS },             /* no watchdog fires over a vCPU that had to wait */
	{ "hv-vapic", FEATURES, 1 << 4, 3, 10, ALWAYS },
	{ "hv-vpindex", FEATURES, 1 << 6, 4, 3, ALWAYS },
	{ "hv-runtime", FEATURES, 1 << 0, 4, 4, ALWAYS },
	{ "hv-time", FEATURES, 1 << 1 | 1 << 5 | 1 << 9, 3, 15, ALWAYS }, /* time is read without leaving the guest */
	{ "hv-synic", FEATURES, 1 << 2, 4, 5, ALWAYS },
	{ "hv-stimer", FEATURES, 1 << 3, 4, 5, ALWAYS },
	{ "hv-stimer-direct", MISC, 1 << 19, 5, 2, ALWAYS },
	{ "hv-frequencies", FEATURES, 1 << 11, 4, 15, ALWAYS },
	{ "hv-reenlightenment", FEATURES, 1 << 13, 4, 17, NESTED },
	{ "hv-tlbflush", HINTS, 1 << 2 | 1 << 11, 4, 18, ALWAYS },
	{ "hv-tlbflush-ext", MISC, 1 << 14, 6, 2, ALWAYS },
	{ "hv-ipi", HINTS, 1 << 10 | 1 << 11, 4, 20, ALWAYS },
	{ "hv-xmm-input", MISC, 1 << 4, 5, 14, ALWAYS },
	{ "hv-avic", HINTS, 1 << 9, 5, 4, WITH_AVIC },
	{ "hv-evmcs", NESTED_FEATURES, 0xffff, 4, 20, NESTED_INTEL },
	{ "hv-tlbflush-direct", NESTED_FEATURES, 1 << 17, 6, 2, NESTED },
	{ "hv-emsr-bitmap", NESTED_FEATURES, 1 << 19, 5, 17, NESTED },
};

static bool kernel_has(const struct cpu_facts *f, const struct hyperv_flag *flag)
{
	const uint32_t leaves[] = { f->hyperv.features, f->hyperv.misc, f->hyperv.hints, f->hyperv.nested };
	uint32_t got = leaves[flag->leaf] & flag->bits;
	if (!f->hyperv.known)
		return cpu_kernel_is(f, flag->major, flag->minor);
	return flag->bits == 0xffff ? got != 0 : got == flag->bits; /* 0xffff: a version, any will do */
}

static bool is_of_use(const struct guest *g, enum when when)
{
	switch (when) {
	case NESTED:
		return g->c->cpu.nested;
	case NESTED_INTEL:
		return g->c->cpu.nested && g->f->vendor == CPU_INTEL;
	case WITH_AVIC:
		return g->f->avic;
	default:
		return true;
	}
}

static bool qemu_takes(const struct guest *g, const char *flag)
{
	cleanup_free char *what = str_fmt("cpu:%s", flag);
	return qemu_has(g->q, what);
}

static void add_hyperv(struct guest *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(hyperv_flags); i++) {
		const struct hyperv_flag *flag = &hyperv_flags[i];
		if (is_of_use(g, flag->when) && kernel_has(g->f, flag) && qemu_takes(g, flag->name))
			strv_addf(&g->parts, "%s=on", flag->name);
	}
	/* A vCPU that spins for a lock may keep the lock's holder from running */
	if (g->p->overcommitted && qemu_takes(g, "hv-spinlocks"))
		strv_add(&g->parts, "hv-spinlocks=0xfff");
	/* True only because every vCPU is pinned as the guest is told: it need not fear siblings unknown to it */
	if (g->p->smt_true && g->p->exclusive && qemu_takes(g, "hv-no-nonarch-coresharing"))
		strv_add(&g->parts, "hv-no-nonarch-coresharing=on");
	if (g->c->cpu.vendor_id && qemu_takes(g, "hv-vendor-id"))
		strv_addf(&g->parts, "hv-vendor-id=%s", g->c->cpu.vendor_id);
}

/* ---- the rest ---- */

static void add_flags(struct guest *g, bool host_model)
{
	if (host_model && qemu_takes(g, "migratable"))
		strv_add(&g->parts, "migratable=no"); /* everything the CPU has, not only what another would have too */
	if (g->f->vendor == CPU_AMD && cpu_has(g->f, "topoext") && qemu_takes(g, "topoext"))
		strv_add(&g->parts, "topoext=on"); /* AMD tells of siblings and caches there; -cpu host leaves it out */
	if (cpu_has(g->f, "constant_tsc") && cpu_has(g->f, "nonstop_tsc") && qemu_takes(g, "invtsc"))
		strv_add(&g->parts, "invtsc=on"); /* the guest may trust its fastest clock */
	if (!g->c->cpu.nested && cpu_has(g->f, "svm"))
		strv_add(&g->parts, "svm=off");
	if (!g->c->cpu.nested && cpu_has(g->f, "vmx"))
		strv_add(&g->parts, "vmx=off");
	if (g->c->cpu.hide_kvm)
		strv_add(&g->parts, "kvm=off");
	if (!g->c->clock.kvmclock)
		strv_add(&g->parts, "kvmclock=off");
}

/* As the user says, after all of ours: the last word on a flag is the one that holds. */
static void add_wanted(struct guest *g)
{
	for (size_t i = 0; i < g->c->cpu.flags.n; i++) {
		const char *flag = g->c->cpu.flags.v[i];
		if (*flag == '+' || *flag == '-')
			strv_addf(&g->parts, "%s=%s", flag + 1, *flag == '+' ? "on" : "off");
		else
			strv_add(&g->parts, flag);
	}
}

static bool may_tell(const struct guest *g)
{
	const char *model = g->c->cpu.model;
	return !model || streq(model, "host") || streq(model, "max");
}

/* The host's own description holds for a guest whose vCPUs are below whole L3 caches; else it would tell of neighbours that are not
 * there. Only the models "host" and "max" can have it; emulated ones by the user's word alone, for a TCG guest is on no CPU of its own. */
static enum caches caches_of(const struct guest *g, bool host_model)
{
	bool can = (host_model || (may_tell(g) && g->c->cpu.caches == CACHES_HOST)) && qemu_takes(g, "host-cache-info") &&
		   qemu_takes(g, "l3-cache");
	if (g->c->cpu.caches == CACHES_HOST || (g->c->cpu.caches == CACHES_AUTO && g->p->whole_l3s && g->p->smt_true && g->p->exclusive))
		return can ? CACHES_HOST : CACHES_SHAPE;
	return g->c->cpu.caches == CACHES_QEMU ? CACHES_QEMU : CACHES_SHAPE;
}

/* From QEMU 10 on it can be said which vCPUs share a cache; before, it is the same by the dies of -smp. */
static void add_sharing(struct args *a, const struct guest *g, bool kvm)
{
	static const char *const levels[][2] = { { "l1d", "core" }, { "l1i", "core" }, { "l2", "core" }, { "l3", "die" } };
	cleanup_strv struct strv parts = {};
	bool host = !g->c->cpu.model || streq(g->c->cpu.model, "host");
	if (caches_of(g, kvm && host) != CACHES_SHAPE || !qemu_is(g->q, 10, 0) || !qemu_has(g->q, "machine:smp-cache"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		strv_addf(&parts, "smp-cache.%zu.cache=%s", i, levels[i][0]);
		strv_addf(&parts, "smp-cache.%zu.topology=%s", i, levels[i][1]);
	}
	args_parts(a, "-machine", &parts, "which vCPUs share a cache, as the host's CPUs below them do");
}

static void add_model(struct args *a, struct guest *g, bool kvm)
{
	const char *model = g->c->cpu.model ? g->c->cpu.model : kvm ? "host" : "max";
	bool host = streq(model, "host"), hyperv = kvm && g->c->cpu.hyperv != HYPERV_OFF;
	strv_add(&g->parts, !kvm && host ? "max" : model);
	if (kvm)
		add_flags(g, host || streq(model, "max"));
	if (hyperv)
		add_hyperv(g);
	enum caches caches = caches_of(g, kvm && host);
	if (caches == CACHES_HOST) {
		strv_add(&g->parts, "host-cache-info=on");
		strv_add(&g->parts, "l3-cache=off");
	}
	add_wanted(g);
	const char *what = !kvm ? _("emulated") : host ? _("the host's own CPU") : _("the model asked for");
	cleanup_free char *why =
		str_fmt("%s%s%s%s%s", what, strv_has(&g->parts, "topoext=on") ? _(", with its siblings and caches told (topoext)") : "",
			hyperv ? _("; Hyper-V interfaces, which make Windows' clocks, timers and interrupts cheap") : "",
			kvm && !g->c->cpu.nested ? _("; no virtual machines inside: without them Windows is faster") : "",
			caches == CACHES_HOST         ? _("; caches as the host has them, in size and sharing")
			: !kvm && !g->c->cpu.model    ? ""
			: host || streq(model, "max") ? _("; caches in QEMU's sizes, an L3 of 16M for each die")
						      : _("; caches in that model's sizes, an L3 for each die"));
	args_parts(a, "-cpu", &g->parts, why);
}

void guest_cpu(struct args *a, const struct config *c, const struct cpu_facts *f, const struct cpu_plan *p, const struct qemu_facts *q,
	       enum accel accel)
{
	struct guest g = { c, f, p, q, {} };
	cleanup_free char *smp =
		str_fmt("%u,sockets=%u,dies=%u,cores=%u,threads=%u", p->n_vcpus, p->sockets, p->dies, p->cores, p->threads);
	add_model(a, &g, accel == ACCEL_KVM);
	args_add(a, "-smp", smp,
		 p->smt_true ? "the shape of the host's CPUs below: one die for each L3 cache, siblings as they are"
			     : N_("cores without siblings: the host's CPUs below have no shape that could be told"));
	add_sharing(a, &g, accel == ACCEL_KVM);
	if (c->cpu.cpu_pm && accel == ACCEL_KVM && p->exclusive && c->cpu.isolate != ISOLATE_OFF)
		args_add(a, "-overcommit", "cpu-pm=on", "the guest idles its CPUs by itself: nobody else wants them");
	strv_free(&g.parts);
}
