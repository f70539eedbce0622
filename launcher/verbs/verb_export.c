/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch export CONFIG: the machine as libvirt's domain XML, or as a script that starts the same QEMU by hand. Writes to standard
 * output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "launcher/base/tr.h"
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/import/export.h"
#include "launcher/plan/plan.h"
#include "launcher/verbs/export_sh.h"

struct source {
	const char *arg;
	char *text, *dir;
};

/* As the user. */
static struct err *read_text(void *data)
{
	struct source *s = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *path = config_find(s->arg), *real = path ? realpath(path, NULL) : NULL;
	TRY(root_open("/", &root));
	TRY(root_read(root, real ? real : s->arg, &s->text));
	s->dir = str_ndup(real ? real : "/", real ? (size_t)(strrchr(real, '/') - real) : 1);
	return NULL;
}

static struct err *export_libvirt(struct cli *cli, const char *arg)
{
	cleanup_config struct config *c = NULL;
	cleanup_user struct user u = {};
	cleanup_strv struct strv left = {};
	cleanup_free char *xml = NULL;
	struct source s = { .arg = arg };
	TRY(config_load_as_caller(arg, &cli->sets, &u, &c));
	struct err *e = user_visit(&u, read_text, &s);
	e = e ? e : export_xml(c, s.text, s.dir, &xml, &left);
	free(s.text);
	free(s.dir);
	TRY(e);
	fputs(xml, stdout);
	if (left.n)
		fprintf(stderr, "%s", _("Only in its <metadata>, for which libvirt has no word, or another:\n"));
	for (size_t i = 0; i < left.n; i++)
		fprintf(stderr, "  %s\n", left.v[i]);
	return NULL;
}

static struct err *export_script(struct cli *cli, const char *arg)
{
	cleanup_plan struct plan p = {};
	TRY(plan_make(cli, arg, &p));
	cleanup_free char *script = export_sh(&p);
	fputs(script, stdout);
	return NULL;
}

struct err *verb_export(struct cli *cli, const struct verb_args *args)
{
	TRY(verb_words(args, 1, 1, "export --libvirt | --sh CONFIG"));
	if (verb_option(args, "libvirt"))
		return export_libvirt(cli, args->words.v[0]);
	if (verb_option(args, "sh"))
		return export_script(cli, args->words.v[0]);
	return err_exit(err_new("export to what? --libvirt or --sh"), EXIT_USAGE);
}
