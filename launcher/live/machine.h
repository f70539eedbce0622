/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: one launch while it lives: what was planned, the processes, the monitor, the journal. Shared by run, supervise and their
 * parts. */
#pragma once
#include <termios.h>
#include "launcher/base/sd.h"
#include "launcher/cli.h"
#include "launcher/live/helpers.h"
#include "launcher/plan/plan.h"
#include "launcher/step/engine.h"
#include "launcher/live/vcpus.h"
#include "qmp/qmp.h"

struct machine {
	struct cli *cli;
	struct plan *plan;
	const char *name; /* the VM's */
	struct journal *journal;
	struct engine engine;
	struct process qemu, swtpm, viewer;
	int *disk_fds; /* of the block devices, by disk_fdset, until QEMU is given them; -1: not open. Of disks.h */
	struct helpers net_helpers, share_helpers; /* one for each network, of nets.h; and shared folder, of shares.h */
	struct qmp *qmp;
	struct vcpus *vcpus;
	struct usb *usb;               /* of usb_plug.h; NULL: no device was attached yet */
	struct inputs *inputs;         /* NULL: it has none */
	struct ready *ready;           /* of ready.h, */
	struct settling *settling;     /* settling.h and */
	struct host_sleep *host_sleep; /* host_sleep.h; NULL before the guest runs */
	struct nudge *nudge;           /* of nudge.h; NULL: nobody is to be pressed for */
	struct zones *zones;           /* of zones.h; NULL: no bridge is in a zone of firewalld's */
	struct nospace *nospace;       /* of nospace.h; NULL: no disk was ever full */
	sd_event *event;
	sd_event_source *waiting; /* of waiting.h */
	int stop_fd;              /* readable when somebody wants the launch to end; -1 once the guest runs */
	int signals;              /* SIGINT, SIGTERM and SIGHUP that have come: button, quit, kill */
	char *console;            /* the guest's serial port as a pseudo-terminal: "/dev/pts/3"; NULL for none */
	const char *run_state;    /* QEMU's word for it; static */
	bool over;                /* the guest is: SHUTDOWN has come, or QEMU was asked to quit */
	bool began;               /* its hooks have their turn: `before` was started, so `after` will be */
	char *failure;            /* why the guest's end is a failure, in words; NULL while it is none */
	bool has_terminal;        /* standard input is one, and this is how it was */
	struct termios terminal;
	uint64_t running_us; /* CLOCK_MONOTONIC: since when the guest runs; 0 before */
};

/* Watches until QEMU has ended. What QEMU or the guest did wrong is the error (EXIT_GUEST). */
struct err *supervise(struct machine *m);
/* Writes status.json beside the journal, for `qlaunch status`. */
struct err *machine_status(struct machine *m);
/* The status.json of a machine that runs (under --root: that was captured); an error of usage names those that do. Owned by the caller. */
struct err *machine_find(struct cli *cli, const char *vm, json_t **ret_status);
/* Where QEMU has put a serial port that is a pseudo-terminal. */
struct err *machine_console(struct machine *m);
