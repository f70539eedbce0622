/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_seats: see cpu_seats.h; the rules are cpu_plan.h's 1 to 3. First nodes, then the caches on them, then cores below those. */
#include <limits.h>
#include <stdlib.h>
#include "launcher/host/cpu/cpu_seats.h"

#define ANY_NODE (-1)

static int smt_of(const struct cpu_facts *f, enum cpu_kind kind)
{
	int most = 1;
	for (size_t i = 0; i < f->n_cores; i++)
		if ((kind == CPU_KINDS || f->cores[i].kind == kind) && f->cores[i].n_cpus > most)
			most = f->cores[i].n_cpus;
	return most;
}

void seats_make(struct seats *s)
{
	s->n = s->f->n_cores;
	s->v = mem_new((s->n + 1) * sizeof(*s->v));
	s->quotas = mem_new((s->f->n_l3s + 1) * sizeof(*s->quotas));
	s->nodes = mem_new((s->f->n_nodes + 1) * sizeof(*s->nodes));
	for (size_t i = 0; i < s->n; i++) {
		const struct cpu_core *core = s->v[i].core = &s->f->cores[i];
		for (int j = 0; j < core->n_cpus; j++)
			if (cpus_has(&s->placed, core->cpus[j]))
				s->v[i].cpus[s->v[i].n++] = core->cpus[j];
		s->v[i].whole = s->v[i].n == smt_of(s->f, core->kind);
	}
	seats_of_kind(s, CPU_KINDS);
}

void seats_of_kind(struct seats *s, enum cpu_kind kind)
{
	s->kind = kind;
	s->smt = smt_of(s->f, kind);
	for (size_t i = 0; i < s->n; i++)
		s->v[i].of_kind = kind == CPU_KINDS || s->v[i].core->kind == kind;
}

void seats_free(struct seats *s)
{
	free(s->v);
	free(s->quotas);
	free(s->nodes);
}

/* ---- orders ---- */

static int rank_of_node(const struct seats *s, int l3)
{
	int node = 0, i = 0;
	while (node < (int)s->f->n_nodes && s->f->nodes[node].id != s->f->l3s[l3].node)
		node++;
	while (i < (int)s->n_nodes && s->nodes[i] != node)
		i++;
	return i;
}

/* The order in which vCPUs are numbered: on one node together, below one cache together, P cores first. */
static int by_number(const void *a, const void *b, void *data)
{
	const struct cpu_core *x = ((const struct seat *)a)->core, *y = ((const struct seat *)b)->core;
	int node = rank_of_node(data, x->l3) - rank_of_node(data, y->l3);
	return node ? node : x->l3 != y->l3 ? x->l3 - y->l3 : x->kind != y->kind ? (int)x->kind - (int)y->kind : x->cpus[0] - y->cpus[0];
}

/* The order in which cores below one cache are taken: what the host does not use anyway, whole ones, CPU 0's at last. */
static int by_choice(const void *a, const void *b, void *data)
{
	const struct seat *x = a, *y = b;
	const struct seats *s = data;
	bool x_free = cpus_has(&s->f->isolated, x->core->cpus[0]), y_free = cpus_has(&s->f->isolated, y->core->cpus[0]);
	if (x->core->l3 != y->core->l3)
		return x->core->l3 - y->core->l3;
	if (x->core->kind != y->core->kind)
		return (int)x->core->kind - (int)y->core->kind;
	return x_free != y_free        ? y_free - x_free
	       : x->whole != y->whole  ? y->whole - x->whole
	       : x->core->cpus[0] == 0 ? 1
	       : y->core->cpus[0] == 0 ? -1
				       : x->core->cpus[0] - y->core->cpus[0];
}

static bool is_isolated(const struct seats *s, const struct cpu_l3 *l3)
{
	struct cpus both = cpus_and(&l3->cpus, &s->f->isolated);
	return !cpus_empty(&both);
}

static int by_worth(const void *a, const void *b, void *data)
{
	const struct seats *s = data;
	const struct cpu_l3 *x = &s->f->l3s[*(const int *)a], *y = &s->f->l3s[*(const int *)b];
	bool x0 = cpus_has(&x->cpus, 0), y0 = cpus_has(&y->cpus, 0), x_gpu = x->node == s->gpu_node, y_gpu = y->node == s->gpu_node;
	bool x_free = is_isolated(s, x), y_free = is_isolated(s, y);
	return x_gpu != y_gpu       ? y_gpu - x_gpu
	       : x_free != y_free   ? y_free - x_free
	       : x->size != y->size ? (x->size > y->size ? -1 : 1)
	       : x0 != y0           ? x0 - y0
				    : *(const int *)a - *(const int *)b;
}

/* ---- room ---- */

static unsigned room_below(const struct seats *s, int l3, bool whole)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += s->v[i].core->l3 == l3 && s->v[i].of_kind && (s->v[i].whole || !whole) ? (unsigned)s->v[i].n : 0;
	return n;
}

static unsigned room_on(const struct seats *s, int node, bool whole)
{
	unsigned n = 0;
	for (int i = 0; i < (int)s->f->n_l3s; i++)
		n += node == ANY_NODE || s->f->l3s[i].node == node ? room_below(s, i, whole) : 0;
	return n;
}

unsigned seats_room(const struct seats *s)
{
	return room_on(s, ANY_NODE, false);
}

/* The caches with room on `node`, best first. Returns how many. */
static size_t ranked(struct seats *s, int node, int *ret_order)
{
	size_t n = 0;
	for (int i = 0; i < (int)s->f->n_l3s; i++)
		if ((node == ANY_NODE || s->f->l3s[i].node == node) && room_below(s, i, false))
			ret_order[n++] = i;
	qsort_r(ret_order, n, sizeof(*ret_order), by_worth, s);
	return n;
}

/* ---- caches ---- */

/* Whether n fit as cores with as many threads each, the same number below each of the first k caches. */
static bool is_even(const struct seats *s, const int *order, size_t k, unsigned n)
{
	int threads = 0;
	if (!k || n % k)
		return false;
	for (size_t i = 0; i < k; i++) {
		unsigned left = n / (unsigned)k;
		for (size_t j = 0; j < s->n && left; j++) {
			const struct seat *seat = &s->v[j];
			if (seat->core->l3 != order[i] || !seat->n || !seat->of_kind)
				continue;
			if ((threads && seat->n != threads) || left < (unsigned)seat->n)
				return false;
			threads = seat->n;
			left -= (unsigned)seat->n;
		}
		if (left)
			return false;
	}
	return true;
}

/* One cache with room for n, for whole cores before all. */
static bool choose_one(struct seats *s, int node, unsigned n)
{
	cleanup_free int *order = mem_new((s->f->n_l3s + 1) * sizeof(*order));
	size_t n_order = ranked(s, node, order);
	for (int whole = 1; whole >= 0; whole--) {
		for (size_t i = 0; i < n_order; i++) {
			/* an odd vCPU may be on a half core */
			if (room_below(s, order[i], false) < n || (whole && room_below(s, order[i], true) < n - n % (unsigned)s->smt))
				continue;
			s->quotas[s->n_quotas++] = (struct quota){ order[i], n };
			return true;
		}
	}
	return false;
}

static int by_room(const void *a, const void *b, void *data)
{
	unsigned x = room_below(data, *(const int *)a, false), y = room_below(data, *(const int *)b, false);
	return x > y ? -1 : x < y;
}

/* Room below the k largest of the n caches. */
static unsigned largest(struct seats *s, const int *order, size_t n, size_t k)
{
	cleanup_free int *by_size = mem_new((n + 1) * sizeof(*by_size));
	unsigned room = 0;
	memcpy(by_size, order, n * sizeof(*order));
	qsort_r(by_size, n, sizeof(*by_size), by_room, s);
	for (size_t i = 0; i < k && i < n; i++)
		room += room_below(s, by_size[i], false);
	return room;
}

/* Puts the fewest caches that have room for n to the front of `order`, the best of those that do. Returns how many; 0: there is no room. */
static size_t fewest(struct seats *s, int *order, size_t n_order, unsigned n)
{
	size_t k = 1, taken = 0;
	unsigned room = 0;
	while (k <= n_order && largest(s, order, n_order, k) < n)
		k++;
	for (size_t i = 0; k <= n_order && i < n_order && taken < k; i++) {
		int cache = order[i];
		if (room + room_below(s, cache, false) + largest(s, &order[i + 1], n_order - i - 1, k - taken - 1) < n)
			continue;
		room += room_below(s, cache, false);
		memmove(&order[taken + 1], &order[taken], (i - taken) * sizeof(*order));
		order[taken++] = cache;
	}
	return taken;
}

/* Caches on `node` for n: one, or else the fewest, or one more where only that is even. False where there is no room. */
static bool choose_on(struct seats *s, int node, unsigned n)
{
	cleanup_free int *order = mem_new((s->f->n_l3s + 1) * sizeof(*order));
	unsigned left = n;
	if (choose_one(s, node, n))
		return true;
	size_t n_order = ranked(s, node, order), k = fewest(s, order, n_order, n);
	if (!k)
		return false;
	if (!is_even(s, order, k, n) && k < n_order && is_even(s, order, k + 1, n))
		k++;
	bool even = is_even(s, order, k, n);
	for (size_t i = 0; i < k; i++) {
		unsigned most = room_below(s, order[i], false), share = even ? n / (unsigned)k : most < left ? most : left;
		s->quotas[s->n_quotas++] = (struct quota){ order[i], share };
		left -= share;
	}
	return true;
}

/* ---- nodes ---- */

/* What a choice of nodes costs: the smaller the better, from left to right. */
struct cost {
	size_t nodes, packages;
	unsigned distance;
	bool cpu0;
};

static bool is_cheaper(const struct cost *a, const struct cost *b)
{
	return a->nodes != b->nodes         ? a->nodes < b->nodes
	       : a->packages != b->packages ? a->packages < b->packages
	       : a->distance != b->distance ? a->distance < b->distance
					    : a->cpu0 < b->cpu0;
}

/* From `start` on, always the nearest one, those of its package first, until there is room. */
static struct cost reach(const struct seats *s, int start, int *ret_nodes)
{
	const struct cpu_facts *f = s->f;
	struct cost cost = { .packages = 1 };
	cleanup_free bool *used = mem_new(f->n_nodes + 1);
	for (unsigned room = 0; room < s->n_wanted && cost.nodes < f->n_nodes;) {
		int best = -1;
		unsigned best_far = UINT_MAX;
		for (int i = 0; i < (int)f->n_nodes; i++) {
			unsigned far =
				cpu_distance(f, (size_t)start, (size_t)i) + (f->nodes[i].package == f->nodes[start].package ? 0 : 256);
			if (!used[i] && (room_on(s, f->nodes[i].id, false) || i == start) && (i == start ? 0 : far) < best_far)
				best = i, best_far = i == start ? 0 : far;
		}
		if (best < 0)
			break;
		used[best] = true;
		ret_nodes[cost.nodes++] = best;
		room += room_on(s, f->nodes[best].id, false);
		cost.distance += cpu_distance(f, (size_t)start, (size_t)best);
		cost.packages += f->nodes[best].package != f->nodes[start].package;
		cost.cpu0 |= cpus_has(&f->nodes[best].cpus, 0);
	}
	return cost;
}

/* vCPUs of the k-th of the chosen nodes: as even as whole cores are where each has room for that, else as many as it has. */
static unsigned share_of(const struct seats *s, size_t k, unsigned left)
{
	unsigned smt = (unsigned)s->smt, nodes = (unsigned)s->n_nodes, each = (s->n_wanted + nodes * smt - 1) / (nodes * smt) * smt;
	bool room = true;
	for (size_t i = 0; i < s->n_nodes; i++)
		room = room && room_on(s, s->f->nodes[s->nodes[i]].id, false) >= each;
	unsigned most = room ? each : room_on(s, s->f->nodes[s->nodes[k]].id, false);
	return most < left ? most : left;
}

static void choose_nodes(struct seats *s)
{
	struct cost best = { .nodes = SIZE_MAX };
	cleanup_free int *nodes = mem_new((s->f->n_nodes + 1) * sizeof(*nodes));
	for (int i = 0; i < (int)s->f->n_nodes; i++) {
		if (s->gpu_node >= 0 && s->f->nodes[i].id != s->gpu_node)
			continue;
		struct cost cost = reach(s, i, nodes);
		if (!is_cheaper(&cost, &best))
			continue;
		best = cost;
		memcpy(s->nodes, nodes, cost.nodes * sizeof(*nodes));
		s->n_nodes = cost.nodes;
	}
	unsigned left = s->n_wanted;
	for (size_t i = 0; i < s->n_nodes; i++) {
		unsigned share = share_of(s, i, left);
		if (share)
			choose_on(s, s->f->nodes[s->nodes[i]].id, share);
		left -= share;
	}
}

/* The GPU's node before all; else one cache anywhere, else one node, the one of CPU 0 last; else the nearest nodes. */
static void choose_l3s(struct seats *s)
{
	if (s->gpu_node >= 0 ? choose_on(s, s->gpu_node, s->n_wanted) : choose_one(s, ANY_NODE, s->n_wanted))
		return;
	for (size_t i = s->f->n_nodes; s->gpu_node < 0 && i-- > 0;)
		if (choose_on(s, s->f->nodes[i].id, s->n_wanted))
			return;
	choose_nodes(s);
}

/* ---- cores ---- */

/* A rest that no whole core is needed for goes to a half one, where there is one. */
static void take(struct seats *s, int l3, unsigned left)
{
	for (size_t i = 0; i < s->n && left; i++) {
		struct seat *seat = &s->v[i];
		if (seat->core->l3 != l3 || !seat->of_kind)
			continue;
		for (size_t k = i; left < (unsigned)seat->n && k < s->n; k++)
			if (s->v[k].core->l3 == l3 && s->v[k].of_kind && s->v[k].n == (int)left)
				seat = &s->v[k];
		seat->taken = (unsigned)seat->n < left ? seat->n : (int)left;
		left -= (unsigned)seat->taken;
	}
}

static bool is_like_the_first(const struct seats *s)
{
	int threads = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].taken && threads && s->v[i].taken != threads)
			return false;
		threads = s->v[i].taken ? s->v[i].taken : threads;
	}
	for (size_t i = 1; i < s->n_quotas; i++)
		if (s->quotas[i].n != s->quotas[0].n)
			return false;
	return true;
}

void seats_choose(struct seats *s)
{
	unsigned n = 0;
	qsort_r(s->v, s->n, sizeof(*s->v), by_choice, s);
	choose_l3s(s);
	for (size_t i = 0; i < s->n_quotas; i++)
		take(s, s->quotas[i].l3, s->quotas[i].n);
	s->even = is_like_the_first(s);
	qsort_r(s->v, s->n, sizeof(*s->v), by_number, s);
	for (size_t i = 0; i < s->n; i++) {
		for (int j = 0; j < s->v[i].taken; j++) {
			s->plan->vcpus[n++] = s->v[i].cpus[j];
			cpus_add(&s->plan->guest, s->v[i].cpus[j]);
		}
	}
}

/* ---- how many ---- */

/* Cores that the guest may have below `l3` (ANY_NODE: everywhere) or on `node`: whole ones or, where there are none, others. */
static unsigned cores_of(const struct seats *s, int l3, int node)
{
	unsigned whole = 0, any = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct seat *seat = &s->v[i];
		if (!seat->of_kind || !seat->n || (l3 >= 0 && seat->core->l3 != l3) ||
		    (node >= 0 && s->f->l3s[seat->core->l3].node != node))
			continue;
		any++;
		whole += seat->whole;
	}
	return whole ? whole : any;
}

/* Cores of which nothing is the guest's, if it gets `cores`. */
static unsigned others(const struct seats *s, unsigned cores)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->n; i++) {
		bool free = s->v[i].core->n_cpus > 0;
		for (int j = 0; j < s->v[i].core->n_cpus; j++)
			free = free && cpus_has(&s->usable, s->v[i].core->cpus[j]);
		n += free;
	}
	return n > cores ? n - cores : 0;
}

unsigned seats_advise(struct seats *s)
{
	cleanup_free int *order = mem_new((s->f->n_l3s + 1) * sizeof(*order));
	bool listed = s->c->cpu.place == PLACE_CPUS;
	seats_of_kind(s, CPU_KINDS);
	for (int kind = CPU_P; !listed && kind < CPU_KINDS && s->kind == CPU_KINDS; kind++) {
		seats_of_kind(s, kind);
		if (!seats_room(s))
			seats_of_kind(s, CPU_KINDS);
	}
	size_t n = ranked(s, ANY_NODE, order);
	if (!n)
		return 1;
	unsigned cores = cores_of(s, listed ? ANY_NODE : order[0], ANY_NODE), on_node = cores_of(s, ANY_NODE, s->f->l3s[order[0]].node);
	for (size_t i = 1; !listed && i < n; i++) /* of a cache that others have a part of, the next may have more */
		if (s->f->l3s[order[i]].size == s->f->l3s[order[0]].size &&
		    (s->f->l3s[order[i]].node == s->gpu_node) == (s->f->l3s[order[0]].node == s->gpu_node) &&
		    cores_of(s, order[i], ANY_NODE) > cores)
			cores = cores_of(s, order[i], ANY_NODE);
	if (!listed && cores < 4 && on_node > cores) /* small caches: half of the cores, below several */
		cores = on_node / 2 > cores ? on_node / 2 : cores;
	unsigned left = others(s, cores), needed = s->c->cpu.emulator_auto ? 2 : 1;
	if (left < needed && cores > 1)
		cores -= left == 0 && needed == 2 && cores <= 4 ? 1 : needed - left < cores ? needed - left : cores - 1;
	unsigned room = seats_room(s), threads = cores * (unsigned)s->smt;
	return threads < room ? threads : room;
}

struct cpus seats_core_cpus(const struct cpu_core *core)
{
	struct cpus set = {};
	for (int i = 0; i < core->n_cpus; i++)
		cpus_add(&set, core->cpus[i]);
	return set;
}

bool seats_many_nodes(const struct seats *s)
{
	return s->f->n_nodes > 1;
}
