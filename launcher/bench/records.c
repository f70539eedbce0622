/* SPDX-License-Identifier: GPL-2.0-or-later */
/* records: see records.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/str.h"
#include "launcher/bench/records.h"

#define ROUNDS_MAX 100000

struct err *records_add_metric(json_t *metrics, const char *name, const char *unit, const char *better, json_t *values)
{
	bool tails = streq(better, "tails");
	json_t *metric = json_pack("{s:s, s:s, s:o}", "unit", unit, "better", streq(better, "more") ? "more" : "less", "v", values);
	if (metric && tails)
		json_object_set_new(metric, "tails", json_true());
	return metric && json_object_set_new(metrics, name, metric) == 0 ? NULL : err_new("\"%s\" is no text", name);
}

/* "METRIC UNIT less|more|tails VALUE…" */
static struct err *metric_line(json_t *metrics, const char *line)
{
	static const char *const kinds[] = { "less", "more", "tails" };
	cleanup_strv struct strv words = {};
	bool known = false;
	strv_split(&words, line, " \r");
	for (size_t i = 0; words.n >= 4 && i < ARRAY_SIZE(kinds); i++)
		known = known || streq(words.v[2], kinds[i]);
	if (!known)
		return err_new("not a result: \"%.60s\"", line);
	json_t *values = json_array();
	for (size_t i = 3; i < words.n; i++) {
		char *end;
		double v = strtod(words.v[i], &end);
		if (*end || json_array_append_new(values, json_real(v)) < 0) {
			json_decref(values);
			return err_new("not a number: \"%s\"", words.v[i]);
		}
	}
	return records_add_metric(metrics, words.v[0], words.v[1], words.v[2], values);
}

/* "about WORKLOAD KEY WORD…" */
static void about_line(json_t *about, const char *line)
{
	char workload[64], key[64];
	int at = 0;
	if (!about || sscanf(line, "about %63s %63s %n", workload, key, &at) != 2 || !at)
		return;
	json_t *one = json_object_get(about, workload);
	if (!one)
		json_object_set_new(about, workload, one = json_object());
	if (one)
		json_object_set_new(one, key, json_string(line + at));
}

struct err *records_metrics(const char *said, json_t *about, json_t **ret_metrics)
{
	cleanup_strv struct strv lines = {};
	json_t *metrics = json_object();
	bool done = false;
	struct err *e = NULL;
	strv_split(&lines, said, "\r\n");
	for (size_t i = 0; i < lines.n && !e && !done; i++) {
		const char *at = strstr(lines.v[i], "bench: ");
		cleanup_free char *line = at ? str_printable(at + strlen("bench: ")) : NULL;
		done = streq(line, "done");
		if (line && str_starts(line, "about "))
			about_line(about, line);
		else if (line && !done)
			e = metric_line(metrics, line);
	}
	if (!e && !done) {
		cleanup_free char *last = str_printable(lines.n ? lines.v[lines.n - 1] : "nothing");
		e = err_new("the guest did not come to \"bench: done\"; its last line: %s", last);
	}
	if (e)
		json_decref(metrics);
	else
		*ret_metrics = metrics;
	return e;
}

char *records_new_id(void)
{
	uint64_t id = 0;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		id = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	return str_fmt("%016" PRIx64, id);
}

struct err *records_append(struct root *root, const char *path, json_t *record)
{
	cleanup_free char *text = json_dumps(record, JSON_COMPACT), *line = str_fmt("%s\n", text ? text : "");
	json_decref(record);
	return text ? root_append(root, path, line) : err_new("a record that is no JSON");
}

static struct err *check_record(const json_t *record)
{
	const json_t *round = json_object_get(record, "round"), *version = json_object_get(record, "version");
	if (version && (!json_is_integer(version) || json_integer_value(version) < 1 || json_integer_value(version) > RECORDS_VERSION))
		return err_hint(err_new("a record of version %lld; this qlaunch knows 1 to %d", (long long)json_integer_value(version),
					RECORDS_VERSION),
				"a newer qlaunch wrote it");
	if (!json_is_string(json_object_get(record, "variant")) || !json_is_object(json_object_get(record, "metrics")) ||
	    !json_is_integer(round) || json_integer_value(round) < 0 || json_integer_value(round) > ROUNDS_MAX)
		return err_new("not a record of a benchmark");
	return NULL;
}

static struct err *each_line(FILE *f, struct err *(*fn)(void *data, json_t *record), void *data, size_t *line_number, bool *ret_cut)
{
	cleanup_free char *line = NULL;
	size_t room = 0;
	for (ssize_t n; (n = getline(&line, &room, f)) > 0;) {
		bool whole = line[n - 1] == '\n';
		++*line_number;
		if (n == 1)
			continue;
		json_t *record = json_loadb(line, (size_t)n, 0, NULL);
		*ret_cut = !record && !whole;
		struct err *e = *ret_cut ? NULL : check_record(record);
		if (!e && record)
			e = fn(data, record);
		json_decref(record);
		TRY(e);
	}
	/* clang 21 sees getline(), not the cleanup: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	return ferror(f) ? err_errno(errno, "reading") : NULL;
}

struct err *records_each(struct root *root, const char *path, struct err *(*fn)(void *data, json_t *record), void *data, bool *ret_cut)
{
	cleanup_free char *real = realpath(path, NULL);
	size_t line = 0;
	int fd = -1;
	*ret_cut = false;
	if (!real)
		return err_errno(errno, "%s", path);
	TRY(root_open_fd(root, real, O_RDONLY | O_NONBLOCK | O_CLOEXEC, &fd)); /* a FIFO that nobody writes to */
	FILE *f = fdopen(fd, "r");
	if (!f) {
		fd_closep(&fd);
		return err_errno(errno, "%s", path);
	}
	struct err *e = each_line(f, fn, data, &line, ret_cut);
	fclose(f);
	return err_exit(err_wrap(e, "%s:%zu", path, line), EXIT_CONFIG);
}

struct err *records_mend(struct root *root, const char *path)
{
	cleanup_fd int fd = -1;
	TRY(root_open_fd(root, path, O_RDWR | O_CLOEXEC, &fd));
	off_t end = lseek(fd, 0, SEEK_END);
	for (char c = 0; end > 0 && pread(fd, &c, 1, end - 1) == 1 && c != '\n';)
		end--;
	return end < 0 || ftruncate(fd, end) < 0 || fdatasync(fd) < 0 ? err_errno(errno, "%s", path) : NULL;
}
