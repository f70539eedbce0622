/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process: a program of ours (swtpm, QEMU) as a step: step kind "process", and "memlock" for what it may lock in memory.
 *
 * The program is forked before the journal names it, and held back on a socket: it runs only once its record is on the disk. If the launcher
 * dies before that, the socket closes and the child ends by itself. Afterwards it outlives the launcher; whoever undoes the journal finds it
 * by pid and start time, which no other process can have, and ends it: SIGTERM, a time limit, SIGKILL.
 *
 * One way to watch a child, for all of them: its end is a pidfd; what it says is read while we wait for anything at all (base/drain.h) and
 * in the event loop (process_watch), so that a full pipe never stops it, and kept by its last lines; a time limit ends it.
 *
 * It forks, sends signals, sets limits of the child that it made. It never touches a process that it cannot tell by its start time, and
 * writes no file.
 */
#pragma once
#include "launcher/base/child.h"
#include "launcher/base/sd.h"
#include "launcher/step/step.h"

/* The step's target is the program's name ("qemu"), want "PID START" (PROCESS_WANT in a plan), prior "". step->data is a struct process. */
extern const struct step_kind process_kind;
#define PROCESS_WANT "running"
/*
 * RLIMIT_MEMLOCK of a held process: target its name, want bytes in decimal, step->data its struct process. It ends with the process, so
 * that there is nothing to undo. Needs CAP_SYS_RESOURCE above the hard limit. Locked memory that already may be as large counts as done.
 */
extern const struct step_kind memlock_kind;

/* Descriptors handed on: fds[i] becomes descriptor PROCESS_FD + i of the program, whatever number it has here. */
#define PROCESS_FD 3
#define PROCESS_FDS_MAX 120
#define PROCESS_LATE_FDS_MAX 64 /* SCM_RIGHTS takes 253 (unix(7)) */

struct process {
	/* What to run; borrowed, in place until it runs. */
	const char *name;
	char *const *argv; /* argv[0] is an absolute path */
	char *const *env;  /* the whole environment; NULL: ours */
	int fds[PROCESS_FDS_MAX];
	size_t n_fds;
	/* More of them, which are there only once it is held: they go with its release, and follow those above. Closed with it. */
	int late_fds[PROCESS_LATE_FDS_MAX];
	size_t n_late_fds;
	bool terminal;     /* keeps our standard input and output (a serial console on stdio); else neither */
	const char *ready; /* what it says on standard error once it serves: only then is its step done; NULL: once it runs */
	int oom_score_adj; /* proc(5), -1000..1000; 0 leaves it */
	struct err *(*become)(void *data); /* in the child, before it is held: gives up privileges. NULL: stays who we are */
	void *become_data;

	/* What became of it; -1, 0 or empty until it is held. */
	struct proc_id id;
	int pidfd;     /* readable when it has ended, all its threads included */
	int stderr_fd; /* what it says on standard error, non-blocking */
	int release_fd, status_fd;
	bool held; /* it has been heard to wait */
	struct sb said;
	int status; /* wait(2) status, once ended is set */
	bool ended;
	bool late; /* ended by process_watch() at its time limit */

	/* While an event loop watches it. */
	sd_event_source *sources[3];
	void (*on_end)(struct process *p, void *data);
	void *on_end_data;
};
#define PROCESS_INIT { .pidfd = -1, .stderr_fd = -1, .release_fd = -1, .status_fd = -1 }

/*
 * Forks the child: all signals at their defaults but SIGPIPE (ignored: its stderr may break with us), a session of its own (Ctrl-C in our
 * terminal is for us), any CPU, no descriptor of ours but those named. Returns once it waits to be released; errors of `become` come back.
 */
struct err *process_hold(struct process *p);
/* The same without waiting for it: its errors come back when it is let go. */
struct err *process_fork(struct process *p);
/* Lets it go and returns once the program runs, or with the error of execve, or of what came before. */
struct err *process_release(struct process *p);
/* Whether it has ended; its status is then in p->status and it is reaped. */
bool process_ended(struct process *p);
/* Waits for its end, for limit_ms, and no longer than until stop_fd (-1: none) is readable. Whether it has ended. */
bool process_await(struct process *p, int limit_ms, int stop_fd);
/*
 * From now on the event loop reads what it says, and calls on_end(p, data) once when it has ended; one that still runs after limit_us (0:
 * no limit) is ended before that, and `late` is set. One that does not run is left alone. p stays where it is until process_close(), which
 * ends the watching. Negative errno, as sd_event_add_io.
 */
int process_watch(struct process *p, sd_event *event, uint64_t limit_us, void (*on_end)(struct process *p, void *data), void *data);
/* "exit status 1", "signal 11 (Segmentation fault)"; owned by the caller. */
char *process_status_text(int status);
/* Takes what it has said on standard error by now, without waiting: before its last words are asked for. False when there is nothing more
 * to come. */
bool process_listen(struct process *p);
/* The last lines of that, at most `lines`, printable, joined by "; " ; "" for none. Owned by the caller. */
char *process_last_words(const struct process *p, size_t lines);
/* Ends one that is still held, and waits for its end; one that runs, or was never forked, stays as it is. */
void process_drop(struct process *p);
/* The same, and closes what belongs to it here. */
void process_close(struct process *p);
#define cleanup_process cleanup(process_close)

/*
 * Ends the process, which need not be our child: SIGTERM, `grace_ms`, SIGKILL, as long again. No error if it is no more; ETIMEDOUT if the
 * kernel does not let it die.
 */
struct err *process_stop(struct proc_id id, int grace_ms);
/* The same of our own child, which is reaped. */
struct err *process_end(struct process *p, int grace_ms);
