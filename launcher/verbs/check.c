/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch check CONFIG: can this host run it? One finding a line, each with its remedy. Changes nothing. */
#include <jansson.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/plan.h"

static const struct {
	const char *mark, *colour, *word;
} verdicts[] = {
	[FINDING_OK] = { "✓", "\033[32m", "ok" },
	[FINDING_WARN] = { "!", "\033[33m", "warning" },
	[FINDING_BAD] = { "✗", "\033[31m", "bad" },
};

static void print_findings(const struct findings *f, const char *vm)
{
	bool colours = log_colours(STDOUT_FILENO);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];
		printf("%s%s%s %-10s %s\n", colours ? verdicts[x->verdict].colour : "", verdicts[x->verdict].mark, colours ? "\033[0m" : "", x->topic,
		       x->text);
		if (x->remedy && x->verdict != FINDING_OK)
			printf("  %-10s → %s\n", "", x->remedy);
	}
	printf("\n%s: %s\n", vm, findings_worst(f) == FINDING_BAD ? "this host cannot run it yet; mend what is marked ✗" : "this host can run it");
}

static void print_json(const struct findings *f, const char *vm)
{
	json_t *list = json_array();
	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "verdict", verdicts[f->v[i].verdict].word, "topic", f->v[i].topic,
						      "text", f->v[i].text, "remedy", f->v[i].remedy));
	json_t *o = json_pack("{s:s, s:b, s:o}", "vm", vm, "can_run", findings_worst(f) != FINDING_BAD, "findings", list);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

struct err *verb_check(struct cli *cli, const struct verb_args *args)
{
	cleanup_plan struct plan p = {};
	TRY(verb_words(args, 1, 1, "check [--json] CONFIG"));
	TRY(plan_make(cli, args->words.v[0], &p));
	plan_check(cli, &p);
	if (cli->json)
		print_json(&p.findings, p.config->vm.name);
	else
		print_findings(&p.findings, p.config->vm.name);
	cli->status = findings_worst(&p.findings) == FINDING_BAD ? EXIT_HOST : EXIT_OK;
	return NULL;
}
