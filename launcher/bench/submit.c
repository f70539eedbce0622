/* SPDX-License-Identifier: GPL-2.0-or-later */
/* submit: see submit.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/clock.h"
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/bench/program.h"
#include "launcher/bench/records.h"
#include "launcher/bench/submit.h"
#include "qmp/line.h"

#define SCRIPT "#!/bin/sh\n# qlaunch bench submit: one machine of many. QLAUNCH FOLDER PLAN\n" \
	       "exec \"$1\" bench --quiet --output=\"$2/$SLURM_ARRAY_TASK_ID.jsonl\" \"$3\"\n"
#define LOOK_MS 5000 /* between two looks how many records there are */

static char *jobs_of(const struct bench_plan *p)
{
	return str_fmt("%s.jobs", p->output);
}

static char *records_of(const struct bench_plan *p, unsigned task)
{
	return str_fmt("%s.jobs/%u.jsonl", p->output, task);
}

static void sbatch_argv(const struct bench_plan *p, const char *jobs, const char *program, const char *plan, struct strv *argv)
{
	strv_add(argv, "sbatch");
	strv_add(argv, "--parsable");
	strv_add(argv, "--wait");
	strv_add(argv, "--nodes=1");
	strv_add(argv, "--exclusive"); /* nothing else runs beside what is measured */
	strv_add(argv, "--job-name=qlaunch-bench");
	strv_addf(argv, "--array=0-%u", p->machines - 1);
	strv_addf(argv, "--output=%s/%%a.log", jobs);
	for (size_t i = 0; i < p->sbatch.n; i++)
		strv_add(argv, p->sbatch.v[i]);
	strv_addf(argv, "%s/job", jobs);
	strv_add(argv, program);
	strv_add(argv, jobs);
	strv_add(argv, plan);
}

/* Lines of all tasks' records. */
static size_t lines_until_now(struct root *root, const struct bench_plan *p)
{
	size_t lines = 0;
	for (unsigned task = 0; task < p->machines; task++) {
		cleanup_free char *path = records_of(p, task), *text = root_read_or(root, path, "");
		for (const char *c = text; *c; c++)
			lines += *c == '\n';
		lines += *text ? 1 : 0; /* the last newline is not in it */
	}
	return lines;
}

/* Until the array has ended: sbatch --wait tells. */
static struct err *await_end(struct root *root, const struct bench_plan *p, struct program *sbatch)
{
	size_t total = (size_t)p->machines * p->rounds * p->n_variants;
	bool said = false;
	cleanup_progress bool shown = progress_begin("%u machines", p->machines);
	while (!sbatch->ended) {
		program_wait(sbatch, -1, clock_ms() + LOOK_MS);
		if (!said && sbatch->said.s && strchr(sbatch->said.s, '\n')) {
			said = true;
			log_info("job %.*s of Slurm; whatever happens here it goes on: qlaunch bench gather %s",
				 (int)strcspn(sbatch->said.s, ";\n"), sbatch->said.s, p->path);
		}
		size_t lines = shown ? lines_until_now(root, p) : 0;
		cleanup_free char *detail = str_fmt("%zu of %zu runs", lines, total);
		progress_update(lines, total, detail);
	}
	/* not submitted, or a task that failed: which one is seen by what it left */
	return said ? NULL : program_result(sbatch);
}

struct err *bench_submit(struct root *root, const struct bench_plan *plan, const char *program)
{
	cleanup_free char *sbatch = child_find("sbatch"), *jobs = jobs_of(plan), *script = str_fmt("%s/job", jobs), *real = NULL;
	cleanup_strv struct strv argv = {};
	cleanup_program struct program p = PROGRAM_INIT;
	if (!sbatch)
		return err_exit(err_hint(err_new("there is no sbatch here"),
					 "Slurm's client: apt install slurm-client, on a machine of the cluster"),
				EXIT_HOST);
	if (root_exists(root, plan->output) || root_exists(root, jobs))
		return err_exit(err_hint(err_new("%s or its folder .jobs is there already", plan->output), "move both away"), EXIT_USAGE);
	real = realpath(plan->path, NULL);
	if (!real)
		return err_errno(errno, "%s", plan->path);
	TRY(root_mkdir(root, jobs, 0755));
	TRY(root_put(root, script, SCRIPT, 0755));
	sbatch_argv(plan, jobs, program, real, &argv);
	struct err *e = program_start(&p, (const char *const *)argv.v);
	if (!e)
		e = await_end(root, plan, &p);
	if (!e)
		return bench_gather(root, plan);
	err_free(root_unlink(root, script)); /* nothing was submitted: the next try begins from nothing */
	err_free(root_rmdir(root, jobs));
	return err_exit(e, EXIT_HOST);
}

static void say_failure(struct root *root, const struct bench_plan *p, unsigned task)
{
	cleanup_free char *path = str_fmt("%s.jobs/%u.log", p->output, task), *text = root_read_or(root, path, "");
	const char *last = strrchr(text, '\n');
	log_warn("task %u has no records: %s", task, *text ? (last ? last + 1 : text) : _("nothing was said; is it still waiting?"));
}

/* Where one task's records go, its rounds after those that are there. */
struct gathering {
	struct root *root;
	const char *output;
	size_t before, rounds, n; /* rounds before it, and its own; its records */
};

static struct err *take_record(void *data, json_t *record)
{
	struct gathering *g = data;
	size_t round = (size_t)json_integer_value(json_object_get(record, "round"));
	json_object_set_new(record, "round", json_integer((json_int_t)round + (json_int_t)g->before));
	g->rounds = round + 1 > g->rounds ? round + 1 : g->rounds;
	g->n++;
	return records_append(g->root, g->output, json_incref(record));
}

static struct err *gather_one(struct root *root, const struct bench_plan *p, unsigned task, size_t *rounds)
{
	cleanup_free char *path = records_of(p, task);
	struct gathering g = { root, p->output, *rounds, 0, 0 };
	bool cut;
	if (!root_exists(root, path)) {
		say_failure(root, p, task);
		return NULL;
	}
	TRY(records_each(root, path, take_record, &g, &cut));
	size_t expected = (size_t)p->rounds * p->n_variants;
	if (g.n < expected)
		log_warn("task %u did not come to its end: %zu of %zu runs", task, g.n, expected);
	*rounds += g.rounds;
	return NULL;
}

struct err *bench_gather(struct root *root, const struct bench_plan *plan)
{
	size_t rounds = 0;
	if (root_exists(root, plan->output))
		return err_exit(err_hint(err_new("%s is there already", plan->output), "move it away"), EXIT_USAGE);
	for (unsigned task = 0; task < plan->machines; task++)
		TRY(gather_one(root, plan, task, &rounds));
	return rounds ? NULL : err_hint(err_new("no task has left a record"), "look at %s.jobs/*.log", plan->output);
}
