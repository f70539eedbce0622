/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk_check: the tables of qcow2 images, for `check`. `run` looks at their headers only: this takes seconds. */
#include <jansson.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/verbs/verb_disk.h"

static long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

/* qemu-img(1): 2 corruptions, 3 leaks (space that nobody uses), 1 could not. */
static void judge(struct findings *out, const struct disk *d, const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	long long corruptions = number_of(o, "corruptions"), leaks = number_of(o, "leaks"), size = number_of(o, "cluster-size");
	cleanup_free char *lost = size_rounded((uint64_t)(leaks * (size ? size : 65536)));
	if (corruptions || number_of(o, "check-errors"))
		findings_add(out, FINDING_BAD, "disk",
			     tr_fmt("[disk %s] %s is damaged: %lld errors in its tables", d->conf->name, d->conf->path, corruptions),
			     tr_fmt("a copy first, then: qemu-img check -r all -f qcow2 '%s'", d->conf->path));
	else if (leaks)
		findings_add(out, FINDING_WARN, "disk", tr_fmt("[disk %s] %s takes %s for nothing", d->conf->name, d->conf->path, lost),
			     tr_fmt("qemu-img check -r leaks -f qcow2 '%s'", d->conf->path));
	json_decref(o);
}

void disk_check_images(struct findings *out, struct root *root, const struct user *user, const struct disk_facts *f)
{
	for (size_t i = 0; root_is_host(root) && i < f->n_disks; i++) {
		const struct disk *d = &f->v[i];
		cleanup_strv struct strv uses = {};
		if (d->kind != DISK_FILE || d->format != FORMAT_QCOW2 || d->problem || !d->size)
			continue;
		disk_in_use(root, d, true, &uses);
		if (uses.n) /* its tables are on the move, and that it is in use has been said */
			continue;
		const char *argv[] = { "check", "--output=json", "-f", "qcow2", d->conf->path, NULL };
		cleanup_free char *text = NULL;
		cleanup_free char *what = tr_fmt("checking %s", d->conf->name);
		int status = 0;
		struct err *e = qemu_img_run(&(struct qemu_img){ .user = user, .argv = argv, .what = what, .ret_status = &status }, &text);
		if (!e && (status == 0 || status == 2 || status == 3))
			judge(out, d, text);
		log_err(LOG_LEVEL_DEBUG, e);
	}
}
