/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu_img: qemu-img, run as the user on whose behalf it is: it opens what the user named. A block device that is not
 * the user's stands, for this one process, as a node of the user's in a mount namespace of its own: nobody else sees it,
 * and it is gone with the process, however that ends.
 *
 * Long work shows its progress on a terminal. SIGINT, SIGTERM and SIGHUP end it: ECANCELED, and qemu-img has ended, too.
 */
#pragma once
#include <sys/types.h>
#include "launcher/base/user.h"

/* The path under which qemu-img finds the device of `struct qemu_img.device`: owned by the caller. */
char *qemu_img_device_path(void);

/* An option of a new image (qemu-img(1)): on btrfs it is not copied at each write, which would leave it in pieces. QEMU leaves it out elsewhere. */
#define QEMU_IMG_NOCOW "nocow=on"
struct qemu_img {
	const struct user *user;
	const char *const *argv; /* "convert", …, NULL: without the program */
	const char *what;        /* "copying win.qcow2": shows progress, by `-p` among the arguments; NULL for short work */
	uint64_t total;          /* bytes, for the words beside the bar; 0: none */
	int *ret_status;         /* its exit status, any of which is no error then; NULL: only 0 is none */
	dev_t device;            /* a block device to be seen at qemu_img_device_path(); 0: none */
};
/* What it wrote to standard output goes to ret_output (NULL: not wanted). The error is qemu-img's own first line, with a remedy for those
 * that are usual. Short work has a limit of a minute. */
struct err *qemu_img_run(const struct qemu_img *run, char **ret_output);

/* How far it is, from what `-p` has written last: 0..100; -1 where it has not written a whole figure. Pure. */
double qemu_img_percent(const char *text);
