/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: what `qlaunch bench` is to do: an INI file.
 *
 *	[bench]          config (of the machine), guest (bench-guest, for native variants), output, rounds, workloads, limit
 *	[variant NAME]   native = yes, or any key of the machine's configuration: cpu.threads = 4, memory.hugepages = 2M
 *
 * Paths are relative to the file. The first variant is what the others are compared with.
 */
#pragma once
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"
#include "launcher/base/str.h"

struct bench_variant {
	char *name;
	bool native, control; /* control: the first one again, to see what this machine calls a difference */
	struct strv sets;     /* "cpu.threads=4" */
};
struct bench_plan {
	char *path, *config, *guest, *output;
	struct strv workloads;
	unsigned rounds;  /* after the one that warms up */
	unsigned limit_s; /* of one run */
	struct bench_variant *variants;
	size_t n_variants;
};

/* `path` as the user wrote it. Errors say the line; EXIT_CONFIG. The control variant is in it already. */
struct err *bench_plan_read(struct root *root, const char *path, struct bench_plan *ret_plan);
void bench_plan_free(struct bench_plan *p);
#define cleanup_bench_plan cleanup(bench_plan_free)
