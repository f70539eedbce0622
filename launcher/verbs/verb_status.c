/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch status [VM]: what runs and what a dead launcher left. Reads journals and the status that run keeps beside them. */
#include <jansson.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/step/journal.h"
#include "launcher/tools/roots.h"

/* What run has written about its guest (status.json beside the journal), or an empty object. */
static json_t *running_status(struct cli *cli, const char *dir)
{
	cleanup_free char *path = str_fmt("%s/status.json", dir), *text = root_read_or(cli->root, path, "{}");
	json_t *status = json_loads(text, 0, NULL);
	return json_is_object(status) ? status : (json_decref(status), json_object());
}

static struct err *describe(struct cli *cli, const char *base, const char *vm, json_t **ret_status)
{
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	TRY(journal_read(&cli->env, base, vm, &steps, &info));
	json_t *status = running_status(cli, info.dir);
	json_object_set_new(status, "vm", json_string(vm));
	json_object_set_new(status, "state",
			    json_string(info.alive        ? N_("running")
					: info.other_boot ? N_("forgotten")
							  : N_("left behind")));
	json_object_set_new(status, "launcher", json_integer(info.launcher.pid));
	json_object_set_new(status, "steps", json_integer((json_int_t)steps.n));
	*ret_status = status;
	return NULL;
}

/* One of the user's that root runs: what it is, and how it is stopped. */
static void print_roots(const json_t *status)
{
	const char *vm = json_string_value(json_object_get(status, "vm"));
	printf(_("%-20s running       QEMU %d, started by root: sudo qlaunch stop %s\n"), vm,
	       (int)json_integer_value(json_object_get(status, "qemu")), vm);
}

static void print_line(const json_t *status)
{
	const char *vm = json_string_value(json_object_get(status, "vm")), *state = json_string_value(json_object_get(status, "state"));
	const char *run_state = json_string_value(json_object_get(status, "run-state"));
	json_int_t pid = json_integer_value(json_object_get(status, "qemu")), steps = json_integer_value(json_object_get(status, "steps"));
	if (streq(state, "running"))
		printf(tr_n("%-20s running       QEMU %d %s, %d step to undo\n", "%-20s running       QEMU %d %s, %d steps to undo\n",
			    (unsigned long)steps),
		       vm, (int)pid, run_state ? run_state : "", (int)steps);
	else
		printf(tr_n("%-20s %-13s %d step to undo: qlaunch restore %s\n", "%-20s %-13s %d steps to undo: qlaunch restore %s\n",
			    (unsigned long)steps),
		       vm, tr(state), (int)steps, vm);
}

static json_t *chosen_roots(struct cli *cli, const char *wanted)
{
	json_t *all = roots_machines(cli);
	for (size_t i = json_array_size(all); wanted && i-- > 0;)
		if (!streq(json_string_value(json_object_get(json_array_get(all, i), "vm")), wanted))
			json_array_remove(all, i);
	for (size_t i = 0; i < json_array_size(all); i++)
		json_object_set_new(json_array_get(all, i), "state", json_string("running"));
	return all;
}

struct err *verb_status(struct cli *cli, const struct verb_args *args)
{
	cleanup_free char *base = journal_base();
	cleanup_strv struct strv vms = {};
	TRY(verb_words(args, 0, 1, "status [VM]"));
	TRY(journal_list(cli->root, base, &vms));
	const char *wanted = args->words.n ? args->words.v[0] : NULL;
	json_t *all = json_array(), *roots = chosen_roots(cli, wanted);
	for (size_t i = 0; i < vms.n; i++) {
		json_t *status = NULL;
		if (wanted && !streq(wanted, vms.v[i]))
			continue;
		struct err *e = describe(cli, base, vms.v[i], &status);
		if (!e)
			json_array_append_new(all, status);
		log_err(LOG_LEVEL_ERROR, e);
	}
	size_t i;
	json_t *status;
	json_array_foreach (all, i, status)
		if (!cli->json)
			print_line(status);
	json_array_foreach (roots, i, status)
		if (!cli->json)
			print_roots(status);
	json_array_extend(all, roots);
	json_decref(roots);
	if (wanted && !json_array_size(all) && !cli->json) {
		json_decref(all);
		return err_exit(err_new("%s does not run, and nothing is left of it", wanted), EXIT_GUEST);
	}
	if (cli->json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!json_array_size(all)) {
		log_info("nothing runs");
	}
	json_decref(all);
	return NULL;
}
