/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu_ask: asks a QEMU binary what it can. Within host/qemu only. */
#pragma once
#include <jansson.h>
#include "launcher/base/user.h"

/*
 * What is asked for, and the version since which it can be assumed: major * 100 + minor, 0 for 7.2 and before. Ended by
 * a NULL name.
 */
struct qemu_name {
	const char *name;
	int since;
};
extern const struct qemu_name qemu_names[];

/*
 * Runs `binary` as `user`, in children with a time limit, and has its answer: {"version": "7.2.22", "has": "NAME NAME …"}.
 * Nothing is believed of it but that it is JSON of at most 64 KiB: the caller checks.
 */
struct err *qemu_ask(const char *binary, const struct user *user, json_t **ret_answer);
