/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session: see session.h. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/bench/analysis.h"
#include "launcher/bench/fingerprint.h"
#include "launcher/bench/measure.h"
#include "launcher/bench/meeting.h"
#include "launcher/bench/records.h"
#include "launcher/bench/rounds.h"
#include "launcher/bench/session.h"
#include "launcher/bench/stats.h"
#include "launcher/config/config.h"
#include "qmp/line.h"

#define END_GRACE_MS 2000

struct session {
	struct root *root;
	const struct bench_plan *plan;
	json_t *fingerprint;
	char machine[256];          /* its host name */
	char **hashes;              /* measure_hash of each variant */
	json_t *programs;           /* workload: whose frames were said */
	bool *made;                 /* [rounds][variants]: what earlier sessions have recorded */
	char *id;                   /* of the file's records */
	bool redo_failed, any;      /* any: a run went well */
	bool warm;                  /* what warms up has run */
	size_t done, before, total; /* runs; before: of earlier sessions */
	int64_t begun;              /* clock_ms */
	struct err *failure;        /* of the last run that failed, not yet said */
};

/* Of what is in the file: whether it is of this plan and machine, and which runs need not be made. */
static struct err *take_record(void *data, json_t *record)
{
	struct session *s = data;
	const struct bench_plan *p = s->plan;
	const char *name = json_string_value(json_object_get(record, "variant"));
	const char *hash = json_string_value(json_object_get(json_object_get(record, "run"), "configuration"));
	size_t round = (size_t)json_integer_value(json_object_get(record, "round")), v = 0;
	while (v < p->n_variants && !streq(p->variants[v].name, name))
		v++;
	const char *id = json_string_value(json_object_get(record, "id"));
	if (s->id && !streq(s->id, id ? id : ""))
		return err_exit(
			err_hint(err_new("is of another run than the lines before it"), "move the file away: nothing can go on with it"),
			EXIT_USAGE);
	str_set(&s->id, id ? id : "");
	const char *other = v == p->n_variants                                                          ? _("variants")
			    : !streq(hash, s->hashes[v])                                                ? _("configuration or workloads")
			    : !streq(json_string_value(json_object_get(record, "machine")), s->machine) ? _("machine")
													: NULL;
	if (other)
		return err_exit(err_hint(err_new("is there already, with other %s", other), "move it away, or name another: --output FILE"),
				EXIT_USAGE);
	if (round < p->rounds)
		s->made[round * p->n_variants + v] = !json_object_get(record, "failed") || !s->redo_failed;
	return NULL;
}

static struct err *resume(struct session *s)
{
	const struct bench_plan *p = s->plan;
	bool cut = false;
	size_t made = 0, all = (size_t)p->rounds * p->n_variants;
	s->made = mem_new(all * sizeof(*s->made));
	s->hashes = mem_new(p->n_variants * sizeof(*s->hashes));
	for (size_t i = 0; i < p->n_variants; i++)
		s->hashes[i] = measure_hash(s->root, p, &p->variants[i]);
	if (!root_exists(s->root, p->output)) {
		s->id = records_new_id();
		return NULL;
	}
	TRY(records_each(s->root, p->output, take_record, s, &cut));
	if (cut)
		TRY(records_mend(s->root, p->output));
	for (size_t i = 0; i < all; i++)
		made += s->made[i];
	if (made == all)
		return err_exit(err_hint(err_new("%s is there already, with all runs of this plan", p->output),
					 "move it away, or name another: --output FILE; or --redo=failed"),
				EXIT_USAGE);
	log_info("%s: %zu of %zu runs are there already; it goes on", p->output, made, all);
	if (!s->id)
		s->id = records_new_id(); /* a file without a record */
	s->done = s->before = made;
	return NULL;
}

static struct err *check_configs(const struct bench_plan *p)
{
	for (size_t i = 0; i < p->n_variants; i++) {
		cleanup_config struct config *c = NULL;
		if (!p->variants[i].native)
			TRY(err_wrap(config_load(p->config, &p->variants[i].sets, &c), "variant %s", p->variants[i].name));
	}
	return NULL;
}

/* `failed`: why, or NULL with what was measured. */
static json_t *record_of(const struct session *s, const struct bench_variant *v, size_t round, const struct measured *m, const char *failed)
{
	const struct bench_plan *p = s->plan;
	cleanup_free char *sets = strv_join(&v->sets, " "), *why = str_printable(failed ? failed : "");
	json_t *record = json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:b, s:I, s:s, s:s, s:s, s:s, s:b, s:f, s:O}", "version",
				   RECORDS_VERSION, "id", s->id, "variant", v->name, "order", (json_int_t)(v - p->variants), "round",
				   (json_int_t)round, "rounds", (json_int_t)p->rounds, "early", p->early, "time", (json_int_t)time(NULL),
				   "machine", s->machine, "plan", p->path, "config", p->config ? p->config : "", "sets", sets, "native",
				   v->native, "margin", p->margin, "fingerprint", s->fingerprint);
	if (failed)
		json_object_set_new(record, "failed", json_string(why));
	json_object_set(record, "run", m->run);
	json_object_set(record, "measured", m->about);
	json_object_set(record, "metrics", m->metrics);
	return record;
}

/* Whose frames were taken, where a log says so: once, and again when it is another. */
static void say_programs(struct session *s, const json_t *about)
{
	const char *workload;
	json_t *one;
	json_object_foreach ((json_t *)about, workload, one) {
		const char *program = json_string_value(json_object_get(one, "program")),
			   *chain = json_string_value(json_object_get(one, "chain"));
		if (!program || streq(json_string_value(json_object_get(s->programs, workload)), program))
			continue;
		json_object_set_new(s->programs, workload, json_string(program));
		if (chain)
			log_info("%s: the frames of %s, swap chain %s", workload, program, chain);
		else
			log_info("%s: the frames of %s", workload, program);
	}
}

/* A run that failed is recorded, too. */
static struct err *record_failure(struct session *s, const struct bench_variant *v, size_t round, struct err *failure)
{
	const char *hash = s->hashes[v - s->plan->variants];
	struct measured m = { .metrics = json_object(), .about = json_object(), .run = json_pack("{s:s}", "configuration", hash) };
	struct err *e = round ? records_append(s->root, s->plan->output, record_of(s, v, round - 1, &m, err_text(failure))) : NULL;
	measured_free(&m);
	log_err(LOG_LEVEL_WARN, s->failure);
	s->failure = failure;
	return e;
}

/* "3 min left", by what the runs until now took. Owned by the caller. */
static char *time_left(const struct session *s)
{
	size_t own = s->done - s->before;
	if (!own)
		return str_dup("");
	int64_t left = (clock_ms() - s->begun) / (int64_t)own * (int64_t)(s->total - s->done) / 1000;
	return left >= 5400 ? tr_fmt(", %lld h left", (long long)((left + 1800) / 3600))
	       : left >= 90 ? tr_fmt(", %lld min left", (long long)((left + 30) / 60))
			    : tr_fmt(", %lld s left", (long long)left);
}

static struct err *run_one(struct session *s, const struct bench_variant *v, size_t round)
{
	cleanup_measured struct measured m = {};
	cleanup_free char *left = time_left(s);
	cleanup_free char *where = round ? tr_fmt("round %zu of %u%s", round, s->plan->rounds, left) : tr_fmt("warming up%s", left);
	if (!progress_begin("%s", v->name))
		log_info("%s: %s", v->name, where);
	progress_update(s->done, s->total, where);
	struct err *failure = err_wrap(measure(s->root, s->plan, v, &m), "variant %s", v->name);
	s->done++;
	if (failure) /* who ends us ends our programs, too, and perhaps first: what was cut off so is no run that failed */
		poll(NULL, 0, END_GRACE_MS);
	if (failure)
		return record_failure(s, v, round, failure);
	s->any = true;
	say_programs(s, m.about);
	return round ? records_append(s->root, s->plan->output, record_of(s, v, round - 1, &m, NULL)) : NULL;
}

static size_t runs_wanted(const struct session *s, size_t round)
{
	size_t wanted = 0;
	for (size_t i = 0; i < s->plan->n_variants; i++)
		wanted += !round || !s->made[(round - 1) * s->plan->n_variants + i];
	return wanted;
}

/*
 * Round 0 warms up: caches, the cache of QEMU's abilities, the clock. It is not recorded, and comes before the first run that is wanted. A
 * round of nothing but failures is the last one.
 */
static struct err *run_round(struct session *s, size_t round)
{
	const struct bench_plan *p = s->plan;
	cleanup_free size_t *order = mem_new(p->n_variants * sizeof(*order));
	size_t wanted = runs_wanted(s, round);
	if (wanted && !s->warm) {
		s->warm = true;
		TRY(run_round(s, 0));
	}
	s->any = false;
	stats_order(round, p->n_variants, order);
	for (size_t i = 0; wanted && i < p->n_variants; i++)
		if (!round || !s->made[(round - 1) * p->n_variants + order[i]])
			TRY(run_one(s, &p->variants[order[i]], round));
	struct err *last = s->failure;
	s->failure = NULL;
	if (wanted && !s->any)
		return err_wrap(last, "every run of this round failed");
	log_err(LOG_LEVEL_WARN, last);
	return NULL;
}

/* What the rounds until now say of how many are wanted; `rounds` of them. */
static struct err *say_rounds(struct session *s, size_t rounds)
{
	const struct bench_plan *p = s->plan;
	cleanup_summaries struct summaries all = {};
	cleanup_free char *text = NULL;
	if (rounds < ROUNDS_TO_ESTIMATE) {
		text = rounds_bear(p->rounds, p->effect);
	} else {
		TRY(summaries_read(s->root, p->output, &all));
		text = rounds_wanted(&all.v[0], p->rounds, p->effect);
	}
	if (text)
		log_info("%s", text);
	return NULL;
}

/* At a look of stats.h: whether nothing is left that more rounds could tell. */
static struct err *told_all(struct session *s, size_t rounds, bool *ret_told)
{
	cleanup_summaries struct summaries all = {};
	cleanup_analyses struct analyses a = {};
	*ret_told = false;
	if (!s->plan->early || !stats_is_look(rounds, s->plan->rounds) || !root_exists(s->root, s->plan->output))
		return NULL;
	TRY(summaries_read(s->root, s->plan->output, &all));
	analyses_make(&all.v[0], &a);
	*ret_told = all.v[0].rounds == rounds && !analyses_open(&a);
	if (*ret_told)
		log_info("after %zu of %u rounds nothing is left that cannot be told: it ends early", rounds, s->plan->rounds);
	return NULL;
}

/* Rounds of which all runs are there. */
static size_t rounds_made(const struct session *s)
{
	size_t n = 0;
	while (n < s->plan->rounds && !runs_wanted(s, n + 1))
		n++;
	return n;
}

/* What a bench that was killed has left. */
static void sweep(struct root *root)
{
	cleanup_user struct user user = {};
	cleanup_err struct err *unknown = user_find(NULL, &user);
	if (!unknown)
		meeting_sweep(root, meeting_base(&user));
}

static void session_free(struct session *s)
{
	for (size_t i = 0; s->hashes && i < s->plan->n_variants; i++)
		free(s->hashes[i]);
	free(s->hashes);
	free(s->made);
	free(s->id);
	json_decref(s->fingerprint);
	json_decref(s->programs);
	err_free(s->failure);
}

struct err *bench_session(struct root *root, const struct bench_plan *plan, bool redo_failed)
{
	cleanup(session_free) struct session s = { .root = root, .plan = plan, .redo_failed = redo_failed, .begun = clock_ms(),
						    .total = plan->n_variants * (plan->rounds + 1) };
	TRY(check_configs(plan));
	if (gethostname(s.machine, sizeof(s.machine) - 1) < 0)
		memcpy(s.machine, "?", 2);
	TRY(resume(&s));
	sweep(root);
	s.fingerprint = fingerprint_machine(root);
	s.programs = json_object();
	for (size_t i = 0; i < plan->n_workloads; i++)
		if (plan->workloads[i].adapter && plan->workloads[i].adapter->before)
			log_warn("%s: %s", plan->workloads[i].name, _(plan->workloads[i].adapter->before));
	size_t before = rounds_made(&s);
	bool told = false;
	struct err *e = say_rounds(&s, before);
	for (size_t round = 1; !e && !told && round <= plan->rounds; round++) {
		e = run_round(&s, round);
		if (!e && before < ROUNDS_TO_ESTIMATE && round == ROUNDS_TO_ESTIMATE && round < plan->rounds)
			e = say_rounds(&s, round);
		if (!e)
			e = told_all(&s, round, &told);
	}
	progress_end();
	return e;
}
