/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rounds: see rounds.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/bench/libm.h"
#include "launcher/bench/rounds.h"
#include "launcher/bench/stats.h"

#define NAMED 4
#define MOST 1000 /* stats_rounds() counts no further: ">1000" */

double rounds_noise(const struct summary *s, const struct summary_metric *m)
{
	double squares = 0;
	size_t free_values = 0;
	for (size_t v = 1; v < s->n_variants; v++) {
		const struct summary_column *a = &m->columns[0], *b = &m->columns[v];
		double sum = 0, of_squares = 0;
		size_t n = 0;
		for (size_t i = 0; i < a->n && i < b->n; i++) {
			if (!(a->v[i] > 0) || !(b->v[i] > 0) || !isfinite(a->v[i]) || !isfinite(b->v[i]))
				continue;
			double d = libm()->log(b->v[i] / a->v[i]);
			sum += d;
			of_squares += d * d;
			n++;
		}
		if (n < 2)
			continue;
		squares += of_squares - sum * sum / (double)n;
		free_values += n - 1;
	}
	/* a pair's number has the noise of two runs */
	return free_values ? libm()->sqrt(libm()->fmax(squares, 0) / (double)free_values / 2) : NAN;
}

struct want {
	const char *name;
	size_t rounds;
};

static int most_first(const void *a, const void *b)
{
	const struct want *x = a, *y = b;
	return (x->rounds < y->rounds) - (x->rounds > y->rounds);
}

char *rounds_wanted(const struct summary *s, size_t planned, double effect)
{
	cleanup_free struct want *wants = mem_new((s->n_metrics + 1) * sizeof(*wants));
	cleanup_strv struct strv names = {};
	size_t known = 0, enough = 0;
	for (size_t i = 0; i < s->n_metrics; i++) {
		double noise = rounds_noise(s, &s->metrics[i]);
		if (!isfinite(noise))
			continue;
		wants[known] = (struct want){ s->metrics[i].name, stats_rounds(noise, effect, s->n_metrics) };
		enough += wants[known++].rounds <= planned;
	}
	if (!known)
		return NULL;
	qsort(wants, known, sizeof(*wants), most_first);
	for (size_t i = 0; i < known - enough && i < NAMED; i++)
		strv_addf(&names, wants[i].rounds >= MOST ? "%s >%zu" : "%s %zu", wants[i].name, wants[i].rounds);
	cleanup_free char *list = strv_join(&names, ", ");
	if (enough == known)
		return tr_fmt("by the noise until now these %zu rounds are enough to see %g %% in all %zu metrics (the noisiest wants %zu)",
			      planned, effect * 100, known, wants[0].rounds);
	return tr_fmt("by the noise until now these %zu rounds are enough to see %g %% in %zu of %zu metrics; others want more: %s%s",
		      planned, effect * 100, enough, known, list, known - enough > NAMED ? ", …" : "");
}

char *rounds_bear(size_t planned, double effect)
{
	double noise = stats_noise(planned, effect);
	if (!(noise > 0))
		return tr_fmt("%zu rounds tell nothing for sure: at least %d are needed", planned, STATS_ROUNDS_MIN);
	return tr_fmt("%zu rounds show an effect of %g %% where a run's noise is at most %.2g %%, in four of five cases", planned,
		      effect * 100, noise * 100);
}
