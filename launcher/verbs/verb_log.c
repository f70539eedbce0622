/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch log [VM]: the last runs of a machine (all: one line each): what was planned, warned of, what QEMU itself said, why it ended. Reads
 * what `run` has kept (tools/history), and of a run that goes on the file beside its journal.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/step/journal.h"
#include "launcher/tools/history.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/pager.h"

/* "2026-11-30 13:15  12.5 s  ended well". */
static void print_head(const json_t *run, bool going_on)
{
	const char *begun = json_string_value(history_head(run, "begun"));
	const json_t *seconds = history_last(run, "seconds");
	int status = (int)json_integer_value(history_last(run, "status"));
	cleanup_free char *ran = seconds ? str_fmt("%.1f s", json_number_value(seconds)) : str_dup("");
	cleanup_free char *failed = tr_fmt("exit status %d", status);
	const char *how = going_on                      ? _("it runs")
			  : !history_last(run, "ended") ? _("its launcher died")
			  : status                      ? failed
							: _("ended well");
	bool has_date = begun && strlen(begun) >= 19;
	printf("%.10s %.8s  %10s  %s\n", has_date ? begun : "?", has_date ? begun + 11 : "", ran, how);
}

/* One record's text: an error has lines. */
static void print_lines(const char *mark, const char *text)
{
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_free char *clean = str_printable(lines.v[i]);
		page_wrap(mark, page_width(mark), clean);
	}
}

static void print_run(const json_t *run, bool going_on)
{
	const json_t *plan = history_head(run, "plan"), *record, *step;
	size_t i;
	print_head(run, going_on);
	json_array_foreach ((json_t *)plan, i, step)
		print_lines("  · ", json_string_value(step) ? json_string_value(step) : "");
	json_array_foreach ((json_t *)run, i, record) {
		const char *level = json_string_value(json_object_get(record, "level")),
			   *text = json_string_value(json_object_get(record, "text")),
			   *qemu = json_string_value(json_object_get(record, "qemu"));
		if (qemu)
			print_lines("  QEMU: ", qemu);
		else if (text) /* of no level: what it ended with */
			print_lines(streq(level, "info") ? "  " : streq(level, "warning") ? "  ? " : "  ! ", text);
	}
	putchar('\n');
}

/* All runs, the last one of them the one that goes on or whose launcher died, unless it is root's. *ret_alive: it goes on. Owned. */
static json_t *runs_of(struct cli *cli, const char *vm, const char *home, bool *ret_alive)
{
	cleanup_free char *base = journal_base(), *path = str_fmt("%s/%s/" HISTORY_FILE, base, vm),
			  *text = root_read_or(cli->root, path, NULL);
	json_t *runs = history_read(cli->root, home);
	if (text)
		json_array_append_new(runs, history_parse(text));
	*ret_alive = text && streq(own_state(cli, vm, NULL), "running");
	return runs;
}

static struct err *log_one(struct cli *cli, const char *name)
{
	cleanup_own struct own o = {};
	bool alive;
	TRY(own_open(cli, name, false, &o));
	json_t *runs = runs_of(cli, o.config->vm.name, o.home, &alive), *run;
	size_t i;
	if (cli->json) {
		json_dumpf(runs, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!json_array_size(runs)) {
		log_info("%s was not run yet", o.config->vm.name);
	}
	json_array_foreach (runs, i, run)
		if (!cli->json)
			print_run(run, alive && i + 1 == json_array_size(runs));
	json_decref(runs);
	return NULL;
}

static struct err *log_all(struct cli *cli)
{
	cleanup_user struct user u = {};
	cleanup_strv struct strv names = {};
	TRY(own_become(cli, NULL, &u));
	cleanup_free char *dir = str_fmt("%s/qlaunch", u.data_dir);
	json_t *all = json_object();
	err_free(root_list(cli->root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *home = str_fmt("%s/%s", dir, names.v[i]);
		bool alive;
		json_t *runs = runs_of(cli, names.v[i], home, &alive), *run;
		size_t k;
		if (json_array_size(runs) && !cli->json)
			printf("%s\n", names.v[i]);
		json_array_foreach (runs, k, run)
			if (!cli->json)
				print_head(run, alive && k + 1 == json_array_size(runs));
		if (json_array_size(runs)) /* a folder of variables alone is of a machine that was not run */
			json_object_set(all, names.v[i], runs);
		json_decref(runs);
	}
	if (cli->json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!json_object_size(all)) {
		log_info("nothing was run yet");
	}
	json_decref(all);
	return NULL;
}

struct err *verb_log(struct cli *cli, const struct verb_args *args)
{
	TRY(verb_words(args, 0, 1, "log [--json] [CONFIG]"));
	return args->words.n ? log_one(cli, args->words.v[0]) : log_all(cli);
}
