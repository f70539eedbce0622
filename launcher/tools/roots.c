/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roots: see roots.h. */
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/tools/roots.h"

#define ROOTS_BASE "/run/qlaunch" /* journal_base() of root */

/* NULL where it is not this user's, or does not run. */
static json_t *read_one(struct cli *cli, const char *vm)
{
	cleanup_free char *path = str_fmt(ROOTS_BASE "/%s/status.json", vm), *text = root_read_or(cli->root, path, "");
	struct proc_id launcher;
	json_t *status = json_loads(text, 0, NULL);
	const char *process = json_string_value(json_object_get(status, "launcher_process"));
	bool own = json_integer_value(json_object_get(status, "user")) == (json_int_t)getuid() && process;
	cleanup_err struct err *odd = own ? proc_id_parse(process, &launcher) : NULL;
	if (own && !odd && proc_alive(launcher)) {
		json_object_set_new(status, "vm", json_string(vm));
		json_object_set_new(status, "launcher", json_integer(launcher.pid));
		return status;
	}
	json_decref(status);
	return NULL;
}

json_t *roots_machines(struct cli *cli)
{
	json_t *all = json_array();
	cleanup_strv struct strv names = {};
	if (getuid() == 0 || !root_is_host(cli->root))
		return all;
	err_free(root_list(cli->root, ROOTS_BASE, &names));
	for (size_t i = 0; i < names.n; i++) {
		json_t *status = *names.v[i] == '.' ? NULL : read_one(cli, names.v[i]);
		if (status)
			json_array_append_new(all, status);
	}
	return all;
}

struct err *roots_machine_error(struct cli *cli, const char *vm, const char *command)
{
	json_t *all = roots_machines(cli), *status;
	struct err *e = NULL;
	size_t i;
	json_array_foreach (all, i, status)
		if (streq(json_string_value(json_object_get(status, "vm")), vm))
			e = err_exit(err_hint(err_new("%s was started by root, for you", vm), "sudo qlaunch %s %s", command, vm),
				     EXIT_USAGE);
	json_decref(all);
	return e;
}
