/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch bench PLAN: variants of a machine, measured and compared; bench report FILE: the records as a page; bench compare A B: for
 * scripts, by exit status; bench submit PLAN: on many machines by Slurm; bench gather PLAN: what these have measured until now.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/bench/analysis.h"
#include "launcher/bench/gather.h"
#include "launcher/bench/program.h"
#include "launcher/bench/report.h"
#include "launcher/bench/session.h"
#include "launcher/bench/submit.h"
#include "launcher/cli.h"

#define USAGE "bench PLAN | report FILE | compare A B | submit PLAN | gather PLAN"

/* What `bench compare` says by its status; above the statuses of all commands. EXIT_OK: equivalent. */
enum {
	COMPARE_BETTER = 10,
	COMPARE_WORSE = 11,
	COMPARE_MIXED = 12,
	COMPARE_UNKNOWN = 13, /* it cannot be told */
	COMPARE_MISSING = 14,
	COMPARE_NOT = 15, /* not comparable */
};

/* Groups of one machine: more than one where runs were put together. */
static size_t runs_of(const struct summaries *all, const char *machine)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		n += streq(all->v[i].machine, machine);
	return n;
}

/* What stands in the way of trusting a file's records, whatever its control says. */
static void say_doubts(const char *path, const struct summaries *all)
{
	if (all->cut)
		log_warn("%s: its last record was cut off, and is left out", path);
	for (size_t i = 0; i < all->n; i++) {
		const struct summary *s = &all->v[i];
		if (s->failed)
			log_warn("%s: %zu of %zu runs failed; bench --redo=failed makes them again", path, s->failed, s->runs);
		if (s->twice)
			log_warn("%s: %zu runs are in it more than once; the last counts: was it put together with itself?", path,
				 s->twice);
		if (runs_of(all, s->machine) > 1 && all->n > 1 && streq(all->v[0].machine, s->machine) && i == 0)
			log_warn("%s: %zu runs of bench are in it, each by itself: was it put together?", path, all->n);
		if (s->differs)
			log_warn("%s: not the same from first to last: %s", path, s->differs);
		if (s->steal >= 1)
			log_warn("%s: up to %.1f %% of the time was stolen by a hypervisor below", path, s->steal);
		if (s->throttled)
			log_warn("%s: a processor was too hot in %zu of %zu runs", path, s->throttled, s->runs);
	}
}

static void print_machine(const struct summaries *all, size_t i)
{
	cleanup_free char *machine = str_printable(all->v[i].machine), *id = str_printable(all->v[i].id);
	if (all->n > 1)
		printf(_("%smachine %s"), i ? "\n" : "", machine);
	if (all->n > 1 && runs_of(all, all->v[i].machine) > 1)
		printf(_(", run %s"), *id ? id : "?");
	if (all->n > 1)
		putchar('\n');
}

static struct err *show(struct cli *cli, const char *path)
{
	cleanup_summaries struct summaries all = {};
	TRY(summaries_read(cli->root, path, &all));
	for (size_t i = 0; i < all.n; i++) {
		cleanup_analyses struct analyses a = {};
		analyses_make(&all.v[i], &a);
		print_machine(&all, i);
		report_text(stdout, &a);
		if (all.v[i].failed)
			cli->status = EXIT_GUEST;
	}
	say_doubts(path, &all);
	log_info("records: %s; as a page: qlaunch bench report %s", path, path);
	return NULL;
}

/* Where this program is; its own file, for tasks on other machines, too. */
static struct err *own_path(char **ret_path)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n < 0)
		return err_errno(errno, "/proc/self/exe");
	*ret_path = str_ndup(path, (size_t)n);
	return NULL;
}

/* --output is the shell's: relative to where we are. */
static struct err *set_output(struct bench_plan *plan, const struct verb_args *args)
{
	const char *output = verb_option(args, "output");
	cleanup_free char *here = getcwd(NULL, 0);
	if (!output)
		return NULL;
	if (*output != '/' && !here)
		return err_errno(errno, "the current directory");
	cleanup_free char *path = *output == '/' ? str_dup(output) : str_fmt("%s/%s", here, output);
	str_set(&plan->output, path);
	return NULL;
}

enum way { RUN, SUBMIT, GATHER };

static struct err *bench_plan(struct cli *cli, const struct verb_args *args, const char *path, enum way way)
{
	cleanup_bench_plan struct bench_plan plan = {};
	cleanup_free char *program = NULL;
	const char *redo = verb_option(args, "redo");
	size_t incomplete = 0;
	if (redo && *redo && !streq(redo, "failed"))
		return err_exit(err_new("--redo takes \"failed\", not \"%s\"", redo), EXIT_USAGE);
	TRY(own_path(&program));
	TRY(bench_plan_read(cli->root, path, program, &plan));
	TRY(set_output(&plan, args));
	if (way == RUN)
		TRY(bench_session(cli->root, &plan, redo));
	if (way == SUBMIT)
		TRY(bench_submit(cli->root, &plan, program, redo));
	if (way != RUN)
		TRY(bench_gather(cli->root, &plan, &incomplete));
	TRY(show(cli, plan.output));
	if (!incomplete)
		return NULL;
	return err_exit(err_hint(err_new("%zu of %u tasks are not complete", incomplete, plan.machines),
				 "qlaunch bench submit --redo %s runs them", path),
			EXIT_GUEST);
}

static struct err *bench_report(struct cli *cli, const char *path)
{
	cleanup_summaries struct summaries all = {};
	TRY(summaries_read(cli->root, path, &all));
	if (all.cut || all.n > 1)
		say_doubts(path, &all);
	if (all.n > 1)
		return err_exit(
			err_hint(err_new("%s: records of %zu machines or runs: each is a page of its own", path, all.n), "one file each"),
			EXIT_CONFIG);
	cleanup_analyses struct analyses a = {};
	cleanup_sb struct sb page = {};
	analyses_make(&all.v[0], &a);
	report_html(&page, &all.v[0], &a);
	fputs(page.s, stdout);
	return NULL;
}

static int compare_status(const size_t n[ANALYSIS_VERDICTS])
{
	return n[ANALYSIS_BETTER] && n[ANALYSIS_WORSE]          ? COMPARE_MIXED
	       : n[ANALYSIS_WORSE]                              ? COMPARE_WORSE
	       : n[ANALYSIS_MISSING]                            ? COMPARE_MISSING
	       : n[ANALYSIS_BETTER]                             ? COMPARE_BETTER
	       : n[ANALYSIS_EQUIVALENT] && !n[ANALYSIS_UNKNOWN] ? EXIT_OK
								: COMPARE_UNKNOWN;
}

/* What b is compared with: its own run, or the only one of its machine, or the only one where it is another and that is asked for. */
static const struct summary *like(const struct summaries *a, const struct summary *b, bool force)
{
	const struct summary *found = NULL;
	for (size_t i = 0; i < a->n; i++) {
		if (streq(a->v[i].machine, b->machine) && streq(a->v[i].id, b->id))
			return &a->v[i];
		if (streq(a->v[i].machine, b->machine))
			found = &a->v[i];
	}
	return found && runs_of(a, b->machine) == 1 ? found : force && a->n == 1 ? &a->v[0] : NULL;
}

static struct err *not_comparable(const char *differs)
{
	return err_exit(err_hint(err_new("not comparable: %s differs", differs), "--force compares all the same"),
			(enum exit_status)COMPARE_NOT);
}

static struct err *bench_compare(struct cli *cli, const char *before, const char *after, bool force)
{
	cleanup_summaries struct summaries a = {}, b = {};
	size_t sum[ANALYSIS_VERDICTS] = {}, n[ANALYSIS_VERDICTS];
	TRY(summaries_read(cli->root, before, &a));
	TRY(summaries_read(cli->root, after, &b));
	for (size_t i = 0; i < b.n; i++) {
		cleanup_analyses struct analyses r = {};
		const struct summary *of_a = like(&a, &b.v[i], force);
		if (!of_a && runs_of(&a, b.v[i].machine) > 1)
			return err_exit(err_hint(err_new("%s: %zu runs on machine %s: which one is meant?", before,
							 runs_of(&a, b.v[i].machine), b.v[i].machine),
						 "one file a run"),
					(enum exit_status)COMPARE_NOT);
		cleanup_free char *differs = of_a ? summary_differs(of_a, &b.v[i]) : tr_fmt("machine (%s)", b.v[i].machine);
		if (!of_a || (differs && !force))
			return not_comparable(differs);
		analyses_compare(of_a, &b.v[i], &r);
		print_machine(&b, i);
		report_text(stdout, &r);
		analyses_count(&r, false, n);
		for (int k = 0; k < ANALYSIS_VERDICTS; k++)
			sum[k] += n[k];
	}
	say_doubts(before, &a);
	say_doubts(after, &b);
	cli->status = (enum exit_status)compare_status(sum);
	return NULL;
}

struct call {
	struct cli *cli;
	const struct verb_args *args;
};

static struct err *bench(void *data)
{
	const struct call *call = data;
	struct cli *cli = call->cli;
	const struct verb_args *args = call->args;
	char **word = args->words.v;
	if (streq(word[0], "compare") && args->words.n == 3)
		return bench_compare(cli, word[1], word[2], verb_option(args, "force"));
	if (streq(word[0], "report") && args->words.n == 2)
		return bench_report(cli, word[1]);
	if (streq(word[0], "submit") && args->words.n == 2)
		return bench_plan(cli, args, word[1], SUBMIT);
	if (streq(word[0], "gather") && args->words.n == 2)
		return bench_plan(cli, args, word[1], GATHER);
	TRY(verb_words(args, 1, 1, USAGE));
	return bench_plan(cli, args, word[0], RUN);
}

/*
 * All of it as the user, in one visit: the plan, what it names, the records, every program of this machine. Root are only the launchers of
 * the machines, `qlaunch run` and `restore`, which judge for themselves.
 */
struct err *verb_bench(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user user = {};
	struct call call = { cli, args };
	TRY(verb_words(args, 1, 3, USAGE));
	cleanup_free char *plan = NULL;
	TRY(behalf_of_file(args->words.v[args->words.n - 1], &user, &plan));
	str_set(&args->words.v[args->words.n - 1], plan);
	program_user(&user);
	return user_visit(&user, bench, &call);
}
