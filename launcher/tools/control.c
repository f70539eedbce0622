/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control: see control.h. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "launcher/tools/control.h"
#include "launcher/step/journal.h"

#define GREETING_LIMIT_MS 10000

static struct err *connect_to(struct cli *cli, const char *vm, const char *name, int flags, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_free char *base = journal_base(), *path = str_fmt("%s/%s/%s", base, vm, name);
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	TRY(journal_base_check(cli->root, base));
	TRY(journal_read(&cli->env, base, vm, &steps, &info));
	TRY(journal_is_callers(&info));
	if (!root_is_host(cli->root) || strlen(path) >= sizeof(addr.sun_path))
		return err_errno(ENAMETOOLONG, "%s", path);
	memcpy(addr.sun_path, path, strlen(path));
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_errno(errno, "%s", path);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

struct err *control_agent(struct cli *cli, const char *vm, int *ret_fd)
{
	return connect_to(cli, vm, "agent", SOCK_NONBLOCK, ret_fd);
}

struct err *control_open(struct cli *cli, const char *vm, struct qmp **ret_qmp)
{
	int fd = -1;
	TRY(connect_to(cli, vm, "monitor", 0, &fd));
	cleanup_qmp struct qmp *qmp = qmp_new(fd);
	struct err *e = qmp_handshake(qmp, GREETING_LIMIT_MS);
	if (err_code(e) == ETIMEDOUT)
		e = err_hint(e, "another command is at its monitor: try again when that has ended");
	TRY(err_wrap(e, "%s: its monitor", vm));
	*ret_qmp = steal(qmp);
	return NULL;
}
