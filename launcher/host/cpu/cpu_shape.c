/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_shape: see cpu_plan.h. Pure. Which cores is cpu_seats.c's; here are QEMU's own threads and the guest's shape;
 * what is said of it all is cpu_told.c's. */
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

static void make(struct seats *s, struct cpu_plan *ret_plan);

/* The most vCPUs, fewer than asked for, that are a good plan: nothing to refuse, nothing to warn of. 0: there are none. */
static unsigned good_below(const struct seats *s)
{
	struct config c = *s->c;
	unsigned good = 0, most = (unsigned)cpus_count(&s->f->online);
	for (unsigned n = s->n_wanted - 1 < most ? s->n_wanted - 1 : most; n && !good; n--) {
		cleanup_cpu_plan struct cpu_plan p = {};
		c.cpu.threads = n;
		make(&(struct seats){ .c = &c, .f = s->f, .gpu_node = s->gpu_node, .taken = s->taken, .avoid = s->avoid, .advice = true },
		     &p);
		if (!p.obstacle && !p.warnings.n && p.smt_true && p.exclusive)
			good = n;
	}
	return good;
}

/* A number that is a good plan; and no isolation, where only that keeps the one that was asked for from being possible. */
static char *fewer(const struct seats *s)
{
	struct cpus shared = cpus_and(&s->f->allowed, &s->placed);
	bool off = s->c->cpu.isolate != ISOLATE_OFF && cpus_count(&shared) >= (int)s->n_wanted;
	unsigned good = s->advice ? 0 : good_below(s);
	if (good)
		return tr_fmt("set threads = %u%s", good, off ? _(", or isolate = off") : "");
	if (!off && (!s->taken || !cpus_count(s->taken)))
		return tr_fmt("set isolate = off and at most threads = %d", cpus_count(&s->f->allowed));
	return tr_dup(off ? N_("set isolate = off") : N_("qlaunch status shows which machines have them"));
}

/* ---- what may be used ---- */

static void want_online(const struct seats *s, const char *key, const struct cpus *wanted)
{
	struct cpus absent = cpus_minus(wanted, &s->f->online);
	if (cpus_empty(&absent))
		return;
	cleanup_free char *list = cpus_format(&absent), *online = cpus_format(&s->f->online);
	obstacle(s, key, tr_fmt("%s: CPU %s is not there", key, list), tr_fmt("this host has %s; qlaunch topology draws them", online));
}

/* Where the machine may be at all, and of that where the guest may be. Falls back to more than allowed, after an
 * obstacle. */
static void set_bounds(struct seats *s)
{
	const struct config *c = s->c;
	s->usable = c->cpu.isolate == ISOLATE_OFF ? s->f->allowed : s->f->online;
	if (s->taken)
		s->usable = cpus_minus(&s->usable, s->taken);
	if (s->avoid)
		s->usable = cpus_minus(&s->usable, s->avoid);
	for (size_t i = 0; i < s->f->n_partitions; i++) /* the kernel refuses a CPU in two partitions */
		s->usable = cpus_minus(&s->usable, &s->f->partitions[i].cpus);
	s->placed = s->usable;
	if (c->cpu.place == PLACE_CPUS) {
		want_online(s, "place", &c->cpu.place_cpus);
		s->placed = cpus_and(&s->usable, &c->cpu.place_cpus);
	} else if (c->cpu.place == PLACE_L3 && c->cpu.place_l3 < s->f->n_caches) {
		struct cpus of_cache = {};
		for (size_t i = 0; i < s->f->n_l3s; i++)
			if (s->f->l3s[i].number == (int)c->cpu.place_l3)
				of_cache = cpus_or(&of_cache, &s->f->l3s[i].cpus);
		s->placed = cpus_and(&s->usable, &of_cache);
	} else if (c->cpu.place == PLACE_L3) {
		obstacle(s, "place", tr_fmt("place = l3 %u: this host has %zu L3, counted from 0", c->cpu.place_l3, (size_t)s->f->n_caches),
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
		obstacle(s, "threads",
			 tr_fmt("threads = %u: %d CPUs are free %s", s->n_wanted, n,
				s->c->cpu.place == PLACE_AUTO ? _("on this host") : _("where place says")),
			 fewer(s));
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

/* ---- kinds of cores ---- */

/* The best kind that has room. Kinds are mixed by the user's own list; else it is refused, and the makeshift mixes them. */
static void choose_kind(struct seats *s)
{
	unsigned best = 0;
	enum cpu_kind best_kind = CPU_KINDS;
	if (s->c->cpu.place == PLACE_CPUS)
		return;
	for (int kind = CPU_P; kind < CPU_LP; kind++) {
		seats_of_kind(s, kind);
		unsigned room = seats_room(s);
		if (room >= s->n_wanted && best_kind < CPU_KINDS)
			strv_addf(&s->plan->warnings, _("%u threads fit the slower %s only: threads = %u would get the %s"), s->n_wanted,
				  cpu_kind_word(s->f, kind), best, cpu_kind_word(s->f, best_kind));
		if (room >= s->n_wanted)
			return;
		if (room && best_kind == CPU_KINDS)
			best = room, best_kind = kind;
	}
	seats_of_kind(s, CPU_KINDS);
	if (best_kind == CPU_KINDS)
		return;
	obstacle(s, "threads",
		 tr_fmt("threads = %u: the %s have %u CPUs, and a guest cannot tell kinds of cores apart", s->n_wanted,
			cpu_kind_word(s->f, best_kind), best),
		 tr_fmt("set threads = %u, or name the CPUs yourself: place = CPUS", best));
}

/* ---- QEMU's own threads ---- */

/* How well a core does for them: small ones are spent before big ones, an island of low power last of the small; then by nearness. */
static int emulator_score(const struct seats *s, const struct cpu_core *core)
{
	static const int kinds[CPU_KINDS] = { [CPU_P] = 0, [CPU_LP] = 1, [CPU_E] = 2 };
	const struct cpu_l3 *own = &s->f->l3s[core->l3];
	int near = 0;
	for (size_t i = 0; i < s->n_quotas; i++) {
		const struct cpu_l3 *of_guest = &s->f->l3s[s->quotas[i].l3];
		int here = of_guest == own ? 3 : of_guest->node == own->node ? 2 : of_guest->package == own->package;
		near = here > near ? here : near;
	}
	return kinds[core->kind] * 4 + near;
}

/* CPUs that the host has whatever the machine takes. */
static bool host_has_its_own(const struct seats *s)
{
	struct cpus both = s->avoid ? cpus_and(s->avoid, &s->f->online) : (struct cpus){};
	return !cpus_empty(&both);
}

/* A free core for them, so that another is left to the host; NULL where there is none. */
static const struct seat *emulator_seat(const struct seats *s)
{
	const struct seat *best = NULL;
	int best_score = 0, n_free = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct seat *seat = &s->v[i];
		struct cpus cpus = seats_core_cpus(seat->core);
		if (seat->taken || !cpus_subset(&cpus, &s->usable))
			continue;
		n_free++;
		if (cpus_has(&cpus, 0))
			continue;
		int score = emulator_score(s, seat->core);
		if (!best || score > best_score || (score == best_score && seat->core->cpus[0] > best->core->cpus[0])) {
			best = seat;
			best_score = score;
		}
	}
	return n_free > 1 || host_has_its_own(s) ? best : NULL;
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
	if (n + host_has_its_own(s) < 2) {
		obstacle(s, "threads",
			 tr_fmt("threads = %u: of %d CPUs, %d would be left for the host and for QEMU's own threads", s->n_wanted,
				cpus_count(&s->usable), n),
			 fewer(s));
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
		p->emulator = seat ? seats_core_cpus(seat->core) : emulator_makeshift(s);
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
	struct cpus halves = {};
	for (size_t i = 0; i < s->n; i++) {
		const struct seat *seat = &s->v[i];
		if (!seat->taken)
			continue;
		same = same && (!threads || threads == seat->taken);
		shared = shared || seat->taken > 1;
		threads = seat->taken;
	}
	p->smt_true = same;
	p->whole_l3s = s->n_quotas > 0;
	for (size_t i = 0; i < s->n_quotas; i++) {
		const struct cpu_l3 *l3 = &s->f->l3s[s->quotas[i].l3];
		p->whole_l3s = p->whole_l3s && l3->cache && cpus_subset(&l3->whole, &p->guest);
	}
	p->threads = same && threads ? (unsigned)threads : 1;
	p->dies = same && s->even && s->n_quotas ? (unsigned)s->n_quotas : 1;
	p->cores = p->n_vcpus / p->threads / p->dies;
	for (size_t i = 0; i < s->n && shared; i++) {
		const struct seat *seat = &s->v[i];
		if (seat->taken && !seat->whole && seat->taken < s->smt)
			cpus_add(&halves, seat->cpus[0]);
	}
	cleanup_free char *half = cpus_format(&halves);
	if (*half)
		strv_addf(&p->warnings, _("CPU %s is half a core: its sibling is offline, taken or QEMU's"), half);
	else if (!same && shared)
		strv_addf(&p->warnings, _("threads = %u does not fill whole cores: the guest is told of no siblings"), p->n_vcpus);
	if (s->n_quotas > p->dies)
		strv_addf(&p->warnings, _("the guest's CPUs lie below %zu L3 caches but not evenly, so it is told of one"), s->n_quotas);
}

/* The guest's nodes, in the order of its vCPUs. */
static void tell_nodes(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	cleanup_free size_t *index = mem_new((s->f->n_nodes + 1) * sizeof(*index));
	if (p->overcommitted || p->numa_node >= 0)
		return;
	for (unsigned v = 0; v < p->n_vcpus; v++) {
		size_t node = 0;
		while (node < s->f->n_nodes && !cpus_has(&s->f->nodes[node].cpus, p->vcpus[v]))
			node++;
		if (node == s->f->n_nodes)
			continue;
		if (!p->n_nodes || index[p->n_nodes - 1] != node) {
			p->nodes = mem_grow(p->nodes, p->n_nodes, sizeof(*p->nodes));
			p->nodes[p->n_nodes] = (struct cpu_plan_node){ .id = s->f->nodes[node].id };
			index[p->n_nodes++] = node;
		}
		p->nodes[p->n_nodes - 1].vcpus++;
	}
	for (size_t i = 0; i < p->n_nodes; i++) {
		p->nodes[i].distance = mem_new(p->n_nodes);
		for (size_t k = 0; k < p->n_nodes; k++)
			p->nodes[i].distance[k] = (uint8_t)cpu_distance(s->f, index[i], index[k]);
	}
}

/* ---- all of it ---- */

static void set_host(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	p->all = cpus_or(&p->guest, &p->emulator);
	/* Nothing is taken from the host by an emulator that only shares */
	p->host = minus(s->f->online, s->c->cpu.isolate == ISOLATE_OFF && cpus_equal(&p->all, &s->f->online) ? p->guest : p->all);
	if (s->taken)
		p->host = cpus_minus(&p->host, s->taken);
	if (!cpus_empty(&p->host))
		return;
	p->host = s->f->online;
	if (s->c->cpu.isolate != ISOLATE_OFF)
		obstacle(s, "threads", tr_fmt("threads = %u: no CPU is left for the host", s->n_wanted), fewer(s));
}

static int common_node(const struct seats *s)
{
	int node = -1;
	for (size_t i = 0; i < s->f->n_nodes; i++) {
		struct cpus of_guest = cpus_and(&s->f->nodes[i].cpus, &s->plan->guest);
		if (cpus_empty(&of_guest))
			continue;
		if (node >= 0)
			return -1;
		node = s->f->nodes[i].id;
	}
	return node;
}

/* A card may be on a node that has memory alone, or none. */
static int node_with_cpus(const struct cpu_facts *f, int node)
{
	for (size_t i = 0; i < f->n_nodes; i++)
		if (f->nodes[i].id == node)
			return node;
	return -1;
}

static void make(struct seats *s, struct cpu_plan *ret_plan)
{
	*ret_plan = (struct cpu_plan){ .sockets = 1 };
	s->plan = ret_plan;
	s->n_wanted = s->c->cpu.threads;
	set_bounds(s);
	seats_make(s);
	s->n_wanted = s->n_wanted ? s->n_wanted : seats_advise(s);
	ret_plan->n_vcpus = s->n_wanted;
	ret_plan->vcpus = mem_new((ret_plan->n_vcpus + 1) * sizeof(int));
	if (cpus_count(&s->placed) < (int)s->n_wanted) {
		overcommit(s);
	} else {
		choose_kind(s);
		seats_choose(s);
		shape(s);
	}
	ret_plan->numa_node = common_node(s);
	tell_nodes(s);
	place_emulator(s);
	set_host(s);
	seats_warn(s);
	seats_explain(s);
	seats_free(s);
}

void cpu_plan_make(const struct config *c, const struct cpu_facts *f, int gpu_node, const struct cpus *taken, const struct cpus *avoid,
		   struct cpu_plan *ret_plan)
{
	struct seats s = { .c = c, .f = f, .gpu_node = node_with_cpus(f, gpu_node), .taken = taken };
	make(&s, ret_plan);
	struct cpus wanted = avoid ? cpus_and(&ret_plan->all, avoid) : (struct cpus){};
	if (cpus_empty(&wanted))
		return;
	cleanup_cpu_plan struct cpu_plan without = {};
	make(&(struct seats){ .c = c, .f = f, .gpu_node = s.gpu_node, .taken = taken, .avoid = avoid, .advice = true }, &without);
	if (without.obstacle || without.overcommitted || (!c->cpu.threads && without.n_vcpus < ret_plan->n_vcpus / 2))
		return;
	without.left = wanted;
	struct cpu_plan with = *ret_plan;
	*ret_plan = without;
	without = with;
}

unsigned cpu_plan_threads(const struct cpu_facts *f, int gpu_node)
{
	struct config c = { .cpu = { .emulator_auto = true, .isolate = ISOLATE_PARTITION } };
	cleanup_cpu_plan struct cpu_plan p = {};
	cpu_plan_make(&c, f, gpu_node, NULL, NULL, &p);
	return p.n_vcpus;
}

void cpu_plan_free(struct cpu_plan *p)
{
	free(p->vcpus);
	for (size_t i = 0; i < p->n_nodes; i++)
		free(p->nodes[i].distance);
	free(p->nodes);
	free(p->why);
	free(p->obstacle);
	free(p->remedy);
	strv_free(&p->warnings);
	*p = (struct cpu_plan){};
}
