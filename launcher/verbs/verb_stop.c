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

/* By pidfd, after a look at the start time: a pid that was reused is never signalled, nor waited for. */
static struct err *open_launcher(struct proc_id id, int *ret_pidfd)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	if (fd < 0 || !proc_alive(id))
		return err_errno(ESRCH, "launcher %d", (int)id.pid);
	*ret_pidfd = fd_steal(&fd);
	return NULL;
}

/* `times`: as if so many SIGTERMs had come. */
static struct err *signal_launcher(struct proc_id id, int pidfd, int times)
{
	siginfo_t info = { .si_signo = STOP_SIGNAL, .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_int = times;
	return syscall(SYS_pidfd_send_signal, pidfd, STOP_SIGNAL, &info, 0) < 0 ? err_errno(errno, "launcher %d", (int)id.pid) : NULL;
}

static void await(int pidfd)
{
	while (poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, -1) < 0 && errno == EINTR)
		;
}

/* The guest shuts itself down: also one that does not listen to its power button. */
static struct err *ask_agent(struct cli *cli, const char *vm)
{
	cleanup_agent struct agent *agent = NULL;
	TRY(running_agent(cli, vm, "stop --agent", &agent));
	TRY(running_shutdown(agent, "powerdown"));
	log_info("%s: its agent was asked to shut it down", vm);
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
		const char *command = verb_option(args, "agent")  ? "stop --agent"
				      : verb_option(args, "kill") ? "stop --kill"
				      : verb_option(args, "now")  ? "stop --now"
								  : "stop";
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
	int times = verb_option(args, "kill") ? 3 : verb_option(args, "now") ? 2 : 1;
	bool agent = verb_option(args, "agent");
	TRY(err_wrap(open_launcher(info.launcher, &pidfd), "%s", vm));
	TRY(agent ? ask_agent(cli, vm) : err_wrap(signal_launcher(info.launcher, pidfd, times), "%s", vm));
	if (times == 1 && !agent)
		log_info("%s: power button pressed; if the guest does not listen: qlaunch stop --now %s", vm, vm);
	await(pidfd);
	return NULL;
}
