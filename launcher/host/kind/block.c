/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block: see block.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/block.h"

/* Opens a node, and makes sure that it is a block device: nothing else is ever opened by a name of the user's. */
static struct err *open_node(struct root *root, const char *node, int flags, int *ret_fd)
{
	cleanup_fd int fd = -1;
	struct stat st;
	TRY(root_stat(root, node, &st));
	if (!root_is_host(root)) /* there, nodes are plain files */
		return root_open_fd(root, node, O_RDONLY, ret_fd);
	if (!S_ISBLK(st.st_mode))
		return err_new("%s is no block device", node);
	dev_t number = st.st_rdev;
	TRY(root_open_fd(root, node, flags | O_NOFOLLOW | O_CLOEXEC, &fd));
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != number)
		return err_new("%s has become another device", node);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

/* The kernel writes "!" where a name has a slash ("cciss!c0d0"). */
static char *node_of(const char *block)
{
	char *node = str_fmt("/dev/%s", block);
	for (char *c = node; *c; c++)
		if (*c == '!')
			*c = '/';
	return node;
}

/* Whether this process sees a mount of the device (proc_pid_mountinfo(5): the third word is its number). */
static bool sees_mount(struct root *root, const char *pid, const char *number)
{
	cleanup_free char *path = str_fmt("/proc/%s/mountinfo", pid), *text = root_read_or(root, path, "");
	cleanup_free char *word = str_fmt(" %s ", number);
	return strstr(text, word) != NULL;
}

/* A process in whose mount namespace the device or a partition of it is mounted: "sh (812)"; NULL if there is none that we may see. */
static char *mounted_for(struct root *root, const char *block)
{
	cleanup_strv struct strv pids = {}, names = {};
	cleanup_free char *dir = str_fmt("/sys/class/block/%s", block);
	err_free(root_list(root, dir, &names));
	err_free(root_list(root, "/proc", &pids));
	strv_add(&names, ".");
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], block) && !streq(names.v[i], "."))
			continue;
		cleanup_free char *path = str_fmt("%s/%s/dev", dir, names.v[i]), *number = root_read_or(root, path, NULL);
		for (size_t k = 0; number && k < pids.n; k++) {
			if (!isdigit((unsigned char)*pids.v[k]) || !sees_mount(root, pids.v[k], number))
				continue;
			cleanup_free char *comm_path = str_fmt("/proc/%s/comm", pids.v[k]), *comm = root_read_or(root, comm_path, "?");
			cleanup_free char *name = str_printable(comm);
			return str_fmt("%s (%s)", name, pids.v[k]);
		}
	}
	return NULL;
}

static char *who_has(struct root *root, const char *block)
{
	cleanup_free char *who = mounted_for(root, block);
	return who ? tr_fmt("the kernel says that %s is in use: it is mounted for %s", block, who)
		   : tr_fmt("the kernel says that %s is in use: unmounted, but not yet let go, or claimed by another program", block);
}

struct err *block_open(struct root *root, const char *block, int *ret_fd)
{
	cleanup_free char *node = node_of(block);
	return open_node(root, node, O_RDONLY | O_NONBLOCK, ret_fd);
}

enum block_answer block_ask(struct root *root, const char *block, char **ret_why)
{
	cleanup_free char *node = node_of(block);
	cleanup_fd int fd = -1;
	*ret_why = NULL;
	if (!root_is_host(root))
		return BLOCK_UNASKED;
	cleanup_err struct err *e = open_node(root, node, O_RDONLY | O_EXCL | O_NONBLOCK, &fd);
	switch (err_code(e)) {
	case EBUSY:
		*ret_why = who_has(root, block);
		return BLOCK_BUSY;
	case ENOMEDIUM:
	case ENXIO:
	case ENOENT: /* nothing that anybody could use */
		return BLOCK_FREE;
	default:
		*ret_why = e ? str_dup(err_text(e)) : NULL;
		return e ? BLOCK_UNASKED : BLOCK_FREE;
	}
}

struct err *block_claim_all(struct root *root, const struct strv *blocks, struct block_claims *ret_claims)
{
	struct block_claims *c = ret_claims;
	*c = (struct block_claims){ .fds = mem_new((blocks->n + 1) * sizeof(int)) };
	for (size_t i = 0; i < blocks->n && root_is_host(root); i++) {
		cleanup_free char *node = node_of(blocks->v[i]);
		c->fds[c->n++] = -1;
		struct err *e = open_node(root, node, O_RDONLY | O_EXCL | O_NONBLOCK, &c->fds[i]);
		int code = err_code(e);
		if (e && (code == ENOMEDIUM || code == ENXIO || code == ENOENT)) {
			err_free(e);
			continue;
		}
		if (code == EBUSY) {
			cleanup_free char *who = who_has(root, blocks->v[i]);
			err_free(e);
			e = err_hint(err_coded(EBUSY, "%s", who), "unmount it, or end what uses it");
		}
		TRY(e);
	}
	return NULL;
}

void block_claims_free(struct block_claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		fd_closep(&claims->fds[i]);
	free(claims->fds);
	*claims = (struct block_claims){};
}

/* ---- the step ---- */

static char *describe(const struct step *s)
{
	return str_has_word(s->want, BLOCK_SHARED) ? tr_fmt("open %s", s->target) : tr_fmt("claim %s", s->target);
}

/* A claim is not the device's but a descriptor's: there is none before. */
static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	(void)env, (void)s;
	*ret_value = str_dup("");
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	int flags = str_has_word(s->want, BLOCK_RW) ? O_RDWR : O_RDONLY, *fd = s->data;
	flags |= str_has_word(s->want, BLOCK_DIRECT) ? O_DIRECT : 0;
	/* a drive without a disc opens so only; of a disk QEMU expects that it blocks */
	flags |= str_has_word(s->want, BLOCK_SHARED) ? O_NONBLOCK : O_EXCL;
	struct err *e = open_node(env->root, s->target, flags, fd);
	if (err_code(e) != EBUSY)
		return e;
	cleanup_free char *who = who_has(env->root, str_base(s->target));
	err_free(e);
	return err_hint(err_coded(EBUSY, "%s", who), "unmount it, or end what uses it");
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	const int *fd = s->data;
	(void)env;
	return *fd >= 0 ? NULL : err_new("%s is not open", s->target);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

/* It ends with the descriptor, ours or QEMU's: nothing is ever to be undone. */
static enum step_whose whose(const struct step *s, const char *now)
{
	(void)s, (void)now;
	return STEP_PRIOR;
}

const struct step_kind claim_kind = {
	.name = "claim",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.whose = whose,
};

struct step *claim_step(struct steps *out, const char *node, const char *how, const char *why)
{
	return steps_add(out, &claim_kind, node, how, why);
}
