/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch list: every machine of ~/.config/qlaunch and /etc/qlaunch: whether it runs, what its disks take, how its last run ended. Reads only. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/disk/disk.h"
#include "launcher/tools/history.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/pager.h"
#include "ovmf/vars.h"

/* Bytes that its images take, and that the guest sees; a device counts as what it is. */
static json_t *disks_size(struct cli *cli, const struct config *c)
{
	cleanup_disk_facts struct disk_facts facts = {};
	cleanup_err struct err *e = disk_facts_read(cli->root, c, &facts);
	uint64_t taken = 0, seen = 0;
	bool missing = false;
	for (size_t i = 0; !e && i < facts.n_disks; i++) {
		const struct disk *d = &facts.v[i];
		missing |= d->kind == DISK_ABSENT;
		taken += d->kind == DISK_FILE ? d->allocated : d->size;
		seen += d->kind == DISK_FILE ? d->guest_size : d->size;
	}
	return json_pack("{s:I, s:I, s:b}", "taken", (json_int_t)taken, "size", (json_int_t)seen, "missing", missing);
}

/* Of the last run: when, and how it ended. */
static json_t *last_run(struct cli *cli, const struct config *c, const struct user *u)
{
	cleanup_free char *home = vars_vm_dir(c, u->data_dir);
	json_t *runs = history_read(cli->root, home), *last = json_object();
	const json_t *run = json_array_get(runs, json_array_size(runs) - 1);
	static const char *const keys[] = { "ended", "status", "seconds", "text" };
	json_object_set(last, "begun", (json_t *)history_head(run, "begun")); /* of none: nothing is set */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(last, keys[i], (json_t *)history_last(run, keys[i]));
	json_decref(runs);
	return last;
}

static json_t *describe(struct cli *cli, const char *path, const struct user *u)
{
	cleanup_config struct config *c = NULL;
	cleanup_free char *name = config_name_of(path);
	cleanup_err struct err *e = config_load(path, NULL, &c);
	json_t *o = json_pack("{s:s, s:s}", "vm", e ? name : c->vm.name, "config", path);
	if (e) {
		json_object_set_new(o, "state", json_string(N_("broken")));
		/* "NAME.conf:2:1: …": the folder is known */
		cleanup_free char *dir = str_dir(path), *front = str_fmt("%s/", dir);
		const char *text = err_text(e);
		json_object_set_new(o, "text", json_string(text + (str_starts(text, front) ? strlen(front) : 0)));
		return o;
	}
	bool by_root = false;
	json_object_set_new(o, "state", json_string(own_state(cli, c->vm.name, &by_root)));
	json_object_set_new(o, "by_root", json_boolean(by_root));
	json_object_set_new(o, "disks", disks_size(cli, c));
	json_object_set_new(o, "last", last_run(cli, c, u));
	return o;
}

/* "2026-11-30 13:15 ended well", in the width that is left. */
static char *last_text(const json_t *o)
{
	const json_t *last = json_object_get(o, "last");
	const char *begun = json_string_value(json_object_get(last, "begun")), *text = json_string_value(json_object_get(last, "text"));
	if (!json_is_object(last) && text)
		return str_dup(text);
	bool runs = streq(json_string_value(json_object_get(o, "state")), "running");
	if (!begun || strlen(begun) < 16)
		return str_dup(runs ? "" : _("never run"));
	const char *how = runs ? "" : !json_object_get(last, "ended") ? _("its launcher died") : text ? text : _("ended well");
	return str_fmt("%.10s %.5s %.*s", begun, begun + 11, (int)strcspn(how, "\n"), how);
}

static void print_line(const json_t *o, size_t width)
{
	const json_t *disks = json_object_get(o, "disks");
	const char *state = json_string_value(json_object_get(o, "state")), *text = json_string_value(json_object_get(o, "text"));
	cleanup_free char *name = str_dup(json_string_value(json_object_get(o, "vm")));
	cleanup_free char *taken = size_rounded((uint64_t)json_integer_value(json_object_get(disks, "taken"))),
			  *size = size_rounded((uint64_t)json_integer_value(json_object_get(disks, "size")));
	cleanup_free char *all = !disks                                                    ? str_dup("")
				 : json_is_true(json_object_get(disks, "missing"))         ? str_dup(_("missing"))
				 : json_integer_value(json_object_get(disks, "size")) == 0 ? str_dup("-")
											   : tr_fmt("%s of %s", taken, size);
	cleanup_free char *last = text ? str_ndup(text, strcspn(text, "\n")) : last_text(o), *shown = str_printable(last);
	size_t used = width + 1 + 12 + 1 + 15 + 1;
	cleanup_free char *cut = page_cut(shown, used + 10 < page_columns() ? page_columns() - used : 10);
	printf("%-*s %s%*s %s%*s %s\n", (int)width, name, tr(state), (int)(12 - (page_width(tr(state)) < 12 ? page_width(tr(state)) : 12)),
	       "", all, (int)(15 - (page_width(all) < 15 ? page_width(all) : 15)), "", cut);
}

struct err *verb_list(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user u = {};
	TRY(verb_words(args, 0, 0, "list [--json]"));
	TRY(own_become(cli, NULL, &u));
	cleanup_strv struct strv paths = {};
	json_t *all = json_array(), *o;
	size_t i, width = 8;
	own_all(cli, &paths);
	for (i = 0; i < paths.n; i++)
		json_array_append_new(all, describe(cli, paths.v[i], &u));
	json_array_foreach (all, i, o) {
		size_t n = strlen(json_string_value(json_object_get(o, "vm")));
		width = n > width && n < 24 ? n : width;
	}
	if (cli->json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!json_array_size(all)) {
		log_info("there is no machine in ~/.config/qlaunch or /etc/qlaunch yet: qlaunch new NAME");
	}
	json_array_foreach (all, i, o)
		if (!cli->json)
			print_line(o, width);
	json_decref(all);
	return NULL;
}
