/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gather: see gather.h and submit.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/bench/gather.h"
#include "launcher/bench/records.h"
#include "launcher/bench/stats.h"

char *gather_folder(const struct bench_plan *p)
{
	return str_fmt("%s.jobs", p->output);
}

/* A task's records: of the node that has the most. */
struct task_file {
	char *path;
	size_t runs, failed; /* failed: last time, and not made again */
};

struct counting {
	const struct bench_plan *plan;
	char *state; /* [rounds][variants]: 1 there, 2 failed */
};

static struct err *count_record(void *data, json_t *record)
{
	struct counting *c = data;
	size_t round = (size_t)json_integer_value(json_object_get(record, "round")),
	       order = (size_t)json_integer_value(json_object_get(record, "order"));
	if (round < c->plan->rounds && order < c->plan->n_variants)
		c->state[round * c->plan->n_variants + order] = json_object_get(record, "failed") ? 2 : 1;
	return NULL;
}

static struct task_file count_file(struct root *root, const struct bench_plan *p, const char *path)
{
	size_t all = (size_t)p->rounds * p->n_variants;
	cleanup_free char *state = mem_new(all + 1);
	struct counting c = { p, state };
	struct task_file f = { .path = str_dup(path) };
	bool cut;
	log_err(LOG_LEVEL_WARN, records_each(root, path, count_record, &c, &cut));
	for (size_t i = 0; i < all; i++) {
		f.runs += state[i] > 0;
		f.failed += state[i] == 2;
	}
	return f;
}

/* The best of a task's files; no path where there is none. The others are named where `say` is set. */
static struct task_file file_of(struct root *root, const struct bench_plan *p, unsigned task, bool say)
{
	cleanup_free char *folder = gather_folder(p), *begin = str_fmt("%u.", task);
	cleanup_strv struct strv names = {};
	struct task_file best = {};
	err_free(root_list(root, folder, &names));
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], begin) || !str_ends(names.v[i], ".jsonl"))
			continue;
		cleanup_free char *path = str_fmt("%s/%s", folder, names.v[i]);
		struct task_file f = count_file(root, p, path), other = best;
		if (!best.path || f.runs > best.runs)
			best = f;
		else
			other = f;
		if (say && other.path)
			log_info("task %u: %zu runs of another node are left out: %s", task, other.runs, other.path);
		free(other.path);
	}
	return best;
}

static bool is_complete(const struct bench_plan *p, const struct task_file *f)
{
	size_t rounds = f->runs / p->n_variants;
	return f->path && !f->failed && f->runs % p->n_variants == 0 &&
	       (rounds == p->rounds || (p->early && stats_is_look(rounds, p->rounds)));
}

bool gather_complete(struct root *root, const struct bench_plan *p, unsigned task)
{
	struct task_file f = file_of(root, p, task, false);
	bool complete = is_complete(p, &f);
	free(f.path);
	return complete;
}

size_t gather_runs(struct root *root, const struct bench_plan *p)
{
	size_t runs = 0;
	for (unsigned task = 0; task < p->machines; task++) {
		struct task_file f = file_of(root, p, task, false);
		runs += f.runs;
		free(f.path);
	}
	return runs;
}

/* Where the records go, with the rounds that each machine has until now: tasks that ran on the same one are rounds of one run. */
struct gathering {
	struct root *root;
	const struct bench_plan *plan;
	const char *output, *id;
	unsigned task;
	json_t *rounds; /* by machine: before this task, */
	json_t *after;  /* and with it */
	size_t n;
};

static struct err *take_record(void *data, json_t *record)
{
	struct gathering *g = data;
	const char *machine = json_string_value(json_object_get(record, "machine"));
	json_int_t before = json_integer_value(json_object_get(g->rounds, machine ? machine : ""));
	json_int_t round = json_integer_value(json_object_get(record, "round")) + before;
	json_object_set_new(record, "round", json_integer(round));
	json_object_set_new(record, "rounds", json_integer((json_int_t)g->plan->rounds * (json_int_t)g->plan->machines));
	json_object_set_new(record, "id", json_string(g->id));
	json_object_set_new(record, "task", json_integer(g->task));
	if (round + 1 > json_integer_value(json_object_get(g->after, machine ? machine : "")))
		json_object_set_new(g->after, machine ? machine : "", json_integer(round + 1));
	g->n++;
	return records_append(g->root, g->output, json_incref(record));
}

static void say_incomplete(const struct gathering *g, const struct task_file *f)
{
	cleanup_free char *log = str_fmt("%s.jobs/%u.log", g->plan->output, g->task), *text = root_read_or(g->root, log, "");
	const char *last = strrchr(text, '\n');
	last = !*text ? _("nothing was said; is it still waiting?") : last ? last + 1 : text;
	if (!f->path)
		log_warn("task %u has no records: %s", g->task, last);
	else
		log_warn("task %u is not complete: %zu of %zu runs, %zu of them failed: %s", g->task, f->runs,
			 (size_t)g->plan->rounds * g->plan->n_variants, f->failed, last);
}

static struct err *gather_task(struct gathering *g, size_t *incomplete)
{
	struct task_file f = file_of(g->root, g->plan, g->task, true);
	cleanup_free char *path = f.path;
	bool cut;
	if (!is_complete(g->plan, &f)) {
		say_incomplete(g, &f);
		++*incomplete;
	}
	if (!path)
		return NULL;
	TRY(records_each(g->root, path, take_record, g, &cut));
	json_object_update(g->rounds, g->after);
	return NULL;
}

static struct err *is_gathered(void *data, json_t *record)
{
	(void)data;
	return json_object_get(record, "task") ? NULL : err_new("not gathered");
}

struct err *bench_gather(struct root *root, const struct bench_plan *plan, size_t *ret_incomplete)
{
	cleanup_free char *id = records_new_id();
	struct gathering g = { root, plan, plan->output, id, 0, json_object(), json_object(), 0 };
	struct err *e = NULL;
	bool cut;
	if (root_exists(root, plan->output)) {
		cleanup_err struct err *other = records_each(root, plan->output, is_gathered, NULL, &cut);
		e = !other ? root_unlink(root, plan->output)
			   : err_exit(err_hint(err_new("%s is there already, and was not gathered", plan->output), "move it away"),
				      EXIT_USAGE);
	}
	*ret_incomplete = 0;
	for (; !e && g.task < plan->machines; g.task++)
		e = gather_task(&g, ret_incomplete);
	if (!e && !g.n)
		e = err_hint(err_new("no task has left a record"), "look at %s.jobs/*.log", plan->output);
	json_decref(g.rounds);
	json_decref(g.after);
	return e;
}
