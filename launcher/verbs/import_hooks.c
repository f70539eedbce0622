/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_hooks: see import_hooks.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "launcher/base/root.h"
#include "launcher/base/tr.h"
#include "launcher/base/user.h"
#include "launcher/import/hook_works.h"
#include "launcher/verbs/import_hooks.h"
#include "launcher/verbs/pager.h"

#define DEPTH_MAX 6 /* hooks/qemu.d/NAME/prepare/begin is four */
#define FILES_MAX 200

struct reading {
	const char *dir;
	struct strv paths, texts;
};

static void read_file(struct root *root, const char *path, struct reading *r)
{
	struct stat st;
	cleanup_err struct err *e = root_stat(root, path, &st);
	cleanup_free char *text = e || !S_ISREG(st.st_mode) || st.st_size > (off_t)ROOT_TEXT_MAX ? NULL : root_read_or(root, path, NULL);
	if (!text || r->paths.n >= FILES_MAX)
		return;
	strv_add(&r->paths, path);
	strv_add(&r->texts, text);
}

/* Sorted, as libvirt and the dispatcher that people use run them. A link to a folder could lead in a circle. */
static struct err *read_folder(struct root *root, const char *dir, unsigned depth, struct reading *r)
{
	cleanup_strv struct strv names = {};
	TRY(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", dir, names.v[i]);
		struct stat st;
		cleanup_err struct err *e = root_stat(root, path, &st);
		if (!e && S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			err_free(read_folder(root, path, depth + 1, r));
		else if (!e)
			read_file(root, path, r);
	}
	return NULL;
}

static struct err *read_all(void *data)
{
	struct reading *r = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *real = realpath(r->dir, NULL);
	TRY(root_open("/", &root));
	return real ? read_folder(root, real, 0, r) : err_exit(err_new("%s: there is no such file", r->dir), EXIT_USAGE);
}

/* A line of a script: its place, its words, and what does its work. */
static void print_line(const struct hook_line *l, const char *text, size_t len, size_t *missing)
{
	cleanup_free char *line = str_ndup(text, len < 60 ? len : 60), *words = str_printable(line);
	const char *what = l->key ? l->key : l->done ? tr(l->done) : _("no key does this: a program of yours, [hooks] before and after");
	*missing += !l->key && !l->done;
	printf("  %4u  %s%s\n", l->line, words, len > 60 ? "…" : "");
	cleanup_free char *first = str_dup("        → ");
	page_wrap(first, page_width(first), what);
}

static void print_script(const char *path, const char *text, struct strv *keys, size_t *missing)
{
	struct hook_reader r = { .text = text };
	struct hook_line l;
	const char *words;
	size_t len;
	cleanup_free char *name = str_printable(path);
	printf("%s\n", name);
	while (hooks_next(&r, &l, &words, &len)) {
		print_line(&l, words, len, missing);
		if (l.key && !strv_has(keys, l.key))
			strv_add(keys, l.key);
	}
}

struct err *import_hooks(const struct user *u, const char *dir)
{
	struct reading r = { .dir = dir };
	cleanup_strv struct strv keys = {};
	size_t missing = 0;
	struct err *e = user_visit(u, read_all, &r);
	if (!e && !r.paths.n)
		e = err_exit(err_new("%s: no script is there", dir), EXIT_CONFIG);
	for (size_t i = 0; !e && i < r.paths.n; i++)
		print_script(r.paths.v[i], r.texts.v[i], &keys, &missing);
	if (!e && keys.n) {
		printf("\n%s\n", _("The keys, all together:"));
		for (size_t i = 0; i < keys.n; i++)
			printf("  %s\n", keys.v[i]);
	}
	if (!e)
		printf("\n%s\n", missing ? _("What no key does stays a script: [hooks] before and after run it, as you. The others can go.")
					 : _("Keys do all of it: these scripts can go. All that they change is put back at the end."));
	strv_free(&r.paths);
	strv_free(&r.texts);
	return e;
}
