/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_plan: see cpu_plan.h. Pure. Which cores is cpu_seats.c's; here are QEMU's own threads, the guest's shape, and
 * what is said of it all. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/cpu/cpu_seats.h"

/* The first obstacle is the one that is told. Takes over both texts. */
static void obstacle(const struct seats *s, const char *key, char *text, char *remedy)
{
	cleanup_free char *where = config_where(s->c, "cpu", key), *said = text, *how = remedy;
	if (s->plan->obstacle)
		return;
	s->plan->obstacle = str_fmt("%s: %s", where, said);
	s->plan->remedy = steal(how);
}

static struct cpus minus(struct cpus a, struct cpus b)
{
	return cpus_minus(&a, &b);
}

static struct cpus core_cpus(const struct cpu_core *core)
{
	struct cpus set = {};
	for (int i = 0; i < core->n_cpus; i++)
		cpus_add(&set, core->cpus[i]);
	return set;
}

/* The most vCPUs that would do: with isolation one CPU is the host's and one QEMU's own, and siblings stay together. */
static char *fewer(const struct seats *s, int most)
{
	bool isolated = s->c->cpu.isolate != ISOLATE_OFF, smt = s->f->n_cores && s->f->cores[0].n_cpus > 1;
	int spare = cpus_count(&s->usable) - 2;
	most = isolated && spare < most ? (smt ? spare & ~1 : spare) : most;
	if (most > 0)
		return tr_fmt("set threads = %d or less%s", most,
			      isolated && most >= spare - 1 ? _(", or isolate = off") : "");
	return tr_dup(isolated ? "set isolate = off" : N_("qlaunch status shows which machines have them"));
}

/* ---- what may be used ---- */

static void want_online(const struct seats *s, const char *key, const struct cpus *wanted)
{
	struct cpus absent = cpus_minus(wanted, &s->f->online);
	if (cpus_empty(&absent))
		return;
	cleanup_free char *list = cpus_format(&absent), *online = cpus_format(&s->f->online);
	obstacle(s, key, tr_fmt("%s: CPU %s is not there", key, list),
		 tr_fmt("this host has %s; qlaunch topology draws them", online));
}

/* Where the machine may be at all, and of that where the guest may be. Falls back to more than allowed, after an
 * obstacle. */
static void set_bounds(struct seats *s, const struct cpus *taken)
{
	const struct config *c = s->c;
	s->usable = c->cpu.isolate == ISOLATE_OFF ? s->f->allowed : s->f->online;
	if (taken)
		s->usable = cpus_minus(&s->usable, taken);
	s->placed = s->usable;
	if (c->cpu.place == PLACE_CPUS) {
		want_online(s, "place", &c->cpu.place_cpus);
		s->placed = cpus_and(&s->usable, &c->cpu.place_cpus);
	} else if (c->cpu.place == PLACE_L3 && c->cpu.place_l3 < s->f->n_l3s) {
		s->placed = cpus_and(&s->usable, &s->f->l3s[c->cpu.place_l3].cpus);
	} else if (c->cpu.place == PLACE_L3) {
		obstacle(s, "place",
			 tr_fmt("place = l3 %u: this host has %zu L3, counted from 0", c->cpu.place_l3, s->f->n_l3s),
			 tr_dup("qlaunch topology draws them"));
	}
	if (!c->cpu.emulator_auto) {
		want_online(s, "emulator", &c->cpu.emulator);
		struct cpus without = cpus_minus(&s->placed, &c->cpu.emulator);
		if (cpus_count(&without) >= (int)s->n_wanted)
			s->placed = without;
	}
}

/* ---- fewer CPUs than vCPUs ---- */

/* vCPUs go round all CPUs; the guest is told of cores without siblings. */
static void overcommit(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	int n = cpus_count(&s->placed), cpu = -1;
	if (s->c->cpu.isolate != ISOLATE_OFF || s->c->cpu.place != PLACE_AUTO)
		obstacle(s, "threads", tr_fmt("threads = %u: %d CPUs are free %s", s->n_wanted, n,
					      s->c->cpu.place == PLACE_AUTO ? _("on this host") : _("where place says")),
			 fewer(s, n));
	struct cpus ring = n ? s->placed : s->f->online;
	for (unsigned i = 0; i < s->n_wanted; i++) {
		cpu = cpus_next(&ring, cpu);
		cpu = cpu >= 0 ? cpu : cpus_next(&ring, -1);
		p->vcpus[i] = cpu;
	}
	p->guest = ring;
	p->overcommitted = true;
	p->dies = p->threads = 1;
	p->cores = s->n_wanted;
	strv_addf(&p->warnings, _("%u vCPUs share %d CPUs: the guest will stutter"), s->n_wanted, cpus_count(&ring));
}

/* ---- QEMU's own threads ---- */

/* A free core for them, so that another is left to the host; NULL where there is none. */
static const struct seat *emulator_seat(const struct seats *s)
{
	const struct seat *best = NULL;
	int best_score = -1, n_free = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct seat *seat = &s->v[i];
		struct cpus cpus = core_cpus(seat->core);
		if (seat->taken || !cpus_subset(&cpus, &s->usable))
			continue;
		n_free++;
		if (cpus_has(&cpus, 0))
			continue;
		int score = seats_use_l3(s, seat->core->l3) ? 2 : s->f->l3s[seat->core->l3].node == s->plan->numa_node;
		if (score > best_score || (score == best_score && seat->core->cpus[0] > best->core->cpus[0])) {
			best = seat;
			best_score = score;
		}
	}
	return n_free > 1 ? best : NULL;
}

/* Where no core can be spared: one CPU of those that are left or, where nothing is isolated, wherever there is room. */
static struct cpus emulator_makeshift(struct seats *s)
{
	struct cpus rest = cpus_minus(&s->usable, &s->plan->guest), one = {};
	int n = cpus_count(&rest);
	if (s->c->cpu.isolate == ISOLATE_OFF || s->plan->overcommitted) {
		if (!n)
			strv_add(&s->plan->warnings, _("QEMU's own threads share the vCPUs' CPUs"));
		return n ? rest : s->usable;
	}
	if (n < 2) {
		obstacle(s, "threads",
			 tr_fmt("threads = %u: of %d CPUs, %d would be left for the host and for QEMU's own threads",
				s->n_wanted, cpus_count(&s->usable), n),
			 fewer(s, (int)s->n_wanted - 1));
		return n ? rest : s->usable;
	}
	for (int cpu = cpus_next(&rest, -1); cpu >= 0; cpu = cpus_next(&rest, cpu))
		one = (struct cpus){}, cpus_add(&one, cpu);
	strv_add(&s->plan->warnings, _("QEMU's own threads share a core with the host"));
	return one;
}

static void place_emulator(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	const struct seat *seat = s->c->cpu.emulator_auto && !p->overcommitted ? emulator_seat(s) : NULL;
	if (!s->c->cpu.emulator_auto)
		p->emulator = cpus_and(&s->c->cpu.emulator, &s->f->online);
	else
		p->emulator = seat ? core_cpus(seat->core) : emulator_makeshift(s);
	if (cpus_empty(&p->emulator))
		p->emulator = s->f->online;
	p->iothread = p->emulator;
	struct cpus shared = cpus_and(&p->emulator, &p->guest);
	p->exclusive = !p->overcommitted && cpus_empty(&shared);
	if (!p->exclusive && !s->c->cpu.emulator_auto)
		strv_add(&p->warnings, _("emulator: those CPUs are the vCPUs' too"));
}

/* ---- the guest's shape ---- */

/* Siblings can be told only where each core of the guest has the same number of them; then -smp's order is that of
 * `vcpus`. */
static void shape(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	int threads = 0;
	bool same = true, shared = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct seat *seat = &s->v[i];
		if (!seat->taken)
			continue;
		same = same && (!threads || threads == seat->taken);
		shared = shared || seat->taken > 1;
		threads = seat->taken;
	}
	p->smt_true = same;
	p->threads = same && threads ? (unsigned)threads : 1;
	p->dies = same && s->even ? (unsigned)s->n_l3s : 1;
	p->cores = p->n_vcpus / p->threads / p->dies;
	if (!same && shared)
		strv_addf(&p->warnings, _("threads = %u does not fill whole cores: the guest is told of no siblings"),
			  p->n_vcpus);
	if (s->n_l3s > p->dies)
		strv_addf(&p->warnings, _("the guest's CPUs lie below %zu L3 caches but not evenly, so it is told of one"),
			  s->n_l3s);
}

/* ---- what is said ---- */

static void explain(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	struct sb sb = {};
	const struct cpu_l3 *l3 = &s->f->l3s[s->n_l3s ? s->l3s[0] : 0];
	bool larger = false, auto_place = s->c->cpu.place == PLACE_AUTO;
	if (p->overcommitted) {
		p->why = tr_dup("as many as there are, in turn");
		return;
	}
	for (size_t i = 0; i < s->f->n_l3s; i++)
		larger = larger || s->f->l3s[i].size < l3->size;
	if (s->n_l3s > 1)
		sb_addf(&sb, _("below %zu L3 caches"), s->n_l3s);
	else if (l3->cache)
		sb_addf(&sb, _("below L3 cache %d"), s->l3s[0]);
	else
		sb_addf(&sb, _("on package %d, which has no L3 cache"), l3->package);
	if (s->n_l3s == 1 && l3->size) {
		cleanup_free char *size = size_format(l3->size);
		sb_addf(&sb, " (%s)", size);
	}
	sb_add(&sb, !auto_place		   ? _(", as place says")
		    : s->n_l3s > 1	   ? _(": more threads than one has")
		    : s->f->n_l3s == 1	   ? (l3->cache ? _(", the only one") : "")
		    : larger		   ? _(", the largest that fits")
		    : cpus_has(&l3->cpus, 0) ? _(", where there is room")
					   : _(", not CPU 0's, where the host is busiest"));
	if (s->gpu_node >= 0 && s->many_nodes && p->numa_node == s->gpu_node)
		sb_addf(&sb, _("; on the GPU's NUMA node %d"), s->gpu_node);
	p->why = sb_steal(&sb);
}

static void warn(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	struct cpus cores = {};
	bool e_cores = false, p_cores = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct cpu_core *core = s->v[i].core;
		struct cpus cpus = core_cpus(core);
		if (!s->v[i].taken)
			continue;
		cores = cpus_or(&cores, &cpus);
		e_cores = e_cores || core->e_core;
		p_cores = p_cores || !core->e_core;
	}
	struct cpus siblings = minus(cpus_and(&cores, &s->f->online), p->all);
	cleanup_free char *list = cpus_format(&siblings);
	if (*list)
		strv_addf(&p->warnings, _("CPUs %s share cores with vCPUs but stay with the host"), list);
	if (e_cores && p_cores)
		strv_add(&p->warnings, _("P and E cores are mixed, and the guest cannot tell them apart"));
	if (s->c->cpu.cpu_pm && !p->exclusive)
		strv_add(&p->warnings, _("cpu-pm is left off: the vCPUs do not have their CPUs for themselves"));
	if (s->gpu_node >= 0 && s->many_nodes && p->numa_node != s->gpu_node)
		strv_addf(&p->warnings, _("not all of the guest's CPUs are on NUMA node %d, where the GPU is"),
			  s->gpu_node);
}

/* ---- all of it ---- */

static void set_host(struct seats *s, const struct cpus *taken)
{
	struct cpu_plan *p = s->plan;
	p->all = cpus_or(&p->guest, &p->emulator);
	/* Nothing is taken from the host by an emulator that only shares */
	p->host = minus(s->f->online,
			s->c->cpu.isolate == ISOLATE_OFF && cpus_equal(&p->all, &s->f->online) ? p->guest : p->all);
	if (taken)
		p->host = cpus_minus(&p->host, taken);
	if (!cpus_empty(&p->host))
		return;
	p->host = s->f->online;
	if (s->c->cpu.isolate != ISOLATE_OFF)
		obstacle(s, "threads", tr_fmt("threads = %u: no CPU is left for the host", s->n_wanted),
			 tr_dup("set fewer threads, or isolate = off"));
}

static int common_node(const struct seats *s)
{
	int node = -1;
	for (size_t i = 0; i < s->f->n_l3s; i++) {
		struct cpus of_guest = cpus_and(&s->f->l3s[i].cpus, &s->plan->guest);
		if (cpus_empty(&of_guest))
			continue;
		if (node >= 0 && node != s->f->l3s[i].node)
			return -1;
		node = s->f->l3s[i].node;
	}
	return node;
}

void cpu_plan_make(const struct config *c, const struct cpu_facts *f, int gpu_node, const struct cpus *taken,
		   struct cpu_plan *ret_plan)
{
	struct cpu_plan p = { .n_vcpus = c->cpu.threads, .sockets = 1 };
	cleanup(seats_free) struct seats s = {
		.c = c, .f = f, .gpu_node = gpu_node, .n_wanted = c->cpu.threads, .plan = &p
	};
	p.vcpus = mem_new((p.n_vcpus + 1) * sizeof(*p.vcpus));
	set_bounds(&s, taken);
	seats_make(&s);
	if (cpus_count(&s.placed) < (int)s.n_wanted) {
		overcommit(&s);
	} else {
		seats_choose(&s);
		shape(&s);
	}
	p.numa_node = common_node(&s);
	place_emulator(&s);
	set_host(&s, taken);
	warn(&s);
	explain(&s);
	*ret_plan = p;
}

void cpu_plan_free(struct cpu_plan *p)
{
	free(p->vcpus);
	free(p->why);
	free(p->obstacle);
	free(p->remedy);
	strv_free(&p->warnings);
	*p = (struct cpu_plan){};
}

void cpu_plan_check(struct findings *out, const struct cpu_plan *p)
{
	cleanup_free char *guest = cpus_format(&p->guest), *emulator = cpus_format(&p->emulator);
	if (p->obstacle)
		findings_add(out, FINDING_BAD, "threads", str_dup(p->obstacle), p->remedy ? str_dup(p->remedy) : NULL);
	else
		findings_add(out, FINDING_OK, "threads",
			     tr_fmt("%u vCPUs on %s, %s; QEMU on %s", p->n_vcpus, guest, p->why, emulator), NULL);
	for (size_t i = 0; i < p->warnings.n; i++)
		findings_add(out, FINDING_WARN, "threads", str_dup(p->warnings.v[i]), NULL);
}
