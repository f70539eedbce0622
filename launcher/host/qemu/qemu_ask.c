/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu_ask: see qemu_ask.h.
 *
 * All of it happens in one child, which first becomes the user: a binary that a configuration names must not be run,
 * nor its answers be read into structures, by root. The child's whole word is the JSON in a memory file. QEMU and its
 * children die with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/host/qemu/qemu_ask.h"
#include "qmp/qmp.h"

#define ASK_LIMIT_MS 120000 /* all of it: 0.2 s on an idle machine, half a minute and more in a virtual one under load */
#define CALL_LIMIT_MS 20000
#define ANSWER_MAX 65536

struct ask {
	const char *binary;
	const struct user *user;
	int out; /* a memory file */
};

/* What QEMU said, in a shape that is easy to look names up in: objects whose keys are the names. */
struct answers {
	struct qmp *q;
	json_t *types, *options, *schema;
	char *machine; /* q35's type */
	char *type;    /* whose properties `properties` are */
	json_t *properties;
};

static void answers_free(struct answers *a)
{
	qmp_free(a->q);
	json_decref(a->types);
	json_decref(a->options);
	json_decref(a->schema);
	json_decref(a->properties);
	free(a->machine);
	free(a->type);
}
#define cleanup_answers cleanup(answers_free)

/* [{key: NAME, …}, …] → {NAME: the element}. Takes over `array`. */
static json_t *by_name(json_t *array, const char *key)
{
	json_t *object = json_object(), *element;
	size_t i;
	json_array_foreach (array, i, element) {
		const char *name = json_string_value(json_object_get(element, key));
		if (name)
			json_object_set(object, name, element);
	}
	json_decref(array);
	return object;
}

/* The properties of a type; those of the last one asked about are kept. NULL where there is no such type. */
static const json_t *properties_of(struct answers *a, const char *type)
{
	if (streq(a->type, type))
		return a->properties;
	json_t *list = NULL;
	err_free(qmp_call(a->q, "qom-list-properties", json_pack("{s:s}", "typename", type), CALL_LIMIT_MS, &list));
	str_set(&a->type, type);
	json_decref(a->properties);
	a->properties = list ? by_name(list, "name") : NULL;
	return a->properties;
}

/*
 * Whether the enumeration of the schema that is known by one of its values (the names of types are no part of it) has
 * `value` too.
 */
static bool schema_has(const struct answers *a, const char *known, const char *value)
{
	json_t *type, *word;
	size_t i, j;
	json_array_foreach (a->schema, i, type) {
		bool is = false, has = false;
		json_array_foreach (json_object_get(type, "values"), j, word) {
			is = is || streq(json_string_value(word), known);
			has = has || streq(json_string_value(word), value);
		}
		if (is && has)
			return true;
	}
	return false;
}

static bool has_option(const struct answers *a, const char *name, const char *parameter)
{
	json_t *option = json_object_get(a->options, name), *p;
	size_t i;
	if (!parameter)
		return option;
	json_array_foreach (json_object_get(option, "parameters"), i, p)
		if (streq(json_string_value(json_object_get(p, "name")), parameter))
			return true;
	return false;
}

static bool has(struct answers *a, const char *category, const char *name, const char *part)
{
	cleanup_free char *accel = str_fmt("%s-accel", name);
	if (streq(category, "device") || streq(category, "object"))
		return json_object_get(a->types, name) && (!part || json_object_get(properties_of(a, name), part));
	if (streq(category, "cpu"))
		return json_object_get(properties_of(a, "max-x86_64-cpu"), name);
	if (streq(category, "machine"))
		return a->machine && json_object_get(properties_of(a, a->machine), name);
	if (streq(category, "option"))
		return has_option(a, name, part);
	if (streq(category, "aio"))
		return schema_has(a, "threads", name);
	if (streq(category, "blockdev"))
		return schema_has(a, "null-co", name);
	return streq(category, "accel") && json_object_get(a->types, accel);
}

static struct err *ask_names(struct answers *a, struct sb *names)
{
	json_t *value = NULL, *machine;
	size_t i;
	TRY(qmp_call(a->q, "qom-list-types", NULL, CALL_LIMIT_MS, &value));
	a->types = by_name(steal(value), "name");
	TRY(qmp_call(a->q, "query-command-line-options", NULL, CALL_LIMIT_MS, &value));
	a->options = by_name(steal(value), "option");
	TRY(qmp_call(a->q, "query-qmp-schema", NULL, CALL_LIMIT_MS, &a->schema));
	TRY(qmp_call(a->q, "query-machines", NULL, CALL_LIMIT_MS, &value));
	json_array_foreach (value, i, machine)
		if (streq(json_string_value(json_object_get(machine, "alias")), "q35"))
			a->machine = str_fmt("%s-machine", json_string_value(json_object_get(machine, "name")));
	json_array_foreach (value, i, machine) {
		const char *type = json_string_value(json_object_get(machine, "name"));
		if (type && str_starts(type, "pc-q35-"))
			sb_addf(names, "%s:%s ", json_object_get(machine, "alias") ? "newest" : "type", type);
	}
	json_decref(value);
	for (const struct qemu_name *n = qemu_names; n->name; n++) {
		cleanup_free char *category = str_dup(n->name);
		char *name = strchr(category, ':'), *part = strchr(category, '.');
		*name++ = '\0';
		if (part)
			*part++ = '\0';
		if (has(a, category, name, part))
			sb_addf(names, "%s ", n->name);
	}
	return NULL;
}

/* `-audiodev help` and the like: a word a line; all else is talk. A QEMU without the option has none of them. */
static void ask_help(const char *binary, const char *category, struct sb *names)
{
	cleanup_free char *option = str_fmt("-%s", category), *text = NULL;
	cleanup_strv struct strv lines = {};
	const char *const argv[] = { binary, "-machine", "none", option, "help", NULL };
	err_free(child_output(argv, CALL_LIMIT_MS, &text));
	strv_split(&lines, text ? text : "", "\r\n");
	for (size_t i = 0; i < lines.n; i++)
		if (!lines.v[i][strcspn(lines.v[i], " \t:,")])
			sb_addf(names, "%s:%s ", category, lines.v[i]);
}

static pid_t spawn(const char *binary, int monitor, int errors)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC); /* a terminal is not for a program that the user names */
	if (dup2(null, 0) == 0 && dup2(errors, 1) == 1 && dup2(errors, 2) == 2 && dup2(monitor, 3) == 3 && close_range(4, ~0U, 0) == 0)
		execl(binary, binary, "-machine", "none", "-nodefaults", "-no-user-config", "-S", "-display", "none", "-chardev",
		      "socket,id=qmp,fd=3", "-qmp", "chardev:qmp", NULL);
	fprintf(stderr, "%s: %m\n", binary);
	_exit(127);
}

/* The error of a QEMU that did not come to talk: what it said instead, which is its first line that only warns of nothing. */
static struct err *with_words(struct err *e, int errors)
{
	char buf[8192];
	ssize_t n = pread(errors, buf, sizeof(buf) - 1, 0);
	if (!e || n <= 0)
		return e;
	buf[n] = '\0';
	cleanup_strv struct strv lines = {};
	strv_split(&lines, buf, "\r\n");
	const char *line = lines.n ? lines.v[0] : "";
	for (size_t i = lines.n; i-- > 0;)
		if (!strstr(lines.v[i], ": warning: ") && !strstr(lines.v[i], ": info: "))
			line = lines.v[i];
	cleanup_free char *words = str_printable(str_trim((char *)line));
	err_free(e);
	return err_new("%s", words);
}

static struct err *ask_monitor(const struct ask *ask, struct sb *names, char **ret_version)
{
	int fds[2];
	cleanup_answers struct answers a = {};
	cleanup_fd int errors = memfd_create("errors", MFD_CLOEXEC);
	if (errors < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return err_errno(errno, "socketpair");
	cleanup_fd int theirs = fds[1];
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	a.q = qmp_new(fds[0]);
	if (spawn(ask->binary, theirs, errors) < 0)
		return err_errno(errno, "fork");
	fd_closep(&theirs);
	TRY(with_words(qmp_handshake(a.q, CALL_LIMIT_MS), errors));
	int major, minor, micro;
	if (json_unpack((json_t *)qmp_greeting(a.q), "{s:{s:{s:i, s:i, s:i}}}", "version", "qemu", "major", &major, "minor", &minor,
			"micro", &micro) < 0)
		return err_new("a greeting without a version");
	TRY(ask_names(&a, names));
	err_free(qmp_call(a.q, "quit", NULL, CALL_LIMIT_MS, NULL));
	*ret_version = str_fmt("%d.%d.%d", major, minor, micro);
	return NULL;
}

static struct err *ask_in_child(void *data)
{
	static const char *const open_lists[] = { "audiodev", "display", "netdev" };
	struct ask *ask = data;
	TRY(user_become(ask->user));
	cleanup_free char *version = NULL;
	cleanup_sb struct sb names = {};
	TRY(ask_monitor(ask, &names, &version));
	for (size_t i = 0; i < ARRAY_SIZE(open_lists); i++)
		ask_help(ask->binary, open_lists[i], &names);
	json_t *answer = json_pack("{s:s, s:s}", "version", version, "has", names.s);
	cleanup_free char *text = json_dumps(answer, JSON_COMPACT);
	if (!text || write(ask->out, text, strlen(text)) != (ssize_t)strlen(text))
		return err_errno(EIO, "cannot hand on the answer");
	return NULL;
}

struct err *qemu_ask(const char *binary, const struct user *user, json_t **ret_answer)
{
	char buf[ANSWER_MAX];
	cleanup_fd int out = memfd_create("answer", MFD_CLOEXEC);
	struct ask ask = { binary, user, out };
	if (out < 0)
		return err_errno(errno, "memfd");
	TRY(child_call(ask_in_child, &ask, ASK_LIMIT_MS));
	ssize_t n = pread(out, buf, sizeof(buf), 0);
	json_t *answer = n > 0 ? json_loadb(buf, (size_t)n, 0, NULL) : NULL;
	if (!answer)
		return err_new("no answer");
	*ret_answer = answer;
	return NULL;
}
