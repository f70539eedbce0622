/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session: see session.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/bench/fingerprint.h"
#include "launcher/bench/measure.h"
#include "launcher/bench/meeting.h"
#include "launcher/bench/records.h"
#include "launcher/bench/session.h"
#include "launcher/bench/stats.h"
#include "launcher/config/config.h"
#include "qmp/line.h"

struct session {
	struct root *root;
	const struct bench_plan *plan;
	json_t *fingerprint;
	char machine[256]; /* its host name */
	size_t done, total;
	int64_t begun; /* clock_ms */
};

static struct err *check_configs(const struct bench_plan *p)
{
	for (size_t i = 0; i < p->n_variants; i++) {
		cleanup_config struct config *c = NULL;
		if (!p->variants[i].native)
			TRY(err_wrap(config_load(p->config, &p->variants[i].sets, &c), "variant %s", p->variants[i].name));
	}
	return NULL;
}

static json_t *record_of(const struct session *s, const struct bench_variant *v, size_t round, const struct measured *m)
{
	const struct bench_plan *p = s->plan;
	cleanup_free char *sets = strv_join(&v->sets, " ");
	return json_pack("{s:i, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:f, s:O, s:O, s:O}", "version", RECORDS_VERSION, "variant", v->name, "order",
			 (json_int_t)(v - p->variants), "round", (json_int_t)round, "time", (json_int_t)time(NULL), "machine", s->machine,
			 "config", p->config ? p->config : "", "sets", sets, "native", v->native, "margin", p->margin, "fingerprint", s->fingerprint, "run", m->run,
			 "metrics", m->metrics);
}

/* "3 min left", by what the runs until now took. Owned by the caller. */
static char *time_left(const struct session *s)
{
	if (!s->done)
		return str_dup("");
	int64_t left = (clock_ms() - s->begun) / (int64_t)s->done * (int64_t)(s->total - s->done) / 1000;
	return left >= 5400 ? str_fmt(", %lld h left", (long long)((left + 1800) / 3600))
	       : left >= 90 ? str_fmt(", %lld min left", (long long)((left + 30) / 60))
			    : str_fmt(", %lld s left", (long long)left);
}

static struct err *run_one(struct session *s, const struct bench_variant *v, size_t round)
{
	cleanup_measured struct measured m = {};
	cleanup_free char *left = time_left(s);
	cleanup_free char *where = round ? str_fmt("round %zu of %u%s", round, s->plan->rounds, left) : str_fmt("warming up%s", left);
	if (!progress_begin("%s", v->name))
		log_info("%s: %s", v->name, where);
	progress_update(s->done, s->total, where);
	TRY(err_wrap(measure(s->root, s->plan, v, &m), "variant %s", v->name));
	s->done++;
	return round ? records_append(s->root, s->plan->output, record_of(s, v, round - 1, &m)) : NULL;
}

/* Round 0 warms up: caches, the cache of QEMU's abilities, the clock. It is not recorded. */
static struct err *run_round(struct session *s, size_t round)
{
	const struct bench_plan *p = s->plan;
	cleanup_free size_t *order = mem_new(p->n_variants * sizeof(*order));
	stats_order(round, p->n_variants, order);
	for (size_t i = 0; i < p->n_variants; i++)
		TRY(run_one(s, &p->variants[order[i]], round));
	return NULL;
}

/* What a bench that was killed has left. */
static void sweep(struct root *root)
{
	cleanup_user struct user user = {};
	cleanup_err struct err *unknown = user_find(NULL, &user);
	if (!unknown)
		meeting_sweep(root, meeting_base(&user));
}

struct err *bench_session(struct root *root, const struct bench_plan *plan)
{
	struct session s = { .root = root, .plan = plan, .total = plan->n_variants * (plan->rounds + 1), .begun = clock_ms() };
	TRY(check_configs(plan));
	if (root_exists(root, plan->output))
		return err_exit(err_hint(err_new("%s is there already", plan->output), "move it away, or name another: --output FILE"), EXIT_USAGE);
	if (gethostname(s.machine, sizeof(s.machine) - 1) < 0)
		memcpy(s.machine, "?", 2);
	sweep(root);
	s.fingerprint = fingerprint_machine(root);
	struct err *e = NULL;
	for (size_t round = 0; !e && round <= plan->rounds; round++)
		e = run_round(&s, round);
	progress_end();
	json_decref(s.fingerprint);
	return e;
}
