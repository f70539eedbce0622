/* SPDX-License-Identifier: GPL-2.0-or-later */
/* submit: see submit.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/bench/gather.h"
#include "launcher/bench/program.h"
#include "launcher/bench/submit.h"
#include "qmp/line.h"

#define SCRIPT                                                                                                              \
	"#!/bin/sh\n# qlaunch bench submit: one machine of many. QLAUNCH FOLDER PLAN FIRST [OPTION]\n"                      \
	"task=$(($4 + SLURM_ARRAY_TASK_ID))\nexec >>\"$2/$task.log\" 2>&1\n"                                               \
	"exec \"$1\" bench --quiet $5 --output=\"$2/$task.$SLURMD_NODENAME.jsonl\" \"$3\"\n"
#define LOOK_MS 5000 /* between two looks how many records there are */
#define CONFIG_LIMIT_MS 20000
#define ARRAY_DEFAULT 1001 /* MaxArraySize of slurm.conf(5) where it says none: one more than the largest index */

/* One job array: some of the tasks from `first` on. */
struct array {
	unsigned first;
	char *indices; /* "0,2,3": of the array, `first` more of the plan */
	struct program sbatch;
	bool said;
};
struct arrays {
	struct array *v;
	size_t n;
};

static void arrays_free(struct arrays *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].indices);
		program_close(&a->v[i].sbatch);
	}
	free(a->v);
}

/* How many tasks an array may have here. */
static unsigned array_size(void)
{
	static const char key[] = "MaxArraySize";
	const char *const argv[] = { "scontrol", "show", "config", NULL };
	cleanup_program struct program p = PROGRAM_INIT;
	struct err *e = program_start(&p, argv);
	if (!e)
		program_wait_end(&p, clock_ms() + CONFIG_LIMIT_MS);
	err_free(e);
	const char *at = p.said.s ? strstr(p.said.s, key) : NULL;
	unsigned long n = at ? strtoul(at + strcspn(at, "=\n") + 1, NULL, 10) : 0;
	return n >= 2 ? (unsigned)n - 1 : ARRAY_DEFAULT - 1;
}

/* Those of all tasks that are wanted, in arrays of at most `size`. */
static void make_arrays(struct root *root, const struct bench_plan *p, bool redo, unsigned size, struct arrays *ret)
{
	for (unsigned first = 0; first < p->machines; first += size) {
		cleanup_strv struct strv wanted = {};
		for (unsigned i = 0; i < size && first + i < p->machines; i++)
			if (!redo || !gather_complete(root, p, first + i))
				strv_addf(&wanted, "%u", i);
		if (!wanted.n)
			continue;
		ret->v = mem_grow(ret->v, ret->n, sizeof(*ret->v));
		ret->v[ret->n++] = (struct array){ first, strv_join(&wanted, ","), PROGRAM_INIT, false };
	}
}

static void sbatch_argv(const struct bench_plan *p, const struct array *a, const char *jobs, const char *program, const char *plan,
			bool redo, struct strv *argv)
{
	strv_add(argv, "sbatch");
	strv_add(argv, "--parsable");
	strv_add(argv, "--wait");
	strv_add(argv, "--nodes=1");
	strv_add(argv, "--exclusive"); /* nothing else runs beside what is measured */
	strv_add(argv, "--job-name=qlaunch-bench");
	strv_addf(argv, "--array=%s", a->indices);
	strv_addf(argv, "--chdir=%s", jobs);
	strv_add(argv, "--output=%A_%a.slurm"); /* what Slurm itself says; in the folder, whose name may hold what it would replace */
	for (size_t i = 0; i < p->sbatch.n; i++)
		strv_add(argv, p->sbatch.v[i]);
	strv_addf(argv, "%s/job", jobs);
	strv_add(argv, program);
	strv_add(argv, jobs);
	strv_add(argv, plan);
	strv_addf(argv, "%u", a->first);
	if (redo)
		strv_add(argv, "--redo=failed");
}

/* The line of its job, once it said it. */
static void say_job(struct array *a, const struct bench_plan *p)
{
	if (a->said || !a->sbatch.said.s || !strchr(a->sbatch.said.s, '\n'))
		return;
	a->said = true;
	log_info("job %.*s of Slurm; whatever happens here it goes on: qlaunch bench gather %s", (int)strcspn(a->sbatch.said.s, ";\n"),
		 a->sbatch.said.s, p->path);
}

/* Until all arrays have ended: sbatch --wait tells. The first that was not submitted is the error; how its tasks went is seen by what they
 * left. */
static struct err *await_ends(struct root *root, const struct bench_plan *p, struct arrays *arrays)
{
	size_t total = (size_t)p->machines * p->rounds * p->n_variants, left = arrays->n;
	struct err *e = NULL;
	cleanup_progress bool shown = progress_begin(_("%u machines"), p->machines);
	while (left) {
		left = 0;
		for (size_t i = 0; i < arrays->n; i++) {
			struct array *a = &arrays->v[i];
			if (!a->sbatch.ended)
				program_wait(&a->sbatch, -1, clock_ms() + LOOK_MS / (int64_t)arrays->n);
			say_job(a, p);
			left += !a->sbatch.ended;
		}
		size_t runs = shown ? gather_runs(root, p) : 0;
		cleanup_free char *detail = tr_fmt("%zu of %zu runs", runs, total);
		progress_update(runs, total, detail);
	}
	for (size_t i = 0; i < arrays->n && !e; i++)
		e = arrays->v[i].said ? NULL : program_result(&arrays->v[i].sbatch);
	return e;
}

static struct err *run_arrays(struct root *root, const struct bench_plan *plan, struct arrays *arrays, const char *program, bool redo)
{
	cleanup_free char *jobs = gather_folder(plan), *real = realpath(plan->path, NULL);
	if (!real)
		return err_errno(errno, "%s", plan->path);
	for (size_t i = 0; i < arrays->n; i++) {
		cleanup_strv struct strv argv = {};
		sbatch_argv(plan, &arrays->v[i], jobs, program, real, redo, &argv);
		TRY(program_start(&arrays->v[i].sbatch, (const char *const *)argv.v));
	}
	return await_ends(root, plan, arrays);
}

struct err *bench_submit(struct root *root, const struct bench_plan *plan, const char *program, bool redo)
{
	cleanup_free char *sbatch = child_find("sbatch"), *jobs = gather_folder(plan), *script = str_fmt("%s/job", jobs);
	cleanup(arrays_free) struct arrays arrays = {};
	bool there = root_exists(root, jobs);
	if (!sbatch)
		return err_exit(err_hint(err_new("there is no sbatch here"),
					 "Slurm's client: apt install slurm-client, on a machine of the cluster"),
				EXIT_HOST);
	if (!redo && (there || root_exists(root, plan->output)))
		return err_exit(err_hint(err_new("%s or its folder .jobs is there already", plan->output),
					 "--redo submits the tasks that are not complete; or move both away"),
				EXIT_USAGE);
	if (redo && !there)
		return err_exit(err_hint(err_new("%s is not there: nothing was submitted", jobs), "without --redo"), EXIT_USAGE);
	make_arrays(root, plan, redo, array_size(), &arrays);
	if (!arrays.n) {
		log_info("all %u tasks are complete", plan->machines);
		return NULL;
	}
	if (!there)
		TRY(root_mkdir(root, jobs, 0755));
	TRY(root_put(root, script, SCRIPT, 0755));
	struct err *e = run_arrays(root, plan, &arrays, program, redo);
	bool any = false;
	for (size_t i = 0; i < arrays.n; i++)
		any = any || arrays.v[i].said;
	if (e && !any && !there) { /* nothing was submitted: the next try begins from nothing */
		err_free(root_unlink(root, script));
		err_free(root_rmdir(root, jobs));
	}
	return err_exit(e, EXIT_HOST);
}
