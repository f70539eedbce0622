/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history: see history.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/tools/history.h"

#define WRITE_LIMIT_MS 5000 /* a home that hangs does not keep the host */
#define TRIES 5             /* somebody else takes the same number */
#define NUMBER_WIDTH 6

static struct history {
	struct sb text;
	size_t lines;
	char *beside; /* the file by the journal; NULL: none yet */
	struct root *root;
	const char *home;
	const struct user *user;
} now;

static void append(const char *text)
{
	if (now.beside)
		err_free(root_append(now.root, now.beside, text)); /* a courtesy */
}

static void record(json_t *object)
{
	cleanup_free char *text = json_dumps(object, JSON_COMPACT), *line = text ? str_fmt("%s\n", text) : NULL;
	json_decref(object);
	if (!line)
		return;
	sb_add(&now.text, line);
	append(line);
}

static char *stamp(void)
{
	char text[32] = "";
	time_t t = time(NULL);
	struct tm tm;
	if (localtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
	return str_dup(text);
}

static void on_message(void *data, enum log_level level, const char *text)
{
	static const char *const words[] = { [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warning", [LOG_LEVEL_INFO] = "info" };
	(void)data;
	if (now.lines++ < HISTORY_LINES)
		record(json_pack("{s:s, s:s}", "level", words[level], "text", text));
}

void history_begin(void)
{
	log_also(on_message, NULL);
}

void history_plan(const char *vm, const char *config, const char *home, const struct user *user, const struct steps *steps)
{
	cleanup_free char *begun = stamp(), *warnings = sb_steal(&now.text);
	json_t *plan = json_array();
	for (size_t i = 0; i < steps->n; i++) {
		cleanup_free char *what = steps->v[i].kind->describe(&steps->v[i]);
		json_array_append_new(plan, json_string(what));
	}
	now.home = home;
	now.user = user;
	record(json_pack("{s:s, s:s, s:s, s:o}", "begun", begun, "vm", vm, "config", config, "plan", plan));
	sb_add(&now.text, warnings);
}

void history_beside(struct root *root, const char *dir)
{
	now.root = root;
	now.beside = str_fmt("%s/" HISTORY_FILE, dir);
	append(now.text.s ? now.text.s : "");
}

void history_qemu(const char *words)
{
	if (*words)
		record(json_pack("{s:s}", "qemu", words));
}

/* ---- into the user's folder ---- */

struct writing {
	const char *home, *text;
	const struct user *user;
};

static unsigned long number_of(const char *name)
{
	return strlen(name) == NUMBER_WIDTH && name[strspn(name, "0123456789")] == '\0' ? strtoul(name, NULL, 10) : 0;
}

/* In a child, as the user for good. */
static struct err *write_it(void *data)
{
	const struct writing *w = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *dir = str_fmt("%s/log", w->home);
	struct err *e = NULL;
	if (geteuid() == 0)
		TRY(user_become(w->user));
	TRY(root_open("/", &root));
	TRY(root_mkdirs(root, dir, 0700));
	for (int i = 0; i < TRIES; i++) {
		cleanup_strv struct strv names = {};
		unsigned long newest = 0;
		TRY(root_list(root, dir, &names));
		for (size_t k = 0; k < names.n; k++)
			newest = number_of(names.v[k]) > newest ? number_of(names.v[k]) : newest;
		for (size_t k = 0; k < names.n; k++) {
			cleanup_free char *old = str_fmt("%s/%s", dir, names.v[k]);
			if (number_of(names.v[k]) && number_of(names.v[k]) + HISTORY_RUNS <= newest + 1)
				err_free(root_unlink(root, old));
		}
		cleanup_free char *path = str_fmt("%s/%0*lu", dir, NUMBER_WIDTH, newest + 1);
		e = root_put_new(root, path, w->text, strlen(w->text), 0600);
		if (err_code(e) != EEXIST)
			return e;
		if (i + 1 < TRIES)
			err_free(e);
	}
	return e;
}

static void keep(const char *home, const struct user *user, const char *text)
{
	struct writing w = { home, text, user };
	struct err *e = child_call(write_it, &w, WRITE_LIMIT_MS);
	log_err(LOG_LEVEL_DEBUG, err_wrap(e, "what this run said is not kept"));
}

void history_end(const struct err *e, double seconds)
{
	cleanup_free char *ended = stamp();
	log_also(NULL, NULL);
	if (now.home) {
		json_t *last = json_pack("{s:s, s:i, s:f}", "ended", ended, "status", (int)err_status(e), "seconds", seconds);
		if (e)
			json_object_set_new(last, "text", json_string(err_text(e)));
		if (now.beside && root_exists(now.root, now.beside)) /* a residue has kept the journal: this run is no dead launcher's */
			err_free(root_unlink(now.root, now.beside));
		now.beside = (free(now.beside), NULL);
		record(last);
		keep(now.home, now.user, now.text.s);
	}
	sb_free(&now.text);
	free(now.beside);
	now = (struct history){};
}

void history_rescue(struct root *root, const char *dir, uid_t uid)
{
	cleanup_user struct user user = {};
	cleanup_free char *path = str_fmt("%s/" HISTORY_FILE, dir), *text = root_read_or(root, path, NULL);
	json_t *records = history_parse(text ? text : "");
	const char *vm = json_string_value(history_head(records, "vm"));
	/* written by the launcher; still, a name is what it may be */
	cleanup_err struct err *e =
		!vm || strchr(vm, '/') || *vm == '.' ? err_new("no record") : user_choose(NULL, getuid(), geteuid(), uid, &user);
	cleanup_free char *home = e ? NULL : str_fmt("%s/qlaunch/%s", user.data_dir, vm), *whole = str_fmt("%s\n", text ? text : "");
	if (home && user.uid == uid)
		keep(home, &user, whole);
	json_decref(records);
}

/* ---- reading ---- */

json_t *history_parse(const char *text)
{
	json_t *records = json_array();
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		json_t *o = json_loads(lines.v[i], 0, NULL);
		if (json_is_object(o))
			json_array_append_new(records, o);
		else
			json_decref(o);
	}
	return records;
}

json_t *history_read(struct root *root, const char *home)
{
	json_t *runs = json_array();
	cleanup_free char *dir = str_fmt("%s/log", home);
	cleanup_strv struct strv names = {};
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", dir, names.v[i]),
				  *text = number_of(names.v[i]) ? root_read_or(root, path, "") : str_dup("");
		json_t *records = history_parse(text);
		if (json_array_size(records))
			json_array_append_new(runs, records);
		else
			json_decref(records);
	}
	return runs;
}

const json_t *history_head(const json_t *run, const char *key)
{
	return json_object_get(json_array_get(run, 0), key);
}

const json_t *history_last(const json_t *run, const char *key)
{
	const json_t *last = json_array_get(run, json_array_size(run) - 1);
	return json_object_get(last, "ended") ? json_object_get(last, key) : NULL;
}
