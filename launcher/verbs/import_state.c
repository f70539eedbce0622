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
#define UNUSED_MAX (197632 * 8)       /* bytes of an image that nothing was installed on: quickemu's DISK_MIN_SIZE */
#define COPY_LIMIT_MS (60 * 60 * 1000) /* a disk of some TB */

struct search {
	const struct user *u;
	const struct strv *wishes;
	char *found;
	bool hidden; /* there is such a file, or a folder on the way that may not be entered */
	off_t size;
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
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
			s->found = steal(path);
			s->size = st.st_size;
		}
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

struct code {
	bool secure;
	const char *found; /* static */
};

/* OVMF of 2 MiB, whose variables have 128 KiB (edk2's OvmfPkg, FD_SIZE_IN_KB): Debian's, Fedora's, Arch's of old, openSUSE's; then with Secure
 * Boot. quickemu takes the last image that there is, libvirt what the domain names. */
static struct err *find_code(void *data)
{
	static const char *const images[2][4] = { { "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_CODE.fd",
						    "/usr/share/edk2/x64/OVMF_CODE.fd", "/usr/share/qemu/ovmf-x86_64-code.bin" },
						  { "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd",
						    "/usr/share/edk2/x64/OVMF_CODE.secboot.fd", "/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin" } };
	struct code *c = data;
	for (size_t i = 0; i < ARRAY_SIZE(images[0]) && !c->found; i++)
		c->found = faccessat(AT_FDCWD, images[c->secure][i], R_OK, AT_EACCESS) == 0 ? images[c->secure][i] : NULL;
	return NULL;
}

/* Variables fit the image alone that they were made for; where nobody names one, their size tells. */
static struct err *take_code(struct draft *d, const struct user *u, off_t size)
{
	struct code c = { .secure = streq(draft_get(d, "firmware", "secure-boot"), "yes") };
	if (size != 128 << 10 || draft_get(d, "firmware", "code"))
		return NULL;
	TRY(user_visit(u, find_code, &c));
	if (c.found)
		draft_set(d, 1, "firmware", "code", c.found);
	else
		draft_note(
			d, NOTE_FATAL, 1,
			"the UEFI variables are those of a firmware of 2 MiB, which this host does not have: set code in [firmware] to a copy of it (OVMF_CODE.fd)");
	return NULL;
}

static struct err *take_vars(struct draft *d, const struct user *u, const char *own, bool copy)
{
	struct search s = { .u = u, .wishes = &d->vars };
	TRY(user_visit(u, find_readable, &s));
	cleanup_free char *found = s.found, *to = str_fmt("%s/VARS.%s", own, found && str_ends(found, ".qcow2") ? "qcow2" : "fd");
	TRY(found && (copy || draft_get(d, "firmware", "vars")) ? take_code(d, u, s.size) : NULL);
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

/* What quickemu looks at before it starts the machine. As the user. */
struct look {
	const struct user *u;
	const struct draft *d;
	bool has_public, is_used;
};

static struct err *look(void *data)
{
	struct look *l = data;
	struct stat st;
	const char *disk = draft_get(l->d, "disk main", "path");
	cleanup_free char *public = expand(l->u, "~/Public"), *image = disk ? expand(l->u, disk) : NULL;
	l->has_public = stat(public, &st) == 0 && S_ISDIR(st.st_mode);
	l->is_used = image && stat(image, &st) == 0 && st.st_size > UNUSED_MAX;
	return NULL;
}

/* A disk that is in use has no medium of the installation beside it; KolibriOS runs from it. */
static struct err *finish_quickemu(struct draft *d, const struct user *u)
{
	struct look l = { .u = u, .d = d };
	TRY(user_visit(u, look, &l));
	if (!l.has_public && streq(draft_get(d, "share public", "path"), "~/Public"))
		draft_drop(d, "share public");
	if (draft_get(d, "share public", "path"))
		draft_note(d, NOTE_MACHINE, 1, "[share public] comes by virtiofs here, not by 9p or WebDAV: mount -t virtiofs public; Windows needs WinFsp and its service");
	if (l.is_used)
		draft_drop(d, "cdrom iso");
	return NULL;
}

struct err *import_state(struct draft *d, const struct user *u, bool copy)
{
	cleanup_free char *own = str_fmt("%s/qlaunch/%s", u->data_dir, draft_get(d, "vm", "name"));
	if (streq(d->source, "quickemu"))
		TRY(finish_quickemu(d, u));
	TRY(take_vars(d, u, own, copy));
	TRY(take_tpm(d, u, own, copy));
	return copy ? take_disks(d, u, own) : NULL;
}
