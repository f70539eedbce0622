/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk_snapshot: snapshot, revert, delete and list. Snapshots are qcow2's own, within the image: nothing moves, no chain
 * of files grows, and going back takes a moment. A machine that runs is asked by its monitor, all its disks at one
 * instant, while the guest's agent keeps its file systems at rest; without an agent the guest finds them as after a
 * power cut, which they are made for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/tools/control.h"
#include "launcher/tools/freeze.h"
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/verbs/verb_disk.h"
#include "launcher/verbs/pager.h"

#define LIMIT_MS 60000
#define NAME_MAX_BYTES 127 /* of 255 that QEMU keeps */

struct err *disk_info(const struct user *user, const struct disk *d, json_t **ret_info)
{
	/* -U: as it is now, whoever has it open */
	const char *argv[] = { "info", "-U", "--output=json", "-f", image_format_name(d->format), d->conf->path, NULL };
	cleanup_free char *text = NULL;
	TRY(qemu_img_run(&(struct qemu_img){ .user = user, .argv = argv }, &text));
	json_t *info = json_loads(text, 0, NULL);
	if (!json_is_object(info)) {
		json_decref(info);
		return err_new("qemu-img info says nothing of %s", d->conf->path);
	}
	*ret_info = info;
	return NULL;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

/* ---- what all of them need ---- */

/* `qemu-img snapshot` takes no format, and would guess it: the file's name as JSON says it. */
static struct err *snapshot_command(const struct user *user, const struct disk *d, const char *option, const char *name)
{
	json_t *o = json_pack("{s:s, s:{s:s, s:s}}", "driver", "qcow2", "file", "driver", "file", "filename", d->conf->path);
	if (!o) {
		cleanup_free char *shown = str_printable(d->conf->path);
		return err_exit(err_hint(err_new("%s is no UTF-8, which QEMU is told in", shown), "rename it"), EXIT_USAGE);
	}
	cleanup_free char *json = json_dumps(o, JSON_COMPACT), *file = str_fmt("json:%s", json);
	json_decref(o);
	const char *argv[] = { "snapshot", "-q", option, name, file, NULL };
	return qemu_img_run(&(struct qemu_img){ .user = user, .argv = argv }, NULL);
}

/* QEMU takes what is all digits for a number of its own. */
static struct err *check_name(const char *name)
{
	if (!*name || strlen(name) > NAME_MAX_BYTES || strspn(name, "0123456789") == strlen(name) || *name == '-' || !str_is_utf8(name))
		return err_exit(err_hint(err_new("\"%s\" is no name of a snapshot", name), "letters as well as digits: before-update"),
				EXIT_USAGE);
	return NULL;
}

static struct err *can_hold(const struct disk *d)
{
	TRY(disk_whole(d));
	if (d->block)
		return err_exit(err_hint(err_new("%s is a device: it holds no snapshots", d->conf->path),
					 "qlaunch disk convert %s image.qcow2", d->conf->path),
				EXIT_USAGE);
	if (d->format == FORMAT_RAW)
		return err_exit(err_hint(err_new("%s is raw: it holds no snapshots", d->conf->path),
					 "qlaunch disk convert '%s' image.qcow2", d->conf->path),
				EXIT_USAGE);
	return NULL;
}

/* The id of the snapshot with that name; NULL, and the names there are, where there is none. */
static struct err *find_snapshot(const struct user *user, const struct disk *d, const char *name, char **ret_id, struct strv *ret_names)
{
	json_t *info = NULL, *s;
	size_t i;
	TRY(disk_info(user, d, &info));
	json_array_foreach (json_object_get(info, "snapshots"), i, s) {
		strv_add(ret_names, text_of(s, "name"));
		if (streq(text_of(s, "name"), name))
			str_set(ret_id, text_of(s, "id"));
	}
	json_decref(info);
	return NULL;
}

/* The disk of a word, and the id of a snapshot in it. */
static struct err *need_snapshot(struct cli *cli, const struct verb_args *args, struct targets *t, const struct disk **ret_disk,
				 char **ret_id)
{
	cleanup_strv struct strv names = {};
	const char *name = args->words.v[1];
	TRY(targets_find(cli, args->words.v[0], verb_option(args, "format"), t));
	TRY(targets_one(t, ret_disk));
	TRY(can_hold(*ret_disk));
	TRY(find_snapshot(&t->user, *ret_disk, name, ret_id, &names));
	cleanup_free char *all = strv_join(&names, ", ");
	if (!*ret_id)
		return err_exit(
			err_hint(err_new("%s has no snapshot \"%s\"", (*ret_disk)->conf->path, name), "it has: %s", names.n ? all : "none"),
			EXIT_USAGE);
	return NULL;
}

/* Local time, to the second: "2026-11-26-071205" sorts, and has no blank. */
static char *time_name(const char *prefix)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm;
	strftime(text, sizeof(text), "%Y-%m-%d-%H%M%S", localtime_r(&now, &tm));
	return str_fmt("%s%s", prefix, text);
}

/* ---- snapshot ---- */

/* All of them at one instant, or none. Owned by the caller. */
static struct err *make_transaction(struct qmp *qmp, const struct targets *t, const char *name, json_t **ret_transaction)
{
	json_t *actions = json_array();
	for (size_t i = 0; i < t->n; i++) {
		cleanup_free char *node = NULL;
		struct err *e = disk_live_node(qmp, &t->user, t->v[i], &node);
		if (e) {
			json_decref(actions);
			return err_exit(e, EXIT_HOST);
		}
		json_array_append_new(actions, json_pack("{s:s, s:{s:s, s:s}}", "type", "blockdev-snapshot-internal-sync", "data", "device",
							 node, "name", name));
	}
	*ret_transaction = json_pack("{s:o}", "actions", actions);
	return NULL;
}

static struct err *freeze_guest(struct cli *cli, const char *vm, struct freeze *ret_freeze)
{
	int fd = -1;
	struct err *e = control_agent(cli, vm, &fd);
	if (err_code(e) != ENOENT)
		return e ? e : freeze_begin(fd, ret_freeze);
	err_free(e);
	return err_coded(ENOENT, "it has no line to an agent ([console] agent = yes)");
}

/* What keeps it from being frozen does not keep a snapshot from being taken. */
static struct err *snapshot_live(struct cli *cli, const char *vm, const struct targets *t, const char *name, bool *ret_rest)
{
	cleanup_qmp struct qmp *qmp = NULL;
	json_t *transaction = NULL;
	struct freeze f = {};
	TRY(control_open(cli, vm, &qmp));
	TRY(make_transaction(qmp, t, name, &transaction));
	cleanup_progress bool shown = progress_begin("%s:", vm);
	progress_update(0, 0, _("the guest writes out what it has to"));
	struct err *awake = freeze_guest(cli, vm, &f);
	if (err_code(awake) == ECANCELED || (awake && err_status(awake) == EXIT_RESIDUE)) {
		json_decref(transaction);
		return err_wrap(awake, "%s", vm);
	}
	struct err *e = err_exit(qmp_call(qmp, "transaction", transaction, LIMIT_MS, NULL), EXIT_HOST);
	progress_end(); /* a signal that waits ends us with the next */
	struct err *thawing = freeze_end(&f);
	if (thawing && err_code(thawing) != ESTALE) {
		cli->status = EXIT_RESIDUE;
		log_err(LOG_LEVEL_ERROR, err_wrap(steal(thawing), "%s", vm));
	}
	*ret_rest = !awake && !thawing;
	const struct err *why = awake ? awake : thawing;
	if (!e && why)
		log_warn("%s: %s, the snapshot has its file systems as after a power cut: %s", vm,
			 awake ? _("not frozen") : _("not frozen to the end"), err_text(why));
	err_free(awake);
	err_free(thawing);
	return e;
}

/* Who runs with them: one machine or nobody; of several disks all or none. */
static struct err *common_owner(struct cli *cli, const struct targets *t, char **ret_owner)
{
	for (size_t i = 0; i < t->n; i++) {
		cleanup_free char *owner = disk_owner(cli, t->v[i]);
		if (i && !streq(owner, *ret_owner))
			return err_exit(err_new("%s runs with a part of these disks only", owner ? owner : *ret_owner), EXIT_HOST);
		str_set(ret_owner, owner);
	}
	return NULL;
}

static struct err *snapshot_idle(struct cli *cli, const struct targets *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		TRY(disk_idle(cli, t->v[i], false));
	for (size_t i = 0; i < t->n; i++)
		TRY(snapshot_command(&t->user, t->v[i], "-c", name));
	return NULL;
}

/* Of all disks of a machine those count that change. */
static void leave_out_readonly(struct targets *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (!t->v[i]->conf->readonly)
			t->v[n++] = t->v[i];
	t->n = n ? n : t->n;
}

struct err *disk_snapshot(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets t = {};
	cleanup_free char *name = args->words.n > 1 ? str_dup(args->words.v[1]) : time_name(""), *owner = NULL;
	TRY(check_name(name));
	TRY(targets_find(cli, args->words.v[0], verb_option(args, "format"), &t));
	leave_out_readonly(&t);
	for (size_t i = 0; i < t.n; i++) {
		cleanup_free char *id = NULL;
		cleanup_strv struct strv names = {};
		TRY(can_hold(t.v[i]));
		TRY(find_snapshot(&t.user, t.v[i], name, &id, &names));
		if (id)
			return err_exit(err_hint(err_new("%s has a snapshot \"%s\" already", t.v[i]->conf->path, name),
						 "another name; or first: qlaunch disk delete '%s' %s", t.v[i]->conf->path, name),
					EXIT_USAGE);
	}
	TRY(common_owner(cli, &t, &owner));
	bool rest = false;
	TRY(owner ? snapshot_live(cli, owner, &t, name, &rest) : snapshot_idle(cli, &t, name));
	for (size_t i = 0; i < t.n; i++)
		log_info("%s: snapshot %s%s%s%s", t.v[i]->conf->path, name, owner ? _(" of what runs in ") : "", owner ? owner : "",
			 rest ? _(", its file systems at rest") : "");
	return NULL;
}

/* ---- revert, delete ---- */

struct err *disk_revert(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets t = {};
	cleanup_free char *id = NULL, *kept = verb_option(args, "drop") ? NULL : time_name("before-revert-");
	const struct disk *d;
	TRY(need_snapshot(cli, args, &t, &d, &id));
	TRY(disk_idle(cli, d, false));
	if (kept)
		TRY(err_wrap(snapshot_command(&t.user, d, "-c", kept), "what is there now is not kept"));
	TRY(snapshot_command(&t.user, d, "-a", id));
	log_info("%s: as it was at %s%s%s", d->conf->path, args->words.v[1], kept ? _("; what was there until now is kept as ") : "",
		 kept ? kept : "");
	return NULL;
}

static struct err *delete_live(struct cli *cli, const char *vm, const struct targets *t, const struct disk *d, const char *name)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup_free char *node = NULL;
	TRY(control_open(cli, vm, &qmp));
	TRY(disk_live_node(qmp, &t->user, d, &node));
	return qmp_call(qmp, "blockdev-snapshot-delete-internal-sync", json_pack("{s:s, s:s}", "device", node, "name", name), LIMIT_MS,
			NULL);
}

struct err *disk_delete(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets t = {};
	cleanup_free char *id = NULL;
	const struct disk *d;
	const char *name = args->words.v[1];
	TRY(need_snapshot(cli, args, &t, &d, &id));
	cleanup_free char *owner = disk_owner(cli, d);
	if (owner) {
		TRY(err_exit(delete_live(cli, owner, &t, d, name), EXIT_HOST));
	} else {
		TRY(disk_idle(cli, d, false));
		TRY(snapshot_command(&t.user, d, "-d", name)); /* which takes no id, unlike -a */
	}
	log_info("%s: snapshot %s is gone", d->conf->path, name);
	return NULL;
}

/* ---- list ---- */

static json_t *describe(struct cli *cli, const struct targets *t, const struct disk *d)
{
	cleanup_free char *owner = d->kind == DISK_ABSENT ? NULL : disk_owner(cli, d);
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:b}", "path", d->conf->path, "format", image_format_name(d->format), "size",
			      (json_int_t)disk_guest_size(d), "allocated", (json_int_t)(d->kind == DISK_FILE ? d->allocated : d->size),
			      "device", d->kind == DISK_BLOCK),
	       *info = NULL;
	if (t->machine)
		json_object_set_new(o, "disk", json_sprintf("%s:%s", t->machine, d->conf->name));
	if (owner)
		json_object_set_new(o, "runs-in", json_string(owner));
	if (d->backing)
		json_object_set_new(o, "backing", json_string(d->backing));
	cleanup_err struct err *e = disk_whole(d);
	if (!e && d->snapshots)
		e = disk_info(&t->user, d, &info);
	json_t *snapshots = json_object_get(info, "snapshots");
	json_object_set_new(o, "snapshots", snapshots ? json_incref(snapshots) : json_array());
	json_decref(info);
	if (e)
		json_object_set_new(o, "problem", json_string(err_text(e)));
	return o;
}

static void print_snapshots(const json_t *list)
{
	size_t i, width = 0;
	json_t *s;
	json_array_foreach (list, i, s) {
		cleanup_free char *name = str_printable(text_of(s, "name"));
		width = page_width(name) > width ? page_width(name) : width;
	}
	json_array_foreach (list, i, s) {
		cleanup_free char *name = str_printable(text_of(s, "name")), *cut = str_cut(name, 48);
		time_t when = (time_t)json_integer_value(json_object_get(s, "date-sec"));
		char text[32];
		struct tm tm;
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", localtime_r(&when, &tm));
		printf(_("    snapshot %s%*s  %s\n"), cut, (int)((width < 48 ? width : 48) - page_width(cut)), "", text);
	}
}

static void print_disk(const json_t *o)
{
	const char *disk = text_of(o, "disk"), *owner = text_of(o, "runs-in"), *problem = text_of(o, "problem"),
		   *backing = text_of(o, "backing");
	cleanup_free char *size = size_rounded((uint64_t)json_integer_value(json_object_get(o, "size"))),
			  *allocated = size_rounded((uint64_t)json_integer_value(json_object_get(o, "allocated"))),
			  *base = str_printable(backing);
	printf("%s\n", text_of(o, "path"));
	if (*problem)
		page_wrap("    ", 4, problem);
	else if (json_is_true(json_object_get(o, "device")))
		printf(_("    device, %s%s%s\n"), size, *disk ? "; " : "", disk);
	else
		printf(_("    %s, %s for the guest, %s of the host's%s%s\n"), text_of(o, "format"), size, allocated, *disk ? "; " : "",
		       disk);
	if (*owner)
		printf(_("    %s runs with it\n"), owner);
	if (*backing)
		printf(_("    over %s\n"), base);
	print_snapshots(json_object_get(o, "snapshots"));
}

struct err *disk_list(struct cli *cli, const struct verb_args *args)
{
	json_t *all = json_array(), *o;
	struct err *e = NULL;
	size_t k;
	for (size_t i = 0; i < args->words.n && !e; i++) {
		cleanup_targets struct targets t = {};
		e = targets_find(cli, args->words.v[i], verb_option(args, "format"), &t);
		for (size_t j = 0; j < t.n; j++)
			json_array_append_new(all, describe(cli, &t, t.v[j]));
	}
	json_array_foreach (all, k, o) {
		cli->status = json_object_get(o, "problem") ? EXIT_HOST : cli->status;
		if (!cli->json)
			print_disk(o);
	}
	if (cli->json && !e) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(all);
	return e;
}
