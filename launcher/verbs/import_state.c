/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_state: see import_state.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/verbs/import_state.h"

#define STATE_MAX (64 << 20)          /* bytes: UEFI variables have at most 8 MiB, a TPM's state some KiB */
#define COPY_LIMIT_MS (60 * 60 * 1000) /* a disk of some TB */

struct search {
	const struct user *u;
	const struct strv *wishes;
	char *found;
	bool hidden; /* there is such a file, or a folder on the way that may not be entered */
};

/* While the user is visited, HOME is the user's. */
static char *expand(const struct user *u, const char *path)
{
	const char *home = getenv("HOME");
	return str_starts(path, "~/") ? str_fmt("%s/%s", home ? home : u->home, path + 2) : str_dup(path);
}

/* As the user. */
static struct err *find_readable(void *data)
{
	struct search *s = data;
	for (size_t i = 0; i < s->wishes->n && !s->found; i++) {
		cleanup_free char *path = expand(s->u, s->wishes->v[i]);
		struct stat st;
		cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		s->hidden |= fd < 0 && errno == EACCES;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			s->found = steal(path);
	}
	return NULL;
}

struct copy {
	const struct user *u;
	const char *from, *dir, *to;
};

static struct err *copy_small(struct root *root, const struct copy *c)
{
	cleanup_sb struct sb bytes = {};
	cleanup_fd int fd = open(c->from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char buffer[1 << 16];
	ssize_t n = fd < 0 ? -1 : 0;
	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0 && bytes.len <= STATE_MAX)
		sb_addn(&bytes, buffer, (size_t)n);
	if (n < 0)
		return err_errno(errno, "%s", c->from);
	if (bytes.len > STATE_MAX)
		return err_new("%s: too large for what it should be", c->from);
	return root_put_new(root, c->to, bytes.s ? bytes.s : "", bytes.len, 0600);
}

/* In a child, for good the user. */
static struct err *copy_state(void *data)
{
	const struct copy *c = data;
	cleanup_root struct root *root = NULL;
	TRY(user_become(c->u));
	TRY(root_open("/", &root));
	TRY(root_mkdirs(root, c->dir, 0700));
	return copy_small(root, c);
}

/* cp shares blocks where the file system can, and leaves holes. */
static struct err *copy_disk(void *data)
{
	const struct copy *c = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *out = NULL;
	const char *const argv[] = { "cp", "--reflink=auto", "--sparse=always", "--no-clobber", "--", c->from, c->to, NULL };
	TRY(user_become(c->u));
	TRY(root_open("/", &root));
	TRY(root_mkdirs(root, c->dir, 0700));
	if (root_exists(root, c->to))
		return err_new("%s is there already", c->to);
	return child_output(argv, COPY_LIMIT_MS, &out);
}

static struct err *copy_to(const struct user *u, const char *from, const char *to, bool disk)
{
	cleanup_free char *dir = str_dir(to);
	struct copy c = { u, from, dir, to };
	TRY(err_wrap(child_call(disk ? copy_disk : copy_state, &c, COPY_LIMIT_MS), "%s", from));
	printf(_("%s is copied to %s.\n"), from, to);
	return NULL;
}

static struct err *take_vars(struct draft *d, const struct user *u, const char *own, bool copy)
{
	struct search s = { .u = u, .wishes = &d->vars };
	TRY(user_visit(u, find_readable, &s));
	cleanup_free char *found = s.found, *to = str_fmt("%s/VARS.fd", own);
	if (found && copy) {
		TRY(copy_to(u, found, to, false));
		draft_replace(d, "firmware", "vars", to);
	} else if (found && !draft_get(d, "firmware", "vars")) {
		draft_note(d, NOTE_FATAL, 1,
			   "%s: the UEFI variables (boot entries, keys) stay behind; import --copy-state takes them along", found);
	} else if (s.hidden && !found) {
		draft_note(
			d, NOTE_FATAL, 1,
			"%s cannot be read by you: without the UEFI variables Windows may have to be told anew how to start; copy it, make it yours, and set vars in [firmware]",
			d->vars.v[0]);
	}
	return NULL;
}

static struct err *take_tpm(struct draft *d, const struct user *u, const char *own, bool copy)
{
	struct search s = { .u = u, .wishes = &d->tpm };
	TRY(user_visit(u, find_readable, &s));
	cleanup_free char *found = s.found, *to = str_fmt("%s/tpm/tpm2-00.permall", own);
	const char *version = draft_get(d, "tpm", "version");
	if (!version || streq(version, "none"))
		return NULL;
	struct strv own_state = {};
	struct search mine = { .u = u, .wishes = &own_state };
	strv_add(&own_state, to);
	struct err *e = user_visit(u, find_readable, &mine);
	cleanup_free char *have = mine.found;
	strv_free(&own_state);
	if (e || (have && !copy)) /* the machine has been here before */
		return e;
	if (found && copy)
		return copy_to(u, found, to, false);
	if (found)
		draft_note(d, NOTE_FATAL, d->tpm_line,
			   "<tpm>: its state stays in %s: BitLocker will ask for the recovery key; import --copy-state takes it along",
			   found);
	else if (d->tpm_line)
		draft_note(
			d, NOTE_FATAL, d->tpm_line,
			"<tpm>: its state stays with libvirt: BitLocker will ask for the recovery key. As root, copy %s to %s, and make it yours",
			d->tpm.v[0], to);
	return NULL;
}

/* Whether an image is in one of the folders that go with the other program: quickemu's of the machine, libvirt's pools. One that stands
 * elsewhere is the user's, and stays where it is. */
static bool is_theirs(const struct draft *d, const struct user *u, const char *path)
{
	cleanup_free char *pool = expand(u, "~/.local/share/libvirt/images/");
	return streq(d->source, "quickemu") || str_starts(path, "/var/lib/libvirt/images/") || str_starts(path, pool);
}

static struct err *take_disk(struct draft *d, const struct user *u, const char *own, const char *title)
{
	const char *path = draft_get(d, title, "path");
	struct strv wish = {};
	struct search s = { .u = u, .wishes = &wish };
	if (!path || !is_theirs(d, u, path))
		return NULL;
	strv_add(&wish, path);
	struct err *e = user_visit(u, find_readable, &s);
	strv_free(&wish);
	cleanup_free char *found = s.found, *to = str_fmt("%s%s", own, strrchr(path, '/'));
	if (e || (!found && !s.hidden))
		return e;
	if (!found) {
		draft_note(d, NOTE_FATAL, 1,
			   "[%s] %s cannot be read by you, so it stays there: as root, copy it to %s, make it yours, and set path to it",
			   title, path, to);
		return NULL;
	}
	TRY(copy_to(u, found, to, true));
	draft_replace(d, title, "path", to);
	return NULL;
}

static struct err *take_disks(struct draft *d, const struct user *u, const char *own)
{
	for (size_t i = 0; i < d->n; i++)
		if (str_starts(d->v[i].title, "disk ") && (!streq(d->source, "quickemu") || streq(d->v[i].title, "disk main")))
			TRY(take_disk(d, u, own, d->v[i].title));
	return NULL;
}

static struct err *has_public(void *data)
{
	struct search *s = data;
	struct stat st;
	cleanup_free char *path = expand(s->u, "~/Public");
	s->hidden = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	return NULL;
}

struct err *import_state(struct draft *d, const struct user *u, bool copy)
{
	cleanup_free char *own = str_fmt("%s/qlaunch/%s", u->data_dir, draft_get(d, "vm", "name"));
	struct search s = { .u = u };
	TRY(user_visit(u, has_public, &s));
	if (!s.hidden && streq(draft_get(d, "share public", "path"), "~/Public"))
		draft_drop(d, "share public");
	TRY(take_vars(d, u, own, copy));
	TRY(take_tpm(d, u, own, copy));
	return copy ? take_disks(d, u, own) : NULL;
}
