/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch rename CONFIG NAME: the machine's file, its folder and what names it get another name; what the guest sees stays as it is: a card's
 * address that was made of the old name is written down. Made in an order in which a power cut leaves a whole machine behind.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <errno.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/tree.h"
#include "launcher/config/rewrite.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/write.h"

struct keys {
	struct rewrite *v;
	size_t n;
	struct strv texts; /* what v points to */
};

static void keys_free(struct keys *k)
{
	free(k->v);
	strv_free(&k->texts);
}

static void add(struct keys *k, const char *section, const char *name, const char *key, const char *value)
{
	k->v = mem_grow(k->v, k->n, sizeof(*k->v));
	strv_addf(&k->texts, "%s%s%s", section, *name ? " " : "", name);
	size_t at = k->texts.n - 1;
	strv_add(&k->texts, value ? value : "");
	k->v[k->n++] = (struct rewrite){ .section = k->texts.v[at], .key = key, .value = value ? k->texts.v[at + 1] : NULL };
}

/* Which keys change; without a value they go. */
static void changes(const struct own *o, const char *home, struct keys *ret)
{
	const struct config *c = o->config;
	size_t n = strlen(o->home);
	add(ret, "vm", "", "name", NULL); /* it is the file's */
	for (size_t i = 0; i < c->n_networks; i++) {
		char mac[NET_MAC_TEXT];
		net_default_mac(c->vm.name, c->networks[i].name, mac);
		if (!c->networks[i].mac)
			add(ret, "network", c->networks[i].name, "mac", mac);
	}
	for (size_t i = 0; i < c->n_disks + c->n_cdroms; i++) {
		bool cdrom = i >= c->n_disks;
		const struct conf_disk *d = cdrom ? &c->cdroms[i - c->n_disks] : &c->disks[i];
		if (!d->path || strncmp(d->path, o->home, n) != 0 || d->path[n] != '/')
			continue;
		cleanup_free char *moved = str_fmt("%s%s", home, d->path + n);
		add(ret, cdrom ? "cdrom" : "disk", d->name, "path", moved);
	}
	if (c->firmware.vars && strncmp(c->firmware.vars, o->home, n) == 0 && c->firmware.vars[n] == '/') {
		cleanup_free char *moved = str_fmt("%s%s", home, c->firmware.vars + n);
		add(ret, "firmware", "", "vars", moved);
	}
}

static char *text_of(const struct own *o, const char *home)
{
	cleanup(keys_free) struct keys k = {};
	changes(o, home, &k);
	cleanup_free char *whole = str_fmt("%s\n", o->text);
	return config_rewrite(whole, k.v, k.n);
}

static struct err *move_home(struct cli *cli, const char *from, const char *to)
{
	if (!root_exists(cli->root, from) || renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return NULL;
	return err_exit(err_errno(errno, "%s", from), EXIT_HOST);
}

/* The new file, then the folder, then the old file goes: until the last step the old name is whole, or the new one is. */
static struct err *move(struct cli *cli, const struct own *o, const char *path, const char *home, const char *text)
{
	TRY(write_new(&o->user, path, text));
	struct err *e = move_home(cli, o->home, home);
	if (!e) {
		e = err_exit(root_unlink(cli->root, o->path), EXIT_HOST);
		if (e)
			err_free(move_home(cli, home, o->home));
	}
	if (e)
		err_free(root_unlink(cli->root, path));
	return e;
}

struct err *verb_rename(struct cli *cli, const struct verb_args *args)
{
	cleanup_own struct own o = {};
	cleanup_free char *path = NULL, *home = NULL;
	TRY(verb_words(args, 2, 2, "rename CONFIG NAME"));
	const char *name = args->words.v[1];
	TRY(own_open(cli, args->words.v[0], false, &o));
	TRY(own_idle(cli, o.config->vm.name, N_("renamed")));
	TRY(own_writable(&o));
	TRY(own_free_name(cli, &o, name, &path, &home));
	cleanup_free char *text = text_of(&o, home), *entry = own_entry(cli, &o), *unit = own_unit(&o);
	bool starts = own_autostarts(cli, &o);
	TRY(write_verify(text, o.path));
	sigset_t ends = end_signals(), before;
	sigprocmask(SIG_BLOCK, &ends, &before);
	struct err *e = move(cli, &o, path, home, text);
	sigprocmask(SIG_SETMASK, &before, NULL);
	TRY(e);
	log_info("%s is %s now: %s", o.config->vm.name, name, path);
	if (entry) {
		log_err(LOG_LEVEL_WARN, tree_remove(cli->root, entry));
		log_info("its entry in the desktop's menu is gone; a new one: qlaunch desktop %s", name);
	}
	if (starts)
		log_warn("it was started at login by its old name: systemctl --user disable %s; qlaunch autostart %s on", unit, name);
	return NULL;
}
