/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write: see write.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/base/root.h"
#include "launcher/config/config.h"
#include "launcher/verbs/write.h"

struct writing {
	const char *path, *text;
};

static struct err *exists(const char *path)
{
	return err_exit(
		err_hint(err_coded(EEXIST, "%s is there already, and is not overwritten", path), "take another name, or --output FILE"),
		EXIT_USAGE);
}

struct looking {
	const char *output, *name;
	char *path;
};

/* With the user's rights and HOME, which is where a configuration's name is looked up, too. */
static struct err *look(void *data)
{
	struct looking *l = data;
	cleanup_free char *here = getcwd(NULL, 0);
	const char *home = getenv("HOME");
	if (!l->output && !home)
		return err_exit(err_hint(err_new("there is no HOME to write %s.conf to", l->name), "--output FILE"), EXIT_USAGE);
	l->path = !l->output                   ? str_fmt("%s/.config/qlaunch/%s.conf", home, l->name)
		  : *l->output == '/' || !here ? str_dup(l->output)
					       : str_fmt("%s/%s", here, l->output);
	if (!str_is_utf8(l->path)) { /* nobody could load it from there */
		cleanup_free char *shown = str_printable(l->path);
		return err_exit(err_hint(err_new("the name of the configuration or of its folder is no UTF-8: %s", shown), "--output FILE"),
				EXIT_USAGE);
	}
	return faccessat(AT_FDCWD, l->path, F_OK, AT_EACCESS) == 0 ? exists(l->path) : NULL;
}

struct err *write_path(const struct user *u, const char *output, const char *name, char **ret_path)
{
	struct looking l = { .output = output, .name = name };
	if (streq(output, "-"))
		return NULL;
	struct err *e = user_visit(u, look, &l);
	*ret_path = e ? NULL : steal(l.path);
	free(l.path);
	return e;
}

static struct err *create(void *data)
{
	const struct writing *w = data;
	cleanup_root struct root *root = NULL;
	const char *slash = strrchr(w->path, '/');
	cleanup_free char *dir = str_ndup(w->path, (size_t)(slash - w->path));
	TRY(root_open("/", &root));
	if (*dir)
		TRY(root_mkdirs(root, dir, 0755));
	struct err *e = root_put_new(root, w->path, w->text, strlen(w->text), 0644);
	if (err_code(e) != EEXIST)
		return e;
	err_free(e);
	return exists(w->path);
}

struct err *write_new(const struct user *u, const char *path, const char *text)
{
	struct writing w = { path, text };
	if (path)
		return user_visit(u, create, &w);
	fputs(text, stdout);
	return NULL;
}

struct err *write_verify(const char *text, const char *what)
{
	struct conf_errors errors = {};
	config_free(config_parse(text, "line", NULL, NULL, &errors));
	cleanup_free char *lines = strv_join(&errors.lines, "\n  ");
	bool bad = errors.lines.n;
	strv_free(&errors.lines);
	return bad ? err_exit(err_new(N_("%s does not come to a configuration:\n  %s"), what, lines), EXIT_CONFIG) : NULL;
}
