/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session: see session.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/bench/records.h"
#include "launcher/bench/session.h"
#include "launcher/bench/stats.h"

#define SELF "/proc/self/exe"
#define RESTORE_LIMIT_MS 60000

/* The name that the machine has here: beside one that runs under its own. */
static char *machine_name(void)
{
	return str_fmt("bench-%d", (int)getpid());
}

static void machine_argv(const struct bench_plan *p, const struct bench_variant *v, struct strv *argv)
{
	cleanup_free char *name = machine_name(), *words = strv_join(&p->workloads, ",");
	strv_add(argv, SELF);
	strv_add(argv, "run");
	strv_add(argv, "--quiet");
	strv_addf(argv, "--set=vm.name=%s", name);
	strv_add(argv, "--set=console.serial=stdio");
	strv_addf(argv, "--set=boot.cmdline=console=ttyS0 quiet bench=%s", words);
	for (size_t i = 0; i < v->sets.n; i++)
		strv_add(argv, v->sets.v[i]);
	strv_add(argv, p->config);
}

static void native_argv(const struct bench_plan *p, struct strv *argv)
{
	strv_add(argv, p->guest);
	for (size_t i = 0; i < p->workloads.n; i++)
		strv_add(argv, p->workloads.v[i]);
}

/* A launcher that ran out of time was killed: what it left is undone before the next. */
static void clean_up(void)
{
	cleanup_free char *name = machine_name(), *said = NULL;
	const char *const argv[] = { SELF, "restore", "--quiet", name, NULL };
	log_err(LOG_LEVEL_WARN, child_output(argv, RESTORE_LIMIT_MS, &said));
}

static struct err *run_variant(const struct bench_plan *p, const struct bench_variant *v, json_t **ret_metrics)
{
	cleanup_strv struct strv argv = {};
	cleanup_free char *said = NULL;
	if (v->native)
		native_argv(p, &argv);
	else
		machine_argv(p, v, &argv);
	struct err *e = child_output((const char *const *)argv.v, (int)(p->limit_s * 1000), &said);
	if (e && !v->native)
		clean_up();
	return err_wrap(e ? e : records_metrics(said, ret_metrics), "variant %s", v->name);
}

static json_t *record_of(const struct bench_plan *p, const struct bench_variant *v, size_t round, json_t *fingerprint, json_t *metrics)
{
	cleanup_free char *sets = strv_join(&v->sets, " ");
	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:b, s:O, s:o}", "variant", v->name, "order",
			 (json_int_t)(v - p->variants), "round", (json_int_t)round, "time", (json_int_t)time(NULL), "config", p->config, "sets",
			 sets, "native", v->native, "fingerprint", fingerprint, "metrics", metrics);
}

/* Round 0 warms up: caches, the cache of QEMU's abilities, the clock. It is not recorded. */
static struct err *run_round(struct root *root, const struct bench_plan *p, size_t round, json_t *fingerprint)
{
	cleanup_free size_t *order = mem_new(p->n_variants * sizeof(*order));
	stats_order(round, p->n_variants, order);
	for (size_t i = 0; i < p->n_variants; i++) {
		const struct bench_variant *v = &p->variants[order[i]];
		json_t *metrics = NULL;
		log_info("round %zu of %u: %s", round, p->rounds, v->name);
		TRY(run_variant(p, v, &metrics));
		if (round == 0)
			json_decref(metrics);
		else
			TRY(records_append(root, p->output, record_of(p, v, round - 1, fingerprint, metrics)));
	}
	return NULL;
}

struct err *bench_session(struct root *root, const struct bench_plan *plan)
{
	if (root_exists(root, plan->output))
		return err_exit(err_hint(err_new("%s is there already", plan->output), "move it away, or name another output in the plan"), EXIT_USAGE);
	json_t *fingerprint = records_fingerprint(root);
	struct err *e = NULL;
	for (size_t round = 0; !e && round <= plan->rounds; round++)
		e = run_round(root, plan, round, fingerprint);
	json_decref(fingerprint);
	return e;
}
