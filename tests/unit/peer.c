/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer: see peer.h. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/str.h"
#include "tests/unit/peer.h"

int peer_fork(void (*serve)(int fd), pid_t *ret_pid)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(60);
		close(fds[0]);
		serve(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	*ret_pid = pid;
	return fds[0];
}

static const char *const *qemu_options;

static void become_qemu(int fd)
{
	static const char *const common[] = { "qemu-system-x86_64", "-S", "-nodefaults", "-no-user-config", "-display", "none",
					      "-qmp", "chardev:qmp", "-chardev" };
	struct strv argv = {};
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		strv_add(&argv, common[i]);
	strv_addf(&argv, "socket,id=qmp,fd=%d", fd);
	for (const char *const *o = qemu_options; *o; o++)
		strv_add(&argv, *o);
	execvp(argv.v[0], argv.v);
	_exit(127);
}

int peer_qemu(const char *const options[], pid_t *ret_pid)
{
	qemu_options = options;
	return peer_fork(become_qemu, ret_pid);
}

void peer_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void peer_say_n(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
		if (sent < 0)
			_exit(0);
		bytes += sent;
		n -= (size_t)sent;
	}
}

void peer_say(int fd, const char *text)
{
	peer_say_n(fd, text, strlen(text));
}
