/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep: see keep.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/num.h"
#include "launcher/base/tr.h"
#include "ovmf/keep.h"

struct err *keep_read(struct root *root, const char *path, size_t max, struct sb *ret_bytes)
{
	cleanup_fd int fd = -1;
	cleanup_sb struct sb sb = {};
	struct stat st;
	char buf[65536];
	ssize_t n;
	TRY(root_open_fd(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new("%s: not a regular file", path);
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || sb.len + (size_t)n > max)
			return err_errno(n < 0 ? errno : EFBIG, "%s", path);
		sb_addn(&sb, buf, (size_t)n);
	}
	*ret_bytes = sb;
	sb = (struct sb){};
	return NULL;
}

char *keep_shell_word(const char *s)
{
	struct sb sb = {};
	sb_addc(&sb, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			sb_add(&sb, "'\\''");
		else
			sb_addc(&sb, *s);
	}
	sb_addc(&sb, '\'');
	return sb_steal(&sb);
}

static const char *base_name(const char *path)
{
	return str_base(path);
}

/* Temporary files of a launch that was killed. */
static void remove_temporary(struct root *root, const struct keep *k)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *temp = str_fmt(".%s.", base_name(k->path));
	err_free(root_list(root, k->copies, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", k->copies, names.v[i]);
		if (str_starts(names.v[i], temp))
			err_free(root_unlink(root, path));
	}
}

/* The numbers of the copies there are, ascending; owned by the caller. */
static uint64_t *list_copies(struct root *root, const struct keep *k, size_t *ret_n)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *prefix = str_fmt("%s.", base_name(k->path));
	err_free(root_list(root, k->copies, &names));
	uint64_t *list = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < names.n; i++) {
		uint64_t number;
		if (!str_starts(names.v[i], prefix))
			continue;
		cleanup_err struct err *bad = num_parse(names.v[i] + strlen(prefix), UINT32_MAX, &number);
		if (bad)
			continue;
		list = mem_grow(list, *ret_n, sizeof(*list));
		/* by name they are sorted while the numbers have six digits; insert, for the day after */
		size_t at = (*ret_n)++;
		for (; at && list[at - 1] > number; at--)
			list[at] = list[at - 1];
		list[at] = number;
	}
	return list;
}

static char *copy_path(const struct keep *k, uint64_t number)
{
	return str_fmt("%s/%s.%06" PRIu64, k->copies, base_name(k->path), number);
}

/* The good bytes of a file, or what is wrong with it. */
static struct err *read_good(struct root *root, const struct keep *k, const char *path, struct sb *ret_bytes)
{
	cleanup_sb struct sb sb = {};
	TRY(keep_read(root, path, k->max, &sb));
	TRY(err_wrap(k->check(sb.s ? sb.s : "", sb.len, k->reference), "%s", path));
	*ret_bytes = sb;
	sb = (struct sb){};
	return NULL;
}

/* The newest good copy; NULL if there is none. */
static char *newest_good(struct root *root, const struct keep *k)
{
	size_t n;
	cleanup_free uint64_t *copies = list_copies(root, k, &n);
	while (n-- > 0) {
		cleanup_free char *path = copy_path(k, copies[n]);
		cleanup_sb struct sb sb = {};
		cleanup_err struct err *e = read_good(root, k, path, &sb);
		if (!e)
			return steal(path);
	}
	return NULL;
}

static char *time_of(struct root *root, const char *path)
{
	struct stat st;
	struct tm tm;
	char text[32] = "";
	cleanup_err struct err *e = root_stat(root, path, &st);
	if (!e && localtime_r(&st.st_mtime, &tm))
		strftime(text, sizeof(text), "%F %R", &tm);
	return str_dup(text);
}

/* Adds the remedy: the command that puts the newest good copy in place, or how to begin without. */
static struct err *offer(struct root *root, const struct keep *k, bool there, struct err *e)
{
	cleanup_free char *copy = newest_good(root, k), *to = keep_shell_word(k->path), *dir = keep_shell_word(k->copies);
	cleanup_free char *aside = there ? str_fmt("mv -- %s %s.damaged", to, to) : str_fmt("mv -- %s %s.old", dir, dir);
	if (!copy)
		return err_hint(e, "there is no good copy; to begin without it (%s): %s", tr(k->anew), aside);
	cleanup_free char *from = keep_shell_word(copy), *when = time_of(root, copy);
	if (there)
		return err_hint(e, "put the copy of %s in its place: %s && cp -p -- %s %s", when, aside, from, to);
	return err_hint(e, "put the copy of %s in its place: cp -p -- %s %s; or, to begin without it (%s): %s", when, from, to, tr(k->anew),
			aside);
}

static bool same(const struct sb *a, const struct sb *b)
{
	return a->len == b->len && (!a->len || memcmp(a->s, b->s, a->len) == 0);
}

/* All but the newest go; called only once the newest is on the disk and was read back. */
static struct err *prune(struct root *root, const struct keep *k)
{
	size_t n;
	cleanup_free uint64_t *copies = list_copies(root, k, &n);
	for (size_t i = 0; i + KEEP_COPIES < n; i++) {
		cleanup_free char *path = copy_path(k, copies[i]);
		TRY(root_unlink(root, path));
	}
	return NULL;
}

static struct err *add_copy(struct root *root, const struct keep *k, const struct sb *bytes)
{
	size_t n;
	TRY(root_mkdirs(root, k->copies, 0700));
	cleanup_free uint64_t *copies = list_copies(root, k, &n);
	cleanup_free char *newest = n ? copy_path(k, copies[n - 1]) : NULL, *path = copy_path(k, n ? copies[n - 1] + 1 : 1);
	cleanup_sb struct sb last = {}, back = {};
	cleanup_err struct err *unread = newest ? keep_read(root, newest, k->max, &last) : NULL;
	if (newest && !unread && same(&last, bytes))
		return NULL;
	TRY(root_put_new(root, path, bytes->s, bytes->len, 0600));
	TRY(keep_read(root, path, k->max, &back));
	if (!same(&back, bytes))
		return err_errno(EIO, "%s: not what was written", path);
	return prune(root, k);
}

static struct err *judge(struct root *root, const struct keep *k, struct sb *ret_bytes, bool *ret_missing)
{
	struct err *e = read_good(root, k, k->path, ret_bytes);
	*ret_missing = false;
	if (!e)
		return NULL;
	bool gone = err_code(e) == ENOENT;
	size_t n = 0;
	free(list_copies(root, k, &n));
	if (gone && !n) {
		err_free(e);
		*ret_missing = true;
		return NULL;
	}
	if (gone || err_code(e) == 0) /* else it may be good, and cannot be read */
		e = offer(root, k, !gone, e);
	return err_exit(err_wrap(e, "%s %s", tr(k->what), gone ? _("are gone") : _("cannot be used")), EXIT_HOST);
}

struct err *keep_look(struct root *root, const struct keep *k, bool *ret_missing)
{
	cleanup_sb struct sb bytes = {};
	return judge(root, k, &bytes, ret_missing);
}

struct err *keep_copy(struct root *root, const struct keep *k, bool *ret_missing)
{
	cleanup_sb struct sb bytes = {};
	remove_temporary(root, k);
	TRY(judge(root, k, &bytes, ret_missing));
	if (*ret_missing)
		return NULL;
	return err_hint(err_wrap(add_copy(root, k, &bytes), "no copy of %s can be made", tr(k->what)), "make room for it");
}
