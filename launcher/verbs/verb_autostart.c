/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch autostart CONFIG [on|off]: whether the machine starts by itself: one of ~/.config/qlaunch at its user's login, one of /etc/qlaunch
 * with the host. systemd does it, by the unit qlaunch@NAME; this asks it to, and writes nothing itself.
 */
#include <stdio.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/config/value.h"
#include "launcher/plan/plan.h"
#include "launcher/verbs/own.h"

#define SYSTEMCTL_LIMIT_MS 30000
#define HOST_FOLDER "/etc/qlaunch/"

/* The unit's instance, of a file of root's own folder; NULL: it is none. The file itself is not opened. */
static char *host_instance(const char *word)
{
	cleanup_free char *name = config_name_of(word);
	if (str_starts(word, HOST_FOLDER) && str_ends(word, ".conf") && !strchr(word + strlen(HOST_FOLDER), '/'))
		return steal(name);
	return NULL;
}

static struct err *systemctl(bool of_user, const char *what, const char *unit)
{
	const char *argv[] = { "systemctl", of_user ? "--user" : "--system", what, unit, NULL };
	cleanup_free char *said = NULL;
	struct err *e = child_output(argv, SYSTEMCTL_LIMIT_MS, &said);
	if (e && !of_user && geteuid() != 0)
		e = err_hint(e, "sudo qlaunch autostart …");
	e = err_hint(e, "the unit is there once qlaunch is installed: sudo make install");
	return err_exit(e, EXIT_HOST);
}

static struct err *set(bool of_user, const char *name, const char *unit, const char *word)
{
	bool on = streq(word, "on");
	TRY(systemctl(of_user, on ? "enable" : "disable", unit));
	if (!on)
		log_info("%s: is not started by itself any more", name);
	else if (of_user)
		log_info("%s: starts when you log in; without a login, too: loginctl enable-linger", name);
	else
		log_info("%s: starts with this host", name);
	return NULL;
}

static void show(const char *name, bool on)
{
	printf("%s: %s\n", name, on ? _("on") : _("off"));
}

/* Root on behalf of a user: a machine of root's or of another user's is not theirs to start with the host, nor to keep from it. What the file
 * itself says counts, and no --set. */
static struct err *is_callers(const char *name, const char *path)
{
	cleanup_user struct user caller = {};
	cleanup_config struct config *c = NULL;
	const struct strv none = {};
	if (geteuid() != 0)
		return NULL; /* systemd asks polkit */
	TRY(config_load_as_caller(path, &none, &caller, &c));
	if (caller.uid == 0 || streq(c->vm.user, caller.name))
		return NULL;
	return err_exit(err_hint(err_new("%s is not %s's: its file does not say `user = %s`", name, caller.name, caller.name),
				 "it is for who keeps %s, from a shell of root's own", path),
			EXIT_HOST);
}

/* Typed: the name of a file in root's own folder, as a unit's instance. */
static struct err *of_host(struct cli *cli, const char *name, const char *path, const char *word)
{
	cleanup_free char *unit = str_fmt("qlaunch@%s.service", name);
	cleanup_free char *wants = str_fmt("/etc/systemd/system/multi-user.target.wants/%s", unit), *link = root_link(cli->root, wants);
	TRY(err_exit(value_check_name(name, 64), EXIT_USAGE));
	if (!word) {
		show(name, link);
		return NULL;
	}
	if (streq(word, "on") && !root_exists(cli->root, path))
		return err_exit(err_hint(err_new("there is no %s", path), "sudo install -Dm644 FILE %s", path), EXIT_CONFIG);
	TRY(is_callers(name, path));
	return set(false, name, unit, word);
}

static struct err *of_user(struct cli *cli, const char *arg, const char *word)
{
	cleanup_own struct own o = {};
	cleanup_plan struct plan p = {};
	TRY(own_open(cli, arg, false, &o));
	cleanup_free char *unit = own_unit(&o), *name = config_name_of(o.path);
	if (!word) {
		show(name, own_autostarts(cli, &o));
		return NULL;
	}
	if (streq(word, "on") && !unit)
		return err_exit(err_hint(err_new("%s is in neither ~/.config/qlaunch nor /etc/qlaunch", o.path), "put it there first"),
				EXIT_USAGE);
	if (!unit)
		return NULL;
	if (streq(word, "on"))
		TRY(plan_make(cli, o.path, &p));
	if (p.config && plan_needs_root(&p) && o.user.uid != 0)
		return err_exit(err_hint(err_new("%s needs root for its steps: it starts with the host, not at login", name),
					 "sudo install -Dm644 %s /etc/qlaunch/%s.conf; sudo qlaunch autostart /etc/qlaunch/%s.conf on",
					 o.path, name, name),
				EXIT_USAGE);
	return set(true, name, unit, word);
}

struct err *verb_autostart(struct cli *cli, const struct verb_args *args)
{
	TRY(verb_words(args, 1, 2, "autostart CONFIG [on|off]"));
	const char *arg = args->words.v[0], *word = args->words.n > 1 ? args->words.v[1] : NULL;
	if (word && !streq(word, "on") && !streq(word, "off"))
		return err_exit(err_hint(err_new("\"%s\" is neither on nor off", word), "qlaunch autostart %s on", arg), EXIT_USAGE);
	if (!root_is_host(cli->root))
		return err_exit(err_new("machines are those of this host only, not of --root"), EXIT_USAGE);
	cleanup_free char *instance = host_instance(arg);
	if (instance)
		return of_host(cli, instance, arg, word);
	/* a name: root means its own folder, others the first place where it is found */
	bool is_name = !strchr(arg, '/') && !str_ends(arg, ".conf");
	cleanup_free char *in_host = str_fmt(HOST_FOLDER "%s.conf", arg), *found = is_name && geteuid() != 0 ? config_find(arg) : NULL;
	bool hosts = is_name && (geteuid() == 0 ? root_exists(cli->root, in_host) : streq(found, in_host));
	return hosts ? of_host(cli, arg, in_host, word) : of_user(cli, arg, word);
}
