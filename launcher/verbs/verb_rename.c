/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch rename CONFIG NAME: the machine's file, its folder and what names it get another name; what the guest sees stays as it is: a card's
 * address that was made of the old name is written down. Made in an order in which a power cut leaves a whole machine behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/tree.h"
#include "launcher/config/paths.h"
#include "launcher/config/rewrite.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/write.h"

static char *text_of(const struct own *o, const char *home)
{
	const struct config *c = o->config;
	cleanup_rewrites struct rewrites keys = {};
	cleanup_paths struct conf_paths paths = paths_of(c);
	rewrites_add(&keys, "vm", NULL, "name", NULL); /* it is the file's */
	for (size_t i = 0; i < c->n_networks; i++) {
		char mac[NET_MAC_TEXT];
		net_default_mac(c->vm.name, c->networks[i].name, mac);
		if (!c->networks[i].mac)
			rewrites_add(&keys, "network", c->networks[i].name, "mac", mac);
	}
	for (size_t i = 0; i < paths.n; i++) {
		const struct conf_path *p = &paths.v[i];
		cleanup_free char *moved = own_moved(o, p->path, home);
		if (moved)
			rewrites_add(&keys, p->section, p->name, p->key, moved);
	}
	cleanup_free char *whole = str_fmt("%s\n", o->text);
	return config_rewrite(whole, keys.v, keys.n);
}

static struct err *move_home(struct cli *cli, const char *from, const char *to)
{
	if (!root_exists(cli->root, from) || renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return NULL;
	return err_exit(err_errno(errno, "%s", from), EXIT_HOST);
}

/* The new file (and the link to it), then the folder, then the old file goes: until the last step the old name is whole, or the new one is. */
static struct err *move(struct cli *cli, const struct own *o, const char *path, const char *home, const char *text)
{
	cleanup_free char *link = own_link_beside(o, path);
	TRY(write_new(&o->user, path, text));
	struct err *e = link ? err_exit(root_symlink(cli->root, path, link), EXIT_HOST) : NULL;
	bool linked = link && !e;
	if (!e)
		e = move_home(cli, o->home, home);
	if (!e) {
		e = err_exit(root_unlink(cli->root, o->path), EXIT_HOST);
		if (e)
			err_free(move_home(cli, home, o->home));
	}
	if (e && linked)
		err_free(root_unlink(cli->root, link));
	if (e)
		err_free(root_unlink(cli->root, path));
	else if (o->link)
		log_err(LOG_LEVEL_WARN, root_unlink(cli->root, o->link));
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
