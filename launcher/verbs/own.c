/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own: see own.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/config/value.h"
#include "launcher/step/journal.h"
#include "launcher/tools/entry.h"
#include "launcher/tools/roots.h"
#include "launcher/verbs/own.h"
#include "ovmf/vars.h"

struct err *own_become(struct cli *cli, const char *word, struct user *ret_user)
{
	cleanup_user struct user u = {};
	if (!root_is_host(cli->root))
		return err_exit(err_new("machines are those of this host only, not of --root"), EXIT_USAGE);
	TRY(user_find(NULL, &u));
	cleanup_free char *found = word && u.uid == 0 ? config_find(word) : NULL, *path = NULL;
	if (found) {
		user_free(&u);
		TRY(behalf_of_file(found, &u, &path));
	}
	if (geteuid() == 0 && u.uid != 0) {
		cleanup_free char *runtime = str_fmt("/run/user/%u", (unsigned)u.uid);
		TRY(user_become(&u));
		setenv("HOME", u.home, 1);
		setenv("XDG_RUNTIME_DIR", runtime, 0);
	}
	*ret_user = u;
	u = (struct user){};
	return NULL;
}

static char *link_of(const char *found)
{
	struct stat st;
	cleanup_free char *dir = strchr(found, '/') ? str_dir(found) : str_dup("."), *real = realpath(*dir ? dir : "/", NULL);
	bool ours = real && faccessat(AT_FDCWD, real, W_OK | X_OK, AT_EACCESS) == 0;
	return ours && lstat(found, &st) == 0 && S_ISLNK(st.st_mode) ? str_fmt("%s/%s", real, str_base(found)) : NULL;
}

static struct err *open_it(struct cli *cli, const char *word, bool broken, struct own *o)
{
	TRY(own_become(cli, word, &o->user));
	cleanup_free char *found = config_find(word);
	o->path = found ? realpath(found, NULL) : NULL;
	o->link = found ? link_of(found) : NULL;
	if (!o->path || !broken)
		TRY(config_load(word, &cli->sets, &o->config)); /* it says best what is missing */
	if (!o->path)
		return err_errno(ENOENT, "%s", word);
	TRY(root_read(cli->root, o->path, &o->text));
	o->home = o->config ? vars_vm_dir(o->config, o->user.data_dir) : NULL;
	return NULL;
}

struct err *own_open(struct cli *cli, const char *word, bool broken, struct own *ret_own)
{
	cleanup_own struct own o = {};
	TRY(err_exit(open_it(cli, word, broken, &o), EXIT_CONFIG));
	*ret_own = o;
	o = (struct own){};
	return NULL;
}

void own_free(struct own *o)
{
	user_free(&o->user);
	free(o->path);
	free(o->link);
	free(o->text);
	config_free(o->config);
	free(o->home);
	*o = (struct own){};
}

char *own_folder(void)
{
	const char *home = getenv("HOME");
	return home && *home == '/' ? str_fmt("%s/.config/qlaunch", home) : NULL;
}

void own_all(struct cli *cli, struct strv *ret_paths)
{
	cleanup_free char *mine = own_folder();
	const char *const folders[] = { mine, "/etc/qlaunch" };
	for (size_t k = 0; k < ARRAY_SIZE(folders); k++) {
		cleanup_strv struct strv names = {};
		if (folders[k] && root_exists(cli->root, folders[k]))
			log_err(LOG_LEVEL_WARN, root_list(cli->root, folders[k], &names));
		for (size_t i = 0; i < names.n; i++)
			if (str_ends(names.v[i], ".conf") && *names.v[i] != '.')
				strv_addf(ret_paths, "%s/%s", folders[k], names.v[i]);
	}
}

/* ---- whether it runs ---- */

const char *own_state(struct cli *cli, const char *vm, bool *ret_by_root)
{
	cleanup_free char *base = journal_base(), *path = str_fmt("%s/%s/journal", base, vm);
	if (root_exists(cli->root, path))
		return journal_alive(cli->root, base, vm) ? N_("running") : N_("left behind");
	cleanup_err struct err *e = roots_machine_error(cli, vm, "stop");
	if (e && ret_by_root)
		*ret_by_root = true;
	return e ? N_("running") : N_("off");
}

struct err *own_idle(struct cli *cli, const char *vm, const char *what)
{
	bool by_root = false;
	const char *state = own_state(cli, vm, &by_root);
	if (streq(state, "running"))
		return err_exit(err_hint(err_new("%s runs, and cannot be %s meanwhile", vm, tr(what)), "%sqlaunch stop %s",
					 by_root ? "sudo " : "", vm),
				EXIT_USAGE);
	if (!streq(state, "off"))
		return err_exit(err_hint(err_new("%s was left behind by a launcher that died", vm), "qlaunch restore %s", vm), EXIT_USAGE);
	return NULL;
}

/* ---- its files ---- */

struct err *own_writable(const struct own *o)
{
	cleanup_free char *dir = str_dir(o->path);
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0)
		return NULL;
	struct err *e = err_errno(errno, "%s", dir);
	return err_exit(err_hint(e, "what lies in %s is for root alone to change: sudoedit, sudo mv, sudo rm", dir), EXIT_HOST);
}

struct err *own_free_name(struct cli *cli, const struct own *o, const char *name, char **ret_path, char **ret_home)
{
	TRY(err_exit(value_check_name(name, 64), EXIT_USAGE));
	bool foreign = str_starts(o->path, "/etc/qlaunch/") && o->user.uid != 0;
	cleanup_free char *beside = str_dir(o->path), *folder = own_folder();
	if (foreign && !folder)
		return err_exit(err_new("there is no HOME to write %s.conf to", name), EXIT_USAGE);
	cleanup_free char *path = str_fmt("%s/%s.conf", foreign ? folder : beside, name), *shared = str_fmt("%s/qlaunch", o->user.data_dir);
	cleanup_free char *home = str_fmt("%s/%s", shared, name);
	cleanup_free char *known = config_find(name);
	const char *there = root_exists(cli->root, path) ? path : known && !streq(name, known) ? known : NULL;
	if (there)
		return err_exit(err_hint(err_coded(EEXIST, "%s is there already, and is not overwritten", there), "take another name"),
				EXIT_USAGE);
	if (root_exists(cli->root, home))
		return err_exit(
			err_hint(err_coded(EEXIST, "%s is there already: UEFI variables or a TPM of another machine of that name", home),
				 "take another name, or move it away"),
			EXIT_USAGE);
	TRY(own_idle(cli, name, N_("made")));
	*ret_path = steal(path);
	*ret_home = steal(home);
	return NULL;
}

char *own_link_beside(const struct own *o, const char *path)
{
	cleanup_free char *dir = o->link ? str_dir(o->link) : NULL;
	return dir ? str_fmt("%s/%s", dir, str_base(path)) : NULL;
}

char *own_moved(const struct own *o, const char *path, const char *home)
{
	size_t n = strlen(o->home);
	return strncmp(path, o->home, n) == 0 && path[n] == '/' ? str_fmt("%s%s", home, path + n) : NULL;
}

struct err *own_confirm(const struct verb_args *args, const char *word, const char *what)
{
	char answer[96] = "";
	if (verb_option(args, "yes"))
		return NULL;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_exit(err_hint(err_new("nobody is there to say yes to %s", tr(what)), "--yes"), EXIT_USAGE);
	printf(_("Type %s to go on: "), word);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin) || !streq(str_trim(answer), word))
		return err_exit(err_new("nothing was changed"), EXIT_USAGE);
	return NULL;
}

/* ---- what else names it ---- */

char *own_unit(const struct own *o)
{
	const char *at = o->link ? o->link : o->path;
	cleanup_free char *folder = own_folder(), *real = folder ? realpath(folder, NULL) : NULL, *dir = str_dir(at),
			  *name = config_name_of(at);
	return streq(real, dir) && str_ends(at, ".conf") ? str_fmt("qlaunch@%s.service", name) : NULL;
}

bool own_autostarts(struct cli *cli, const struct own *o)
{
	cleanup_free char *unit = own_unit(o);
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (!unit || !home)
		return false;
	cleanup_free char *base = config && *config == '/' ? str_dup(config) : str_fmt("%s/.config", home);
	cleanup_free char *path = str_fmt("%s/systemd/user/default.target.wants/%s", base, unit), *link = root_link(cli->root, path);
	return link;
}

char *own_entry(struct cli *cli, const struct own *o)
{
	cleanup_free char *path = str_fmt("%s/applications/qlaunch-%s.desktop", o->user.data_dir, o->config->vm.name),
			  *text = root_read_or(cli->root, path, ""), *config = entry_config(text);
	return streq(config, o->path) ? steal(path) : NULL;
}
