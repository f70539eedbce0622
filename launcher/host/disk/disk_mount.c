/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk_mount: what the host has mounted of a disk that a guest gets, unmounted for that time. What a value says of a mount is the text of
 * mountinfo (proc_pid_mountinfo(5)); mount(2) takes the same words but for a few.
 *
 * It never detaches (MNT_DETACH): a file system that is in use stays, and the launch ends there. That all of it has let go of the disk is the
 * kernel's to say: the claim comes after it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include "launcher/base/child.h"
#include "launcher/base/opened.h"
#include "launcher/base/tr.h"
#include "launcher/host/disk/disk.h"

#define NONE "none"
#define LIMIT_MS 120000 /* what was written to a slow stick is written out first */

/* The words of a line of mountinfo that count. */
struct line {
	struct strv words;
	const char *number, *root, *point, *options, *type, *source, *super; /* of `words` */
};

static void line_free(struct line *l)
{
	strv_free(&l->words);
}
#define cleanup_line cleanup(line_free)

static bool line_parse(const char *text, struct line *ret)
{
	size_t dash = 6;
	strv_split(&ret->words, text, " ");
	char *const *w = ret->words.v;
	while (dash < ret->words.n && !streq(w[dash], "-"))
		dash++;
	if (dash + 3 >= ret->words.n)
		return false;
	ret->number = w[2];
	ret->root = w[3];
	ret->point = w[4];
	ret->options = w[5];
	ret->type = w[dash + 1];
	ret->source = w[dash + 2];
	ret->super = w[dash + 3];
	return true;
}

/* "\040" is a blank: mangle_path() of the kernel writes blank, tab, newline and backslash so. Owned by the caller. */
static char *unescape(const char *text)
{
	struct sb sb = {};
	while (*text) {
		bool octal = text[0] == '\\' && strspn(text + 1, "01234567") >= 3;
		sb_addc(&sb, octal ? (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0')) : *text);
		text += octal ? 4 : 1;
	}
	return sb.s ? sb_steal(&sb) : str_dup("");
}

static bool has_option(const char *options, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = options; (p = strstr(p, word)); p += n)
		if ((p == options || p[-1] == ',') && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

/* ---- which ones ---- */

/* What a system does not go on without, and homes: whoever wants a guest to have such a disk takes it away by hand. */
static bool is_systems(const char *point)
{
	static const char *const own[] = { "/",    "/boot", "/boot/efi", "/efi", "/home", "/usr", "/var",  "/etc", "/opt",
					   "/srv", "/root", "/tmp",      "/nix", "/gnu",  "/run", "/var/lib", "/var/log" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (streq(point, own[i]))
			return true;
	return str_starts(point, "/home/") && !strchr(point + strlen("/home/"), '/');
}

/* Another file system that is mounted below it and stays. Owned by the caller; NULL: none. */
static char *below(const struct strv *lines, const char *point, const struct strv *numbers)
{
	size_t n = strlen(point);
	for (size_t i = 0; i < lines->n; i++) {
		cleanup_line struct line l = {};
		cleanup_free char *there = line_parse(lines->v[i], &l) ? unescape(l.point) : NULL;
		if (there && str_starts(there, point) && there[n] == '/' && !strv_has(numbers, l.number))
			return steal(there);
	}
	return NULL;
}

/* Why it cannot go, or not come back. */
static void judge(struct disk_mount *m, const struct line *l, const struct strv *lines, const struct strv *numbers)
{
	cleanup_free char *other = below(lines, m->point, numbers);
	m->harmless = has_option(l->options, "nosuid") && has_option(l->options, "nodev");
	if (is_systems(m->point)) {
		m->problem = tr_fmt("%s is the host's own", m->point);
		m->remedy = tr_dup("give the guest another disk");
	} else if (other) {
		m->problem = tr_fmt("%s is mounted below %s", other, m->point);
		m->remedy = tr_fmt("umount '%s'", other);
	} else if (str_starts(l->type, "fuse")) {
		m->problem = tr_fmt("%s is mounted by a program (%s), which qlaunch cannot start again", m->point, l->type);
		m->remedy = tr_fmt("umount '%s'", m->point);
	} else if (!streq(l->root, "/") && !streq(l->type, "btrfs")) {
		m->problem = tr_fmt("a part of it is mounted on %s (a bind mount)", m->point);
		m->remedy = tr_fmt("umount '%s'", m->point);
	}
}

/* The numbers of the disk and its partitions ("8:1"), and the names by which a btrfs, whose number is its own, names its source. */
static void family(struct root *root, const char *block, struct strv *ret_numbers, struct strv *ret_nodes)
{
	cleanup_strv struct strv entries = {};
	cleanup_free char *dir = str_fmt("/sys/class/block/%s", block), *own = str_fmt("%s/dev", dir), *whole = root_read_or(root, own, "");
	err_free(root_list(root, dir, &entries));
	strv_add(ret_numbers, whole);
	strv_addf(ret_nodes, "/dev/%s", block);
	for (size_t i = 0; i < entries.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s/dev", dir, entries.v[i]);
		cleanup_free char *number = str_starts(entries.v[i], block) ? root_read_or(root, path, NULL) : NULL;
		if (!number)
			continue;
		strv_add(ret_numbers, number);
		strv_addf(ret_nodes, "/dev/%s", entries.v[i]);
	}
}

void disk_mounts_read(struct root *root, struct disk *d)
{
	cleanup_free char *text = root_read_or(root, "/proc/self/mountinfo", "");
	cleanup_strv struct strv lines = {}, numbers = {}, nodes = {};
	strv_split(&lines, text, "\n");
	family(root, d->block, &numbers, &nodes);
	for (size_t i = lines.n; i-- > 0;) {
		cleanup_line struct line l = {};
		if (!line_parse(lines.v[i], &l))
			continue;
		cleanup_free char *real = str_starts(l.source, "/dev/") ? root_real(root, l.source) : NULL;
		if (!strv_has(&numbers, l.number) && !(real && strv_has(&nodes, real)))
			continue;
		struct disk_mount m = { .point = unescape(l.point), .was = str_fmt("%s %s %s %s", l.type, l.source, l.options, l.super) };
		judge(&m, &l, &lines, &numbers);
		d->mounts = mem_grow(d->mounts, d->n_mounts, sizeof(m));
		d->mounts[d->n_mounts++] = m;
	}
}

void disk_unmount_steps(struct steps *out, const struct disk_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].n_mounts; k++) {
			const struct disk_mount *m = &f->v[i].mounts[k];
			struct step *s = steps_add(out, &unmount_kind, m->point, NONE, "two systems that write to one disk destroy it");
			s->obstacle = str_dup(m->problem);
		}
}

/* Below a folder that root makes for this user alone (udisks(8)). */
static bool is_desktops(const char *point, const char *user)
{
	cleanup_free char *run = str_fmt("/run/media/%s/", user), *media = str_fmt("/media/%s/", user);
	return str_starts(point, run) || str_starts(point, media);
}

static void check_mount(struct findings *out, const struct disk *d, const struct disk_mount *m, const char *user, bool roots_own)
{
	const char *name = d->conf->name;
	if (m->problem)
		findings_add(out, FINDING_BAD, "mount", tr_fmt("[disk %s] unmount: %s", name, m->problem), str_dup(m->remedy));
	else if (user && !roots_own && !is_desktops(m->point, user))
		findings_add(out, FINDING_BAD, "mount",
			     tr_fmt("[disk %s] unmount: on behalf of a user only what the desktop of %s mounted is unmounted, and %s is not", name, user,
				    m->point),
			     tr_dup("unmount it yourself; or put the configuration into /etc/qlaunch, as root's own"));
	else if (user && !m->harmless && !d->conf->readonly)
		findings_add(
			out, FINDING_BAD, "mount",
			tr_fmt("[disk %s] unmount: %s would be mounted again with what the guest has written into it, programs of root's too", name,
			       m->point),
			tr_fmt("mount it with nosuid,nodev (in /etc/fstab), or readonly = yes in [disk %s]", name));
	else
		findings_add(out, FINDING_OK, "disk",
			     tr_fmt("[disk %s] %s: %s is unmounted for the guest, and mounted again afterwards", name, d->conf->path, m->point), NULL);
}

void disk_unmount_findings(struct findings *out, const struct disk_facts *f, const char *user, bool roots_own)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].n_mounts; k++)
			check_mount(out, &f->v[i], &f->v[i].mounts[k], user, roots_own);
}

/* ---- the step ---- */

static char *describe(const struct step *s)
{
	return tr_fmt("unmount %s", s->target);
}

/* What is on top there. */
static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *text = NULL;
	cleanup_strv struct strv lines = {};
	TRY(root_read(env->root, "/proc/self/mountinfo", &text));
	strv_split(&lines, text, "\n");
	for (size_t i = lines.n; i-- > 0;) {
		cleanup_line struct line l = {};
		cleanup_free char *point = line_parse(lines.v[i], &l) ? unescape(l.point) : NULL;
		if (!point || !streq(point, s->target))
			continue;
		*ret_value = str_fmt("%s %s %s %s", l.type, l.source, l.options, l.super);
		return NULL;
	}
	*ret_value = str_dup(NONE);
	return NULL;
}

static bool is_within(const void *data, const char *pid, const char *path)
{
	const char *point = data;
	size_t n = strlen(point);
	(void)pid;
	return strncmp(path, point, n) == 0 && (path[n] == '/' || !path[n]);
}

static void check(struct step_env *env, const struct step *s, struct findings *out)
{
	cleanup_free char *who = s->obstacle ? NULL : opened_by(env->root, is_within, s->target, false);
	if (who)
		findings_add(out, FINDING_BAD, "mount", tr_fmt("%s cannot be unmounted: files there are open in %s", s->target, who),
			     tr_dup("end them first"));
}

struct call {
	struct root *root;
	const struct step *s;
};

static struct err *umount_call(void *data)
{
	const struct call *c = data;
	return root_umount(c->root, c->s->target);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct call c = { env->root, s };
	struct err *e = child_call(umount_call, &c, LIMIT_MS);
	if (err_code(e) != EBUSY)
		return e;
	cleanup_free char *who = opened_by(env->root, is_within, s->target, false);
	return err_hint(who ? err_wrap(e, "files there are open in %s", who) : e, "end what uses it: fuser -vm '%s'", s->target);
}

/* mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", as the kernel tells them. */
static const struct {
	const char *word;
	unsigned long flag;
} flags[] = {
	{ "ro", MS_RDONLY },	   { "nosuid", MS_NOSUID },	    { "nodev", MS_NODEV },     { "noexec", MS_NOEXEC },
	{ "noatime", MS_NOATIME }, { "nodiratime", MS_NODIRATIME }, { "relatime", MS_RELATIME }, { "sync", MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC }, { "lazytime", MS_LAZYTIME },
};

/* Told, but not taken: how it is mounted in words of the kernel's own (rw is no flag; seclabel is SELinux's). */
static const char *const told_only[] = { "rw", "seclabel" };

/* A word of the options: a flag's, one that is only told, or the file system's own, which goes to `data`. */
static void take_option(const char *word, unsigned long *ret_flags, struct sb *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (streq(word, flags[i].word)) {
			*ret_flags |= flags[i].flag;
			return;
		}
	for (size_t i = 0; i < ARRAY_SIZE(told_only); i++)
		if (streq(word, told_only[i]))
			return;
	cleanup_free char *plain = unescape(word);
	sb_addf(data, "%s%s", data->len ? "," : "", plain);
}

static struct err *mount_call(void *data)
{
	const struct call *c = data;
	cleanup_strv struct strv words = {}, options = {};
	cleanup_sb struct sb own = {};
	unsigned long bits = 0;
	strv_split(&words, c->s->prior, " ");
	if (words.n != 4)
		return err_new("\"%s\" is no mount", c->s->prior);
	strv_split(&options, words.v[2], ",");
	strv_split(&options, words.v[3], ",");
	for (size_t i = 0; i < options.n; i++)
		take_option(options.v[i], &bits, &own);
	if (!(bits & (MS_NOATIME | MS_RELATIME)))
		bits |= MS_STRICTATIME; /* without a word the kernel takes relatime */
	cleanup_free char *source = unescape(words.v[1]);
	return root_mount(c->root, source, c->s->target, words.v[0], bits, own.len ? own.s : "");
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	struct call c = { env->root, s };
	if (str_starts(s->target, "/run/media/") || str_starts(s->target, "/media/")) /* udisks takes the folder away with the mount */
		err_free(root_exists(env->root, s->target) ? NULL : root_mkdir(env->root, s->target, 0700));
	return err_hint(child_call(mount_call, &c, LIMIT_MS), "look at it (the guest may have made another file system of it), then mount it on %s",
			s->target);
}

/* The same file system there is as before, whatever the kernel says of its options by now. */
static enum step_whose whose(const struct step *s, const char *now)
{
	cleanup_strv struct strv was = {}, is = {};
	if (streq(now, s->prior))
		return STEP_PRIOR;
	if (streq(now, NONE))
		return STEP_WANTED;
	strv_split(&was, s->prior, " ");
	strv_split(&is, now, " ");
	bool same = was.n == 4 && is.n == 4 && streq(was.v[0], is.v[0]) && streq(was.v[1], is.v[1]);
	return same ? STEP_PRIOR : STEP_FOREIGN;
}

const struct step_kind unmount_kind = {
	.name = "unmount",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
	.check = check,
};
