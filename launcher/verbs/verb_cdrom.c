/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch cdrom VM [DRIVE] FILE|eject: another disc in the drive of a guest that runs. The file is looked at as the user, and opened by QEMU,
 * who is the user. A guest that has locked the drive is asked to let go first, as by the drive's button.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/user.h"
#include "launcher/host/disk/disc.h"
#include "launcher/verbs/running.h"

#define TRIES 10 /* a guest that is asked lets go within seconds, or not at all */
#define TRY_MS 500
#define DRIVE "cdrom-"

/* ---- which drive ---- */

struct drive {
	char *id;   /* QEMU's, "cdrom-install" */
	char *node; /* of the disc in it; NULL: it is empty */
	char *file; /* as QEMU has it; NULL */
};

static void drive_free(struct drive *d)
{
	free(d->id);
	free(d->node);
	free(d->file);
}

/* Among "cdrom-a", "cdrom-b": the one that `wanted` (NULL: the only one) names. */
static struct err *find_drive(struct qmp *qmp, const char *vm, const char *wanted, struct drive *ret)
{
	json_t *list = NULL, *entry, *found = NULL;
	cleanup_strv struct strv names = {};
	size_t i;
	TRY(qmp_call(qmp, "query-block", NULL, RUNNING_LIMIT_MS, &list));
	json_array_foreach (list, i, entry) {
		const char *id = json_string_value(json_object_get(entry, "qdev"));
		if (!id || !str_starts(id, DRIVE))
			continue;
		strv_add(&names, id + strlen(DRIVE));
		if (!wanted || streq(wanted, id + strlen(DRIVE)))
			found = entry;
	}
	cleanup_free char *all = strv_join(&names, ", ");
	struct err *e = NULL;
	if (!names.n)
		e = err_hint(err_new("%s has no drive", vm), "[cdrom NAME] in its configuration; an empty one has no path");
	else if (!found)
		e = err_hint(err_new("%s has no drive \"%s\"", vm, wanted), "it has: %s", all);
	else if (!wanted && names.n > 1)
		e = err_hint(err_new("%s has %zu drives; name one", vm, names.n), "%s", all);
	if (!e) {
		const json_t *inserted = json_object_get(found, "inserted");
		ret->id = str_dup(json_string_value(json_object_get(found, "qdev")));
		ret->node = str_dup(json_string_value(json_object_get(inserted, "node-name")));
		ret->file = str_dup(json_string_value(json_object_get(inserted, "file")));
	}
	json_decref(list);
	return err_exit(e, EXIT_USAGE);
}

/* ---- the disc ---- */

struct looking {
	const char *word;
	char *path;
};

/* With the rights of the user, who named it. */
static struct err *look(void *data)
{
	struct looking *l = data;
	struct disc disc = {};
	TRY(disc_read(l->word, &disc));
	l->path = realpath(l->word, NULL);
	if (!l->path)
		return err_errno(errno, "%s", l->word);
	return str_is_utf8(l->path) ? NULL : err_hint(err_new("its name is no UTF-8, which QEMU is told in"), "rename it");
}

static struct err *look_at(const char *word, char **ret_path)
{
	cleanup_user struct user caller = {};
	struct looking l = { .word = word };
	TRY(user_find(NULL, &caller));
	struct err *e = err_exit(user_visit(&caller, look, &l), EXIT_CONFIG);
	if (!e)
		*ret_path = steal(l.path);
	free(l.path);
	return e;
}

/* ---- changing it ---- */

static struct err *open_tray(struct qmp *qmp, const char *vm, const struct drive *d, bool force)
{
	for (int i = 0;; i++) {
		struct err *e =
			qmp_call(qmp, "blockdev-open-tray", json_pack("{s:s, s:b}", "id", d->id, "force", force), RUNNING_LIMIT_MS, NULL);
		if (!e || !strstr(err_text(e), "is locked"))
			return e;
		err_free(e);
		if (i == TRIES)
			return err_hint(err_new("%s does not let go of the disc in %s", vm, d->id + strlen(DRIVE)),
					"unmount it in the guest, or --force");
		usleep(TRY_MS * 1000);
	}
}

/* The tray is open: what is in it goes, and QEMU closes the file where it opened it for this drive alone. */
static struct err *take_out(struct qmp *qmp, const struct drive *d)
{
	if (!d->node)
		return NULL;
	TRY(qmp_call(qmp, "blockdev-remove-medium", json_pack("{s:s}", "id", d->id), RUNNING_LIMIT_MS, NULL));
	err_free(qmp_call(qmp, "blockdev-del", json_pack("{s:s}", "node-name", d->node), RUNNING_LIMIT_MS, NULL));
	return NULL;
}

static struct err *put_in(struct qmp *qmp, const struct drive *d, const char *path)
{
	/* another name than the one before: that may still be there */
	cleanup_free char *node = str_fmt("disc-%d-%.20s", (int)getpid(), d->id + strlen(DRIVE));
	json_t *file = json_pack("{s:s, s:s}", "driver", "file", "filename", path);
	TRY(qmp_call(qmp, "blockdev-add",
		     json_pack("{s:s, s:s, s:b, s:o}", "driver", "raw", "node-name", node, "read-only", 1, "file", file), RUNNING_LIMIT_MS,
		     NULL));
	struct err *e =
		qmp_call(qmp, "blockdev-insert-medium", json_pack("{s:s, s:s}", "id", d->id, "node-name", node), RUNNING_LIMIT_MS, NULL);
	if (e)
		err_free(qmp_call(qmp, "blockdev-del", json_pack("{s:s}", "node-name", node), RUNNING_LIMIT_MS, NULL));
	return e;
}

static struct err *change(struct qmp *qmp, const char *vm, const struct drive *d, const char *path, bool force)
{
	TRY(open_tray(qmp, vm, d, force));
	TRY(take_out(qmp, d));
	struct err *e = path ? put_in(qmp, d, path) : NULL;
	struct err *closed = path ? qmp_call(qmp, "blockdev-close-tray", json_pack("{s:s}", "id", d->id), RUNNING_LIMIT_MS, NULL) : NULL;
	if (!e)
		return closed;
	err_free(closed);
	return err_wrap(e, "the drive is empty now");
}

struct err *verb_cdrom(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup(drive_free) struct drive d = {};
	cleanup_free char *path = NULL;
	TRY(verb_words(args, 2, 3, "cdrom [--force] VM [DRIVE] FILE|eject"));
	const char *vm = args->words.v[0], *wanted = args->words.n > 2 ? args->words.v[1] : NULL, *word = args->words.v[args->words.n - 1];
	bool eject = streq(word, "eject");
	if (!eject)
		TRY(look_at(word, &path));
	TRY(running_monitor(cli, vm, "cdrom", &qmp));
	TRY(err_exit(find_drive(qmp, vm, wanted, &d), EXIT_GUEST));
	if (eject && !d.node) {
		log_info("%s: drive %s is empty", vm, d.id + strlen(DRIVE));
		return NULL;
	}
	TRY(err_exit(change(qmp, vm, &d, path, verb_option(args, "force")), EXIT_GUEST));
	log_info("%s: drive %s: %s", vm, d.id + strlen(DRIVE), path ? path : _("empty, its tray open"));
	return NULL;
}
