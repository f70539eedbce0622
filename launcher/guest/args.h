/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * args: QEMU's command line as a list of options, each with its reason. Pure. JSON wherever QEMU takes it; in option strings the append
 * primitive doubles the commas of every value by itself.
 */
#pragma once
#include <jansson.h>
#include "launcher/base/str.h"

struct arg {
	char *option; /* "-device" */
	char *value;  /* NULL for an option without one */
	char *why;    /* one line; NULL where the option before says it */
};
struct args {
	struct arg *v;
	size_t n;
};

/* "-name", "win11,debug-threads=on": value is taken as it is, so it must not hold anything of the user's. NULL for an option without
 * one. */
void args_add(struct args *a, const char *option, const char *value, const char *why);
/* A JSON object as the value (-blockdev, -object, -device, …). Takes over the reference to `object`. */
void args_json(struct args *a, const char *option, json_t *object, const char *why);
/* An option string: `head` and then pairs (key, value), ended by NULL; a pair with a NULL value is left out; commas in values are doubled.
 * args_opts(a, "-chardev", why, "socket", "id", "tpm", "path", path, NULL) → "-chardev", "socket,id=tpm,path=/a,,b". */
__attribute__((sentinel)) void args_opts(struct args *a, const char *option, const char *why, const char *head, ...);
/* An option string of parts ("host", "topoext=on"), joined by commas; those within a part are doubled. */
void args_parts(struct args *a, const char *option, const struct strv *parts, const char *why);
/* Sets properties of what is there, "ID.PROPERTY=VALUE" each: of the device with that id, of "machine", else, by -global, of all devices of
 * that driver. The last word on `a`: it keeps the order in which QEMU makes devices. */
void args_set(struct args *a, const struct strv *sets);
void args_free(struct args *a);
#define cleanup_args cleanup(args_free)
/* argv of the program `binary`, then all options; fit for execv. */
void args_argv(const struct args *a, const char *binary, struct strv *ret_argv);
