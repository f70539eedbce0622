/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch bench PLAN: variants of a machine, measured and compared; bench report FILE: the records as a page; bench compare A B: for scripts,
 * by exit status.
 */
#include <stdio.h>
#include "launcher/base/log.h"
#include "launcher/bench/analysis.h"
#include "launcher/bench/records.h"
#include "launcher/bench/report.h"
#include "launcher/bench/session.h"
#include "launcher/cli.h"

/* What `bench compare` says by its status; above the statuses of all commands. */
enum { COMPARE_BETTER = 10, COMPARE_WORSE = 11, COMPARE_MIXED = 12 };

static struct err *with_text(const json_t *records, const struct analyses *a)
{
	const char *differs = records_differ(records, NULL);
	report_text(stdout, a);
	if (differs)
		log_warn("the machine changed while it was measured: %s", differs);
	return NULL;
}

static struct err *bench_run(struct cli *cli, const char *path)
{
	cleanup_bench_plan struct bench_plan plan = {};
	cleanup_analyses struct analyses a = {};
	json_t *records = NULL;
	TRY(bench_plan_read(cli->root, path, &plan));
	TRY(bench_session(cli->root, &plan));
	TRY(records_read(cli->root, plan.output, &records));
	analyses_make(records, &a);
	struct err *e = with_text(records, &a);
	log_info("records: %s; as a page: qlaunch bench report %s", plan.output, plan.output);
	json_decref(records);
	return e;
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
	bool better = false, worse = false;
	for (size_t i = 0; i < a->n; i++) {
		better = better || analysis_better(&a->v[i]) > 0;
		worse = worse || analysis_better(&a->v[i]) < 0;
	}
	return better && worse ? COMPARE_MIXED : better ? COMPARE_BETTER : worse ? COMPARE_WORSE : EXIT_OK;
}

static struct err *bench_compare(struct cli *cli, const char *before, const char *after, bool force)
{
	cleanup_analyses struct analyses r = {};
	json_t *a = NULL, *b = NULL;
	struct err *e = records_read(cli->root, before, &a);
	if (!e)
		e = records_read(cli->root, after, &b);
	const char *differs = e ? NULL : records_differ(a, b);
	if (differs && !force)
		e = err_exit(err_hint(err_new("not the same machine: %s differs", differs), "--force compares all the same"), EXIT_HOST);
	if (!e) {
		analyses_compare(a, b, &r);
		report_text(stdout, &r);
		cli->status = (enum exit_status)compare_status(&r);
	}
	json_decref(a);
	json_decref(b);
	return e;
}

struct err *verb_bench(struct cli *cli, const struct verb_args *args)
{
	TRY(verb_words(args, 1, 3, "bench PLAN | report RECORDS | compare [--force] BEFORE AFTER"));
	char **word = args->words.v;
	if (streq(word[0], "compare") && args->words.n == 3)
		return bench_compare(cli, word[1], word[2], verb_option(args, "force"));
	if (streq(word[0], "report") && args->words.n == 2)
		return bench_report(cli, word[1]);
	TRY(verb_words(args, 1, 1, "bench PLAN | report RECORDS | compare [--force] BEFORE AFTER"));
	return bench_run(cli, word[0]);
}
