/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answers: see answers.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/root.h"
#include "launcher/tools/answers.h"

#define LIMIT_MS 30000
#define FOLDER "answers"

/* xorriso first: Arch and Fedora have no other. */
static const struct {
	const char *program, *as[2];
} makers[] = { { "xorriso", { "-as", "mkisofs" } }, { "genisoimage", {} }, { "mkisofs", {} } };

char *answers_path(const char *home)
{
	return str_fmt("%s/" FOLDER ".iso", home);
}

struct making {
	const struct user *user;
	const char *home, *name, *text;
};

static void forget(struct root *root, const char *home)
{
	static const char *const names[] = { FOLDER ".iso", FOLDER ".iso.part" };
	cleanup_free char *folder = str_fmt("%s/" FOLDER, home);
	cleanup_strv struct strv files = {};
	err_free(root_list(root, folder, &files));
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", folder, files.v[i]);
		err_free(root_unlink(root, path));
	}
	err_free(root_rmdir(root, folder));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = str_fmt("%s/%s", home, names[i]);
		err_free(root_unlink(root, path));
	}
}

static struct err *run_maker(const char *folder, const char *part)
{
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		cleanup_free char *program = child_find(makers[i].program), *said = NULL;
		if (!program)
			continue;
		cleanup_strv struct strv argv = {};
		strv_add(&argv, program);
		for (size_t k = 0; k < ARRAY_SIZE(makers[i].as) && makers[i].as[k]; k++)
			strv_add(&argv, makers[i].as[k]);
		static const char *const options[] = { "-quiet", "-V", "ANSWERS", "-J", "-r", "-o" };
		for (size_t k = 0; k < ARRAY_SIZE(options); k++)
			strv_add(&argv, options[k]);
		strv_add(&argv, part);
		strv_add(&argv, folder);
		return child_output((const char *const *)argv.v, LIMIT_MS, &said);
	}
	return err_hint(err_new("there is no program here that makes discs"), "install xorriso (Debian, Fedora) or libisoburn (Arch)");
}

/* In a child, as the user for good: nobody else may read any of it at any time. */
static struct err *make(void *data)
{
	const struct making *m = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *folder = str_fmt("%s/" FOLDER, m->home), *file = str_fmt("%s/%s", folder, m->name), *iso = answers_path(m->home),
			  *part = str_fmt("%s.part", iso);
	TRY(geteuid() == 0 ? user_become(m->user) : NULL);
	umask(077);
	TRY(root_open("/", &root));
	forget(root, m->home);
	TRY(root_mkdirs(root, folder, 0700));
	struct err *e = root_put_new(root, file, m->text, strlen(m->text), 0600);
	if (!e)
		e = run_maker(folder, part);
	if (!e && (chmod(part, 0600) < 0 || rename(part, iso) < 0))
		e = err_errno(errno, "%s", iso);
	err_free(root_unlink(root, file));
	err_free(root_rmdir(root, folder));
	if (e)
		forget(root, m->home);
	return e;
}

struct err *answers_make(const struct user *user, const char *home, const char *name, const char *text)
{
	struct making m = { user, home, name, text };
	return err_exit(err_wrap(child_call(make, &m, LIMIT_MS + 5000), "the disc of answers"), EXIT_HOST);
}

static struct err *remove_it(void *data)
{
	cleanup_root struct root *root = NULL;
	TRY(root_open("/", &root));
	forget(root, data);
	return NULL;
}

void answers_remove(const struct user *user, const char *home)
{
	err_free(user_visit(user, remove_it, (void *)home));
}
