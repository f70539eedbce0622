/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch remove CONFIG: the machine's files, after all of them were shown and its name was typed. Its disks' images go with it unless
 * --keep-disks; never a device, a disc, a shared folder, what is read only, or what another machine names. The configuration goes last, so
 * that one that was stopped half-way can be removed again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/tree.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/verb_disk.h"

struct removal {
	struct strv files; /* in the order in which they go; the configuration last */
	struct strv kept;  /* "PATH: why" */
};

static void removal_free(struct removal *r)
{
	strv_free(&r->files);
	strv_free(&r->kept);
}

/* Whether a machine names this image or is built upon it. What cannot be looked at is not known to be its. */
static bool has_image(struct cli *cli, const struct config *c, const char *real)
{
	cleanup_disk_facts struct disk_facts facts = {};
	err_free(disk_facts_read(cli->root, c, &facts));
	for (size_t i = 0; i < facts.n; i++) {
		const struct disk *d = &facts.v[i];
		bool has = streq(d->real, real);
		for (size_t k = 0; k < d->below.n && !has; k++) {
			cleanup_free char *its = realpath(d->below.v[k], NULL);
			has = streq(its, real);
		}
		if (has)
			return true;
	}
	return false;
}

/* The other machine that has this image; of one whose text has mistakes its name in it is enough. NULL: none. Owned by the caller. */
static char *other_owner(struct cli *cli, const struct own *o, const char *real)
{
	cleanup_strv struct strv paths = {};
	own_all(cli, &paths);
	for (size_t i = 0; i < paths.n; i++) {
		cleanup_free char *its = realpath(paths.v[i], NULL);
		cleanup_config struct config *c = NULL;
		if (streq(its, o->path))
			continue;
		cleanup_err struct err *e = config_load(paths.v[i], NULL, &c);
		cleanup_free char *text = e ? root_read_or(cli->root, paths.v[i], "") : NULL;
		if (e ? strstr(text, str_base(real)) != NULL : has_image(cli, c, real))
			return c ? str_dup(c->vm.name) : config_name_of(paths.v[i]);
	}
	return NULL;
}

static struct err *collect_disks(struct cli *cli, const struct own *o, bool keep, struct removal *r)
{
	cleanup_disk_facts struct disk_facts facts = {};
	TRY(disk_facts_read(cli->root, o->config, &facts));
	for (size_t i = 0; i < facts.n_disks; i++) {
		const struct disk *d = &facts.v[i];
		cleanup_free char *owner = d->kind == DISK_FILE ? other_owner(cli, o, d->real) : NULL;
		if (d->kind == DISK_ABSENT)
			continue;
		if (d->kind == DISK_FILE && !owner && !keep && !d->conf->readonly) {
			TRY(disk_idle(cli, d, true));
			strv_add(&r->files, d->real);
			continue;
		}
		cleanup_free char *kept = owner ? tr_fmt("%s: %s has it, too", d->conf->path, owner) : str_dup(d->conf->path);
		strv_add(&r->kept, kept);
	}
	return NULL;
}

/* What lies in the machine's folder, one by one: a disk in it may be one that stays. */
static struct err *collect_home(struct cli *cli, const struct own *o, struct removal *r)
{
	cleanup_strv struct strv names = {};
	if (!root_exists(cli->root, o->home))
		return NULL;
	TRY(root_list(cli->root, o->home, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", o->home, names.v[i]);
		bool ours = str_starts(names.v[i], "VARS") || str_starts(names.v[i], "tpm") || streq(names.v[i], "machine") ||
			    streq(names.v[i], "log") || str_starts(names.v[i], "answers");
		if (ours)
			strv_add(&r->files, path);
	}
	return NULL;
}

static struct err *collect(struct cli *cli, const struct own *o, bool keep_disks, struct removal *r)
{
	cleanup_free char *entry = own_entry(cli, o);
	TRY(err_exit(collect_disks(cli, o, keep_disks, r), EXIT_HOST));
	TRY(err_exit(collect_home(cli, o, r), EXIT_HOST));
	if (entry)
		strv_add(&r->files, entry);
	strv_add(&r->files, o->path);
	if (o->link)
		strv_add(&r->files, o->link);
	return NULL;
}

static void show(struct cli *cli, const struct own *o, const struct removal *r)
{
	printf(_("What goes with %s, and does not come back:\n"), o->config->vm.name);
	for (size_t i = 0; i < r->files.n; i++) {
		struct stat st;
		cleanup_err struct err *e = root_stat(cli->root, r->files.v[i], &st);
		cleanup_free char *size = e ? str_dup("") : size_rounded((uint64_t)st.st_blocks * 512);
		printf("  %-8s %s\n", e || !S_ISREG(st.st_mode) ? "" : size, r->files.v[i]);
	}
	if (r->kept.n)
		printf("%s\n", _("What stays:"));
	for (size_t i = 0; i < r->kept.n; i++)
		printf("           %s\n", r->kept.v[i]);
	if (o->config->tpm.version != TPM_NONE)
		printf("%s\n", _("With the TPM's state goes what BitLocker sealed in it: a disk that stays asks for its recovery key."));
	fflush(stdout);
}

struct err *verb_remove(struct cli *cli, const struct verb_args *args)
{
	cleanup_own struct own o = {};
	cleanup(removal_free) struct removal r = {};
	TRY(verb_words(args, 1, 1, "remove [--yes] [--keep-disks] CONFIG"));
	TRY(own_open(cli, args->words.v[0], false, &o));
	TRY(own_idle(cli, o.config->vm.name, N_("removed")));
	TRY(own_writable(&o));
	if (own_autostarts(cli, &o))
		return err_exit(err_hint(err_new("%s starts at login", o.config->vm.name), "qlaunch autostart %s off", args->words.v[0]),
				EXIT_USAGE);
	TRY(collect(cli, &o, verb_option(args, "keep-disks"), &r));
	if (!verb_option(args, "yes") || log_level() >= LOG_LEVEL_INFO)
		show(cli, &o, &r);
	TRY(own_confirm(args, o.config->vm.name, N_("its removal")));
	for (size_t i = 0; i < r.files.n; i++)
		TRY(err_exit(tree_remove(cli->root, r.files.v[i]), EXIT_HOST));
	err_free(root_rmdir(cli->root, o.home)); /* only if it is empty */
	log_info("%s is gone", o.config->vm.name);
	return NULL;
}
