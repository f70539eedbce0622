/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topology: the map of CPUs and caches that `qlaunch topology` shows, and its forms. All pure: facts and plan in, text
 * out. */
#pragma once
#include <jansson.h>
#include "launcher/host/cpu/cpu_plan.h"

struct map {
	const struct cpu_facts *facts;
	const struct cpu_plan *plan; /* NULL: no machine is drawn in */
	const char *vm;              /* its name */
};

enum role { ROLE_NONE, ROLE_HOST, ROLE_GUEST, ROLE_EMULATOR, ROLE_IOTHREAD, ROLE_QEMU /* emulator and I/O threads */ };
struct map_role {
	const char *mark, *word, *name; /* in the picture, in its legend, in JSON */
	const char *ink, *fill;         /* terminal's escape sequence, SVG's colour */
};
extern const struct map_role map_roles[];
extern const char *const map_kinds[CPU_KINDS]; /* "P", "E", "LP" */

enum role map_role(const struct map *m, int cpu);
char *map_mark(const struct map *m, int cpu);       /* "G3": vCPU 3; "EI", "H"; "" without a plan; owned by the caller */
char *map_l3_title(const struct map *m, size_t l3); /* "L3 1, 32M, NUMA node 0"; owned by the caller */
char *map_title(const struct map *m);               /* the processor, its cores and CPUs; owned by the caller */

char *map_text(const struct map *m, bool colours); /* at most 80 columns; owned by the caller */
char *map_svg(const struct map *m);                /* owned by the caller */
/* The same for scripts: CPUs, cores, caches and nodes by their numbers. Owned by the caller. */
json_t *map_json(const struct map *m);
