/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu_img: see qemu_img.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/num.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/step/journal.h"

#define PROGRAM "qemu-img"
#define SHORT_LIMIT_MS 60000
#define OUTPUT_MAX (4u << 20)

struct talk {
	const struct qemu_img *run;
	pid_t pid;
	int out, err, signals;
	struct sb said, complaint;
	bool cancelled, late;
};

static char *device_dir(void)
{
	return journal_base();
}

char *qemu_img_device_path(void)
{
	cleanup_free char *dir = device_dir();
	return str_fmt("%s/device", dir);
}

/* In the child, still as root: over the directory lies a file system of its own, with the one node in it. */
static struct err *show_device(const struct qemu_img *run)
{
	cleanup_free char *dir = device_dir(), *path = qemu_img_device_path();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0711,size=64k") < 0 || mknod(path, S_IFBLK | 0600, run->device) < 0 ||
	    chown(path, run->user->uid, run->user->gid) < 0)
		return err_errno(errno, "a node of the device for %s", run->user->name);
	return NULL;
}

__attribute__((noreturn)) static void child(const struct talk *t, const char *program, pid_t parent)
{
	const struct qemu_img *run = t->run;
	cleanup_strv struct strv argv = {}, env = {};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	child_apart();
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (dup2(null, 0) < 0 || dup2(t->out, 1) < 0 || dup2(t->err, 2) < 0)
		_exit(126);
	struct err *e = run->device ? show_device(run) : NULL;
	if (!e && geteuid() == 0)
		e = user_become(run->user);
	if (e) {
		dprintf(2, "%s\n", err_text(e));
		_exit(126);
	}
	strv_add(&argv, PROGRAM);
	for (const char *const *word = run->argv; *word; word++)
		strv_add(&argv, *word);
	user_env(run->user, &env);
	for (size_t i = 0; i < env.n; i++)
		if (str_starts(env.v[i], "LC_ALL=") || str_starts(env.v[i], "LANG="))
			str_set(&env.v[i], "LC_ALL=C"); /* its errors are looked at */
	execve(program, argv.v, env.v);
	dprintf(2, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

double qemu_img_percent(const char *text)
{
	/* "    (12.34/100%)\r", again and again; what is cut off at the end is not read. The point is one in any locale */
	double found = -1;
	for (const char *at = strchr(text, '('); at; at = strchr(at + 1, '(')) {
		unsigned whole, hundredths;
		int n = 0;
		if (sscanf(at, "(%3u.%2u/100%%)%n", &whole, &hundredths, &n) == 2 && n && whole <= 100)
			found = whole + hundredths / 100.0;
	}
	return found;
}

static void show_progress(struct talk *t)
{
	const struct qemu_img *run = t->run;
	if (!run->what || run->ret_status || !t->said.s) /* what has an answer to give does not write figures */
		return;
	double percent = qemu_img_percent(t->said.s);
	if (percent < 0)
		return;
	uint64_t done = (uint64_t)((double)run->total * percent / 100);
	cleanup_free char *some = size_rounded(done), *all = size_rounded(run->total);
	cleanup_free char *detail = run->total ? str_fmt("%s of %s", some, all) : NULL;
	progress_update((uint64_t)(percent * 100), 10000, detail);
	/* what has been read is not needed again; the last figure may be half there */
	const char *last = strrchr(t->said.s, '(');
	cleanup_free char *rest = str_dup(last ? last : "");
	sb_free(&t->said);
	sb_add(&t->said, rest);
}

static bool take(int *fd, struct sb *sb)
{
	char buf[4096];
	ssize_t got = read(*fd, buf, sizeof(buf));
	if (got > 0 && sb->len < OUTPUT_MAX)
		sb_addn(sb, buf, (size_t)got);
	if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
		*fd = -1;
	return *fd >= 0;
}

/* Until it has closed both pipes, which is its end. */
static void listen_to(struct talk *t, int out, int err)
{
	struct pollfd p[] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN }, { .fd = t->signals, .events = POLLIN } };
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int n = poll(p, ARRAY_SIZE(p), t->run->what ? progress_wait_ms(-1) : SHORT_LIMIT_MS);
		if (p[2].fd >= 0 && n > 0 && p[2].revents) {
			t->cancelled = true;
			kill(t->pid, SIGTERM);
			p[2].fd = -1;
		}
		if (n == 0 && !t->run->what) {
			t->late = true;
			kill(t->pid, SIGKILL);
			return;
		}
		if (n > 0 && p[0].revents && take(&p[0].fd, &t->said))
			show_progress(t);
		if (n > 0 && p[1].revents)
			take(&p[1].fd, &t->complaint);
		progress_tick();
	}
}

/* What is usual, and what to do then. */
static struct err *with_remedy(struct err *e)
{
	static const struct {
		const char *words, *remedy; /* words: qemu-img's, in the locale C */
	} known[] = {
		{ "lock", N_("a machine or another program has it open: end that first") },
		{ "No space left", N_("make room there; nothing is left of what was begun") },
		{ "Permission denied", N_("qlaunch opens images as the user who called it: look at `ls -l`") },
		{ "Image is corrupt", N_("a copy first, then: qemu-img check -r all -f qcow2 FILE") },
		{ "backing file", N_("bring the backing file back, or name the right one: qemu-img rebase -u") },
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(err_text(e), known[i].words))
			return err_hint(e, "%s", _(known[i].remedy));
	return e;
}

static struct err *verdict(const struct talk *t, int status)
{
	if (t->cancelled)
		return err_exit(err_coded(ECANCELED, "interrupted"), EXIT_GUEST);
	if (t->late)
		return err_exit(err_errno(ETIMEDOUT, PROGRAM " %s: no answer", t->run->argv[0]), EXIT_HOST);
	if (WIFEXITED(status) && t->run->ret_status)
		*t->run->ret_status = WEXITSTATUS(status);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || t->run->ret_status))
		return NULL;
	const char *text = t->complaint.s ? t->complaint.s : "";
	if (str_starts(text, PROGRAM ": "))
		text += strlen(PROGRAM ": ");
	cleanup_free char *line = str_ndup(text, strcspn(text, "\n")), *clean = str_printable(line);
	return err_exit(with_remedy(*clean ? err_new("%s", clean) : err_new(PROGRAM " ended with wait status %#x", (unsigned)status)),
			EXIT_HOST);
}

static struct err *start(struct talk *t, const char *program)
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int out_in = out[0], out_end = out[1];
	if (pipe2(err, O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int err_in = err[0], err_end = err[1];
	pid_t parent = getpid();
	t->out = out_end;
	t->err = err_end;
	t->pid = fork();
	if (t->pid < 0)
		return err_errno(errno, "fork");
	if (t->pid == 0)
		child(t, program, parent);
	fd_closep(&out_end);
	fd_closep(&err_end);
	int status = 0;
	listen_to(t, out_in, err_in);
	while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	return verdict(t, status);
}

struct err *qemu_img_run(const struct qemu_img *run, char **ret_output)
{
	struct talk t = { .run = run };
	sigset_t ends, before;
	cleanup_free char *program = child_find(PROGRAM);
	if (!program)
		return err_exit(err_hint(err_new(PROGRAM " is not installed"),
					 "apt-get install qemu-utils, pacman -S qemu-img or dnf install qemu-img"),
				EXIT_HOST);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	t.signals = signalfd(-1, &ends, SFD_CLOEXEC);
	if (run->what)
		progress_begin("%s", run->what);
	struct err *e = start(&t, program);
	if (run->what)
		progress_end();
	/* taken back only now: a second Ctrl-C must not end us before what was begun is removed */
	struct signalfd_siginfo info;
	if (t.cancelled && read(t.signals, &info, sizeof(info)) < 0)
		t.cancelled = true;
	fd_closep(&t.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!e && ret_output)
		*ret_output = sb_steal(&t.said);
	sb_free(&t.said);
	sb_free(&t.complaint);
	return e;
}
