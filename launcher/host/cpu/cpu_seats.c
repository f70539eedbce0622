/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_seats: see cpu_seats.h; the rules are cpu_plan.h's 1 and 2. */
#include <stdlib.h>
#include "launcher/host/cpu/cpu_seats.h"

#define ANY_NODE (-1)

void seats_make(struct seats *s)
{
	s->n = s->f->n_cores;
	s->v = mem_new((s->n + 1) * sizeof(*s->v));
	for (size_t i = 0; i < s->n; i++) {
		const struct cpu_core *core = s->v[i].core = &s->f->cores[i];
		for (int j = 0; j < core->n_cpus; j++)
			if (cpus_has(&s->placed, core->cpus[j]))
				s->v[i].cpus[s->v[i].n++] = core->cpus[j];
		s->many_nodes = s->many_nodes || s->f->l3s[core->l3].node != s->f->l3s[0].node;
	}
}

void seats_free(struct seats *s)
{
	free(s->v);
	free(s->l3s);
}

bool seats_use_l3(const struct seats *s, int l3)
{
	for (size_t i = 0; i < s->n_l3s; i++)
		if (s->l3s[i] == l3)
			return true;
	return false;
}

/* The order in which vCPUs are numbered: below one cache together, P cores first. */
static int by_number(const void *a, const void *b)
{
	const struct cpu_core *x = ((const struct seat *)a)->core, *y = ((const struct seat *)b)->core;
	return x->l3 != y->l3		? x->l3 - y->l3
	       : x->e_core != y->e_core ? x->e_core - y->e_core
					: x->cpus[0] - y->cpus[0];
}

/* The order in which cores are taken: the same, but CPU 0's comes last of its kind. */
static int by_choice(const void *a, const void *b)
{
	const struct cpu_core *x = ((const struct seat *)a)->core, *y = ((const struct seat *)b)->core;
	bool same = x->l3 == y->l3 && x->e_core == y->e_core;
	return same && x->cpus[0] == 0 ? 1 : same && y->cpus[0] == 0 ? -1 : by_number(a, b);
}

static unsigned room_below(const struct seats *s, int l3)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += s->v[i].core->l3 == l3 ? (unsigned)s->v[i].n : 0;
	return n;
}

static int by_worth(const void *a, const void *b, void *data)
{
	const struct seats *s = data;
	const struct cpu_l3 *x = &s->f->l3s[*(const int *)a], *y = &s->f->l3s[*(const int *)b];
	bool x0 = cpus_has(&x->cpus, 0), y0 = cpus_has(&y->cpus, 0), x_gpu = x->node == s->gpu_node,
	     y_gpu = y->node == s->gpu_node;
	return x_gpu != y_gpu	    ? y_gpu - x_gpu
	       : x->size != y->size ? (x->size > y->size ? -1 : 1)
	       : x0 != y0	    ? x0 - y0
				    : *(const int *)a - *(const int *)b;
}

/* The caches with room on `node`, best first. Returns how many. */
static size_t ranked(struct seats *s, int node, int *ret_order)
{
	size_t n = 0;
	for (int i = 0; i < (int)s->f->n_l3s; i++)
		if ((node == ANY_NODE || s->f->l3s[i].node == node) && room_below(s, i))
			ret_order[n++] = i;
	qsort_r(ret_order, n, sizeof(*ret_order), by_worth, s);
	return n;
}

/* Whether n_wanted fit as whole cores of one size, the same number below each of the first k caches. */
static bool is_even(const struct seats *s, const int *order, size_t k)
{
	int threads = 0;
	if (!k || s->n_wanted % k)
		return false;
	for (size_t i = 0; i < k; i++) {
		unsigned left = s->n_wanted / (unsigned)k;
		for (size_t j = 0; j < s->n && left; j++) {
			const struct seat *seat = &s->v[j];
			if (seat->core->l3 != order[i] || !seat->n)
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

/* One cache with room for all; NULL where there is none. */
static const int *fits_one(const struct seats *s, const int *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (room_below(s, order[i]) >= s->n_wanted)
			return &order[i];
	return NULL;
}

static void use(struct seats *s, const int *order, size_t k, bool even)
{
	memcpy(s->l3s, order, k * sizeof(*order));
	s->n_l3s = k;
	s->even = even;
}

/* Chooses caches on `node`: one, or else, if `many`, the fewest, or one more where only that is even. False where there
 * is no room. */
static bool choose_on(struct seats *s, int node, bool many)
{
	cleanup_free int *order = mem_new((s->f->n_l3s + 1) * sizeof(*order));
	size_t n = ranked(s, node, order), k = 0;
	const int *one = fits_one(s, order, n);
	unsigned room = 0;
	if (one) {
		use(s, one, 1, true);
		return true;
	}
	while (many && k < n && room < s->n_wanted)
		room += room_below(s, order[k++]);
	if (!many || room < s->n_wanted)
		return false;
	if (!is_even(s, order, k) && k < n && is_even(s, order, k + 1))
		k++;
	use(s, order, k, is_even(s, order, k));
	return true;
}

/* The GPU's node before all; else one cache anywhere, else one node, the one of CPU 0 last; else all of them. */
static void choose_l3s(struct seats *s)
{
	int last = 0;
	for (size_t i = 0; i < s->f->n_l3s; i++)
		last = s->f->l3s[i].node > last ? s->f->l3s[i].node : last;
	if ((s->gpu_node >= 0 && choose_on(s, s->gpu_node, true)) || choose_on(s, ANY_NODE, false))
		return;
	for (int node = last; node >= 0; node--)
		if (choose_on(s, node, true))
			return;
	choose_on(s, ANY_NODE, true);
}

static unsigned take(struct seats *s, int l3, unsigned wanted)
{
	unsigned left = wanted;
	for (size_t i = 0; i < s->n && left; i++) {
		struct seat *seat = &s->v[i];
		if (seat->core->l3 != l3)
			continue;
		seat->taken = (unsigned)seat->n < left ? seat->n : (int)left;
		left -= (unsigned)seat->taken;
	}
	return wanted - left;
}

void seats_choose(struct seats *s)
{
	unsigned left = s->n_wanted, n = 0;
	s->l3s = mem_new((s->f->n_l3s + 1) * sizeof(*s->l3s));
	qsort(s->v, s->n, sizeof(*s->v), by_choice);
	choose_l3s(s);
	for (size_t i = 0; i < s->n_l3s; i++)
		left -= take(s, s->l3s[i], s->even ? s->n_wanted / (unsigned)s->n_l3s : left);
	qsort(s->v, s->n, sizeof(*s->v), by_number);
	for (size_t i = 0; i < s->n; i++) {
		for (int j = 0; j < s->v[i].taken; j++) {
			s->plan->vcpus[n++] = s->v[i].cpus[j];
			cpus_add(&s->plan->guest, s->v[i].cpus[j]);
		}
	}
}
