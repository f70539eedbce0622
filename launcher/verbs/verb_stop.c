/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch stop VM: asks the launcher to end its guest (STOP_SIGNAL) and waits until the host is back. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/cli.h"
#include "launcher/step/journal.h"
#include "launcher/tools/roots.h"
#include "launcher/verbs/running.h"

#define PING_LIMIT_MS 3000
#define ANSWER_LIMIT_MS 2000 /* it does not answer when it does it */

/* By pidfd, after a look at the start time: a pid that was reused is never signalled. `times`: as if so many SIGTERMs had come. */
static struct err *signal_launcher(struct proc_id id, int times, int *ret_pidfd)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	if (fd < 0 || !proc_alive(id))
		return err_errno(ESRCH, "launcher %d", (int)id.pid);
	siginfo_t info = { .si_signo = STOP_SIGNAL, .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_int = times;
	if (syscall(SYS_pidfd_send_signal, fd, STOP_SIGNAL, &info, 0) < 0)
		return err_errno(errno, "launcher %d", (int)id.pid);
	*ret_pidfd = fd_steal(&fd);
	return NULL;
}

static void await(int pidfd)
{
	while (poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, -1) < 0 && errno == EINTR)
		;
}

/* The guest shuts itself down: also one that does not listen to its power button. */
static struct err *ask_agent(struct cli *cli, const char *vm, struct proc_id launcher)
{
	cleanup_agent struct agent *agent = NULL;
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, launcher.pid, 0);
	if (fd < 0 || !proc_alive(launcher))
		return err_errno(ESRCH, "launcher %d", (int)launcher.pid);
	TRY(running_agent(cli, vm, "stop --agent", PING_LIMIT_MS, &agent));
	struct err *e = agent_call(agent, "guest-shutdown", json_pack("{s:s}", "mode", "powerdown"), ANSWER_LIMIT_MS, NULL);
	if (!running_is_silent(e))
		return e;
	err_free(e);
	log_info("%s: its agent was asked to shut it down", vm);
	await(fd);
	return NULL;
}

struct err *verb_stop(struct cli *cli, const struct verb_args *args)
{
	TRY(verb_words(args, 1, 1, "stop [--now | --kill | --agent] VM"));
	const char *vm = args->words.v[0];
	cleanup_free char *base = journal_base();
	cleanup_strv struct strv vms = {};
	TRY(journal_list(cli->root, base, &vms));
	if (!strv_has(&vms, vm)) {
		const char *command = verb_option(args, "kill") ? "stop --kill" : verb_option(args, "now") ? "stop --now" : "stop";
		TRY(roots_machine_error(cli, vm, command));
		return err_exit(err_hint(err_new("%s does not run", vm), "qlaunch status"), EXIT_USAGE);
	}
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	TRY(journal_read(&cli->env, base, vm, &steps, &info));
	TRY(journal_is_callers(&info));
	if (!info.alive)
		return err_exit(err_hint(err_new("%s: its launcher is dead", vm), "qlaunch restore %s", vm), EXIT_USAGE);
	cleanup_fd int pidfd = -1;
	if (verb_option(args, "agent"))
		return err_exit(ask_agent(cli, vm, info.launcher), EXIT_GUEST);
	int times = verb_option(args, "kill") ? 3 : verb_option(args, "now") ? 2 : 1;
	TRY(err_wrap(signal_launcher(info.launcher, times, &pidfd), "%s", vm));
	if (times == 1)
		log_info("%s: power button pressed; if the guest does not listen: qlaunch stop --now %s", vm, vm);
	await(pidfd);
	return NULL;
}
