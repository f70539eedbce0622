/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * irq, the kind that tells irqbalance: irqbalance_kind of irq.h. Its socket, as of 1.4 and irqbalance-ui(1): one
 * request a connection, with our credentials; "setup" is answered by a line that ends in "BANNED MASK", "settings cpus
 * LIST" sets the CPUs it is not to use until it ends, "settings cpus NULL" puts back what its configuration says.
 *
 * It takes the setting over at its next round, 10 s later at most, and until then still answers the one before.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/irq/irq.h"

#define ASK_LIMIT_S 2
#define TELL_LIMIT_S 15 /* while it looks around it answers nobody: 3 to 5 s were seen on slow processors */
#define ABSENT "absent"
#define BUSY "busy"

static struct err *balancer_connect(struct root *root, const char *path, int limit_s, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = limit_s };
	if (!root_is_host(root) || strlen(path) >= sizeof(address.sun_path))
		return err_errno(EOPNOTSUPP, "%s", path);
	memcpy(address.sun_path, path, strlen(path));
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(errno, "%s", path);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

/* Sends `text` with our credentials: irqbalance looks at no others. */
static struct err *balancer_send(int fd, const char *text)
{
	union {
		char room[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control = {};
	struct ucred own = { getpid(), getuid(), getgid() };
	struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ CMSG_LEN(sizeof(own)), SOL_SOCKET, SCM_CREDENTIALS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &own, sizeof(own));
	return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? err_errno(errno, "irqbalance") : NULL;
}

static struct err *balancer_ask(struct root *root, const char *path, int limit_s, struct cpus *ret_banned)
{
	static const char key[] = "BANNED ";
	cleanup_fd int fd = -1;
	char answer[8192];
	TRY(balancer_connect(root, path, limit_s, &fd));
	TRY(balancer_send(fd, "setup"));
	ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n < 0)
		return err_errno(errno, "irqbalance");
	answer[n] = '\0';
	char *banned = strstr(answer, key);
	if (!banned)
		return err_new("irqbalance does not answer which CPUs it leaves alone");
	return err_wrap(cpus_parse_mask(str_trim(banned + strlen(key)), ret_banned), "irqbalance");
}

struct err *irqbalance_read(struct root *root, const char *path, struct cpus *ret_banned)
{
	return balancer_ask(root, path, ASK_LIMIT_S, ret_banned);
}

static struct err *balancer_set(struct root *root, const char *path, const struct cpus *banned)
{
	cleanup_fd int fd = -1;
	cleanup_free char *list = cpus_format(banned), *text = str_fmt("settings cpus %s", *list ? list : "NULL");
	TRY(balancer_connect(root, path, TELL_LIMIT_S, &fd));
	return balancer_send(fd, text);
}

static char *describe(const struct step *s)
{
	return tr_fmt("tell irqbalance to leave CPUs %s alone", s->want);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct cpus banned;
	struct err *e = irqbalance_read(env->root, s->target, &banned);
	bool ended = err_code(e) == ENOENT || err_code(e) == ECONNREFUSED;
	if (ended || err_code(e) == EAGAIN) {
		err_free(e);
		*ret_value = str_dup(ended ? ABSENT : BUSY);
		return NULL;
	}
	TRY(e);
	*ret_value = cpus_format(&banned);
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct cpus want;
	TRY(cpus_parse(s->want, &want));
	return balancer_set(env->root, s->target, &want);
}

/* What it answers now may be what it did before: see above. */
static struct err *verify(struct step_env *env, const struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	struct cpus prior = {}, want, now;
	TRY(cpus_parse(s->want, &want));
	err_free(cpus_parse(s->prior, &prior));
	TRY(balancer_ask(env->root, s->target, TELL_LIMIT_S, &now));
	struct cpus ours = cpus_minus(&want, &prior), rest = cpus_minus(&now, &ours);
	return balancer_set(env->root, s->target, &rest);
}

static enum step_whose whose(const struct step *s, const char *now)
{
	(void)s;
	return streq(now, ABSENT) ? STEP_PRIOR : STEP_WANTED;
}

const struct step_kind irqbalance_kind = {
	.name = "irqbalance",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};
