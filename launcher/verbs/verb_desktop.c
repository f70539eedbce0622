/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch desktop [--remove] CONFIG: the machine in the desktop's menu, with its ways to stop it and to switch its monitors. An entry of
 * the user's own, written as the user: root has no part in it. What needs root is started by pkexec, which asks; the rest is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/tools/entry.h"
#include "launcher/host/kind/systemd.h"
#include "launcher/plan/plan.h"

#define SERVICE_DIR "/etc/qlaunch/"
#define POLICY "org.qlaunch.policy"

static char *entry_path(const struct user *u, const char *vm)
{
	return str_fmt("%s/applications/qlaunch-%s.desktop", u->data_dir, vm);
}

static struct err *only_own(const struct verb_args *args, struct user *ret_user)
{
	cleanup_user struct user u = {};
	bool removes = verb_option(args, "remove");
	TRY(verb_words(args, 1, 1, "desktop [--remove] CONFIG"));
	TRY(user_find(NULL, &u));
	if (u.uid != getuid())
		return err_exit(err_hint(err_new("the entry is one of %s's own menu, and root has no part in it", u.name),
					 "without sudo: qlaunch desktop %s%s", removes ? "--remove " : "", args->words.v[0]),
				EXIT_USAGE);
	*ret_user = u;
	u = (struct user){};
	return NULL;
}

/* ---- what it says ---- */

static void command(struct strv *ret, bool asks, const struct entry *e, const char *verb, const char *word)
{
	cleanup_free char *pkexec = asks ? child_find("pkexec") : NULL;
	if (asks)
		strv_add(ret, pkexec ? pkexec : "pkexec");
	strv_add(ret, e->program);
	strv_add(ret, verb);
	strv_add(ret, word);
}

/* The configuration as it is meant here: with what the command line sets. */
static void add_sets(struct strv *ret, const struct strv *sets)
{
	for (size_t i = 0; i < sets->n; i++) {
		strv_add(ret, "--set");
		strv_add(ret, sets->v[i]);
	}
}

/* A machine that takes the desktop's own card ends the desktop, and would end with it: it is a service, and systemd asks. */
static struct err *service_commands(struct entry *e, const struct plan *p)
{
	const char *file = str_base(e->config);
	if (!str_starts(e->config, SERVICE_DIR) || !str_ends(file, ".conf")) {
		struct err *no =
			err_new("%s has `release-console = yes`: it stops the desktop, and so runs as a service", p->config->vm.name);
		return err_exit(err_hint(no, "sudo cp %s " SERVICE_DIR "; then: qlaunch desktop " SERVICE_DIR "%s", e->config, file),
				EXIT_CONFIG);
	}
	cleanup_free char *instance = str_ndup(file, strlen(file) - strlen(".conf"));
	struct strv *const lines[] = { &e->start, &e->stop };
	static const char *const verbs[] = { "start", "stop" };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		strv_add(lines[i], "systemctl");
		strv_add(lines[i], verbs[i]);
		strv_addf(lines[i], "qlaunch@%s.service", instance);
	}
	return NULL;
}

/* Whether this user may talk to the monitors without root. */
static bool may_use_i2c(struct root *root)
{
	cleanup_strv struct strv names = {};
	cleanup_err struct err *e = root_list(root, "/dev", &names);
	size_t n = 0;
	for (size_t i = 0; !e && i < names.n; i++) {
		cleanup_free char *path = str_fmt("/dev/%s", names.v[i]);
		if (!str_starts(names.v[i], "i2c-"))
			continue;
		n++;
		if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) < 0)
			return false;
	}
	return n;
}

static struct err *commands(struct cli *cli, const struct plan *p, bool asks, struct entry *e)
{
	const struct config *c = p->config;
	if (c->host.release_console) {
		TRY(service_commands(e, p));
	} else {
		command(&e->start, asks, e, "run", e->config);
		add_sets(&e->start, &cli->sets);
		command(&e->stop, asks, e, "stop", c->vm.name);
	}
	if (c->n_monitors) {
		command(&e->swap, p->user.uid && (asks || !may_use_i2c(cli->root)), e, "switch", e->config);
		add_sets(&e->swap, &cli->sets);
	}
	return NULL;
}

static void free_entry(struct entry *e)
{
	strv_free(&e->start);
	strv_free(&e->stop);
	strv_free(&e->swap);
}

/* ---- the file ---- */

static struct err *foreign(const char *path, const char *config)
{
	struct err *e = config ? err_new("%s is there already, for another machine: %s", path, config)
			       : err_new("%s is there already, and is none of qlaunch's", path);
	return err_exit(config ? err_hint(e, "give one of them another `name` in [vm], or: rm %s", path)
			       : err_hint(e, "move it away, and try again"),
			EXIT_USAGE);
}

/* Whether `path` may be written: nothing is there, or an entry of ours for the same configuration (NULL: for any). */
static struct err *look(struct root *root, const char *path, const char *config, bool *ret_there)
{
	cleanup_free char *text = NULL, *its = NULL;
	struct err *e = root_read(root, path, &text);
	*ret_there = !e;
	if (err_code(e) == ENOENT) {
		err_free(e);
		return NULL;
	}
	TRY(err_exit(e, EXIT_HOST));
	its = entry_config(text);
	return !its || (config && !streq(its, config)) ? foreign(path, its) : NULL;
}

static struct err *put(struct root *root, const char *path, const char *config, const char *text, bool *ret_there)
{
	cleanup_free char *dir = str_dir(path);
	TRY(look(root, path, config, ret_there));
	TRY(root_mkdirs(root, dir, 0700)); /* as the base directory specification wants them */
	return *ret_there ? root_put(root, path, text, 0644) : root_put_new(root, path, text, strlen(text), 0644);
}

/* ---- what is told ---- */

/* polkit has not heard of this program: it would ask, but not say why, nor hand the display on. */
static void check_policy(struct root *root, const struct entry *e)
{
	static const char *const dirs[] = { "/usr/share/polkit-1/actions", "/usr/local/share/polkit-1/actions", "/etc/polkit-1/actions" };
	cleanup_free char *pkexec = child_find("pkexec");
	if (!pkexec)
		log_warn("pkexec is not installed, and the entry needs it: install polkit");
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *path = str_fmt("%s/" POLICY, dirs[i]), *text = root_read_or(root, path, ""),
				  *program = str_fmt(">%s<", e->program);
		if (strstr(text, program))
			return;
	}
	cleanup_free char *dir = str_dir(e->program), *here = str_fmt("%s/../share/polkit-1/actions/" POLICY, dir),
			  *real = realpath(here, NULL);
	log_warn("polkit's prompt will not say why root is needed: %s has no policy there", e->program);
	if (real)
		log_warn("  → sudo ln -s %s %s/", real, dirs[0]);
	else
		log_warn("  → sudo make install PREFIX=/usr");
}

static void say(const struct plan *p, const struct entry *e, const char *path, bool asks, bool there)
{
	cleanup_free char *how = strv_join(&e->start, " ");
	log_info("%s: %s in the menu", p->config->vm.name, there ? "renewed" : "now");
	log_info("  entry    %s", path);
	log_info("  starts   %s", how);
	log_info("  actions  stop%s", e->swap.n ? _(", switch monitor") : "");
	log_info("  asks     %s", asks                              ? _("for a password: the host's devices or CPUs are prepared for it")
				  : p->config->host.release_console ? _("for a password, as systemd does")
								    : _("nothing: no step needs root"));
}

static struct err *install(struct cli *cli, const struct user *u, const char *word)
{
	cleanup_plan struct plan p = {};
	cleanup_free char *icon = entry_icon(), *program = entry_program(), *config = NULL, *path = NULL;
	TRY(plan_make(cli, word, &p));
	config = realpath(p.config->path, NULL);
	path = entry_path(u, p.config->vm.name);
	if (!config || !program)
		return err_exit(err_errno(errno, "%s", p.config->path), EXIT_HOST);
	bool asks = plan_needs_root(&p) && u->uid && !p.config->host.release_console, there = false;
	cleanup(free_entry) struct entry e = {
		.name = p.config->vm.name, .comment = p.config->vm.description, .icon = icon, .program = program, .config = config,
	};
	TRY(commands(cli, &p, asks, &e));
	cleanup_free char *text = entry_text(&e);
	TRY(err_exit(put(cli->root, path, config, text, &there), EXIT_HOST));
	say(&p, &e, path, asks, there);
	if (asks)
		check_policy(cli->root, &e);
	return NULL;
}

/* The configuration may be gone already: then the word itself is the name. */
static char *name_of(struct cli *cli, const char *word)
{
	cleanup_config struct config *c = NULL;
	cleanup_err struct err *e = config_load(word, &cli->sets, &c);
	return !e ? str_dup(c->vm.name) : config_name_of(word);
}

static struct err *remove_entry(struct cli *cli, const struct user *u, const char *word)
{
	bool there = false;
	cleanup_free char *name = name_of(cli, word), *path = entry_path(u, name);
	TRY(look(cli->root, path, NULL, &there));
	if (!there) {
		log_info("%s is not in the menu", name);
		return NULL;
	}
	TRY(err_exit(root_unlink(cli->root, path), EXIT_HOST));
	log_info("%s: no longer in the menu", name);
	return NULL;
}

struct err *verb_desktop(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user u = {};
	TRY(only_own(args, &u));
	if (!root_is_host(cli->root))
		return err_exit(err_new("a menu is of this host, not of one under --root %s", root_dir(cli->root)), EXIT_USAGE);
	return verb_option(args, "remove") ? remove_entry(cli, &u, args->words.v[0]) : install(cli, &u, args->words.v[0]);
}
