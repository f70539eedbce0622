/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch bench PLAN: variants of a machine, measured and compared; bench report FILE: the records as a page; bench compare A B: for scripts,
 * by exit status; bench submit PLAN: on many machines by Slurm; bench gather PLAN: what these have measured until now.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/base/log.h"
#include "launcher/bench/analysis.h"
#include "launcher/bench/fingerprint.h"
#include "launcher/bench/program.h"
#include "launcher/bench/records.h"
#include "launcher/bench/report.h"
#include "launcher/bench/session.h"
#include "launcher/bench/submit.h"
#include "launcher/cli.h"

#define USAGE "bench PLAN | report FILE | compare A B | submit PLAN | gather PLAN"

/* What `bench compare` says by its status; above the statuses of all commands. */
enum { COMPARE_BETTER = 10, COMPARE_WORSE = 11, COMPARE_MIXED = 12, COMPARE_UNKNOWN = 13 };

/* What stands in the way of trusting the records, whatever the control says. */
static void say_doubts(const json_t *records)
{
	cleanup_free char *differs = fingerprint_differs(records, NULL);
	double steal = fingerprint_worst_steal(records);
	if (differs)
		log_warn("not the same from first to last: %s", differs);
	if (steal >= 1)
		log_warn("up to %.1f %% of the time was stolen by a hypervisor below", steal);
}

static struct err *show(struct cli *cli, const char *path)
{
	cleanup_analyses struct analyses a = {};
	json_t *records = NULL;
	TRY(records_read(cli->root, path, &records));
	analyses_make(records, &a);
	report_text(stdout, &a);
	say_doubts(records);
	log_info("records: %s; as a page: qlaunch bench report %s", path, path);
	json_decref(records);
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
	TRY(own_path(&program));
	TRY(bench_plan_read(cli->root, path, program, &plan));
	TRY(set_output(&plan, args));
	if (way == RUN)
		TRY(bench_session(cli->root, &plan));
	else
		TRY(way == SUBMIT ? bench_submit(cli->root, &plan, program) : bench_gather(cli->root, &plan));
	return show(cli, plan.output);
}

static struct err *bench_report(struct cli *cli, const char *path)
{
	cleanup_analyses struct analyses a = {};
	cleanup_sb struct sb page = {};
	json_t *records = NULL;
	TRY(records_read(cli->root, path, &records));
	analyses_make(records, &a);
	report_html(&page, records, &a);
	fputs(page.s, stdout);
	json_decref(records);
	return NULL;
}

static int compare_status(const struct analyses *a)
{
	bool better = false, worse = false, known = false;
	for (size_t i = 0; i < a->n; i++) {
		known = known || (!a->v[i].noisy && a->v[i].pair.verdict != STATS_UNTRUSTED);
		better = better || analysis_better(&a->v[i]) > 0;
		worse = worse || analysis_better(&a->v[i]) < 0;
	}
	return !known ? COMPARE_UNKNOWN : better && worse ? COMPARE_MIXED : better ? COMPARE_BETTER : worse ? COMPARE_WORSE : EXIT_OK;
}

static struct err *bench_compare(struct cli *cli, const char *before, const char *after, bool force)
{
	cleanup_analyses struct analyses r = {};
	json_t *a = NULL, *b = NULL;
	struct err *e = records_read(cli->root, before, &a);
	if (!e)
		e = records_read(cli->root, after, &b);
	cleanup_free char *differs = e ? NULL : fingerprint_differs(a, b);
	if (differs && !force)
		e = err_exit(err_hint(err_new("not comparable: %s differs", differs), "--force compares all the same"), EXIT_HOST);
	if (!e) {
		analyses_compare(a, b, &r);
		report_text(stdout, &r);
		cli->status = (enum exit_status)compare_status(&r);
	}
	json_decref(a);
	json_decref(b);
	return e;
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
 * All of it as the user, in one visit: the plan, what it names, the records, every program of this machine. Root are only the launchers of the
 * machines, `qlaunch run` and `restore`, which judge for themselves.
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
