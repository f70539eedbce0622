/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch topology [CONFIG]: cores and caches as a picture (or --svg, --json), with a machine's plan drawn in. Changes
 * nothing. */
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/plan/plan.h"
#include "launcher/verbs/topology.h"

static void print(const struct map *m, const struct cli *cli, bool svg)
{
	cleanup_free char *text = cli->json ? NULL : svg ? map_svg(m) : map_text(m, log_colours(STDOUT_FILENO));
	if (text) {
		fputs(text, stdout);
		return;
	}
	json_t *o = map_json(m);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

struct err *verb_topology(struct cli *cli, const struct verb_args *args)
{
	TRY(verb_words(args, 0, 1, "topology [--svg] [--json] [CONFIG]"));
	bool svg = verb_option(args, "svg");
	if (args->words.n) {
		cleanup_plan struct plan p = {};
		TRY(plan_make(cli, args->words.v[0], &p));
		struct map m = { &p.cpu_facts, &p.cpu, p.config->vm.name };
		print(&m, cli, svg);
		return NULL;
	}
	cleanup_cpu_facts struct cpu_facts f = {};
	TRY(cpu_facts_read(cli->root, &f));
	struct map m = { .facts = &f };
	print(&m, cli, svg);
	return NULL;
}
