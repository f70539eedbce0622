/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch check [CONFIG]: can this host run the machine, or any machine? Each finding with its remedy. Changes nothing. */
#include "launcher/base/tr.h"
#include "launcher/plan/plan.h"
#include "launcher/advise/survey.h"
#include "launcher/verbs/verb_disk.h"
#include "launcher/verbs/findings.h"

static struct err *check_machine(struct cli *cli, const char *config, struct findings *ret_findings, char **ret_vm)
{
	cleanup_plan struct plan p = {};
	TRY(plan_make(cli, config, &p));
	plan_check(cli, &p);
	disk_check_images(&p.findings, cli->root, &p.user, &p.disks);
	*ret_vm = str_dup(p.config->vm.name);
	*ret_findings = p.findings;
	p.findings = (struct findings){};
	return NULL;
}

static struct err *check_host(struct cli *cli, struct findings *ret_findings)
{
	cleanup_survey struct survey s = {};
	TRY(survey_read(cli, &s));
	survey_check(ret_findings, cli, &s);
	return NULL;
}

static char *conclusion(const struct findings *f, const char *vm)
{
	bool bad = findings_worst(f) == FINDING_BAD;
	if (vm)
		return str_fmt("%s: %s", vm, bad ? _("this host cannot run it yet; mend what is marked ✗") : _("this host can run it"));
	return tr_dup(bad ? "This host is not ready yet: mend what is marked ✗, from the top."
			  : N_("This host is ready. Next: `qlaunch new NAME` proposes a machine for it."));
}

struct err *verb_check(struct cli *cli, const struct verb_args *args)
{
	cleanup_findings struct findings f = {};
	cleanup_free char *vm = NULL;
	TRY(verb_words(args, 0, 1, "check [--json | --html] [CONFIG]"));
	TRY(args->words.n ? check_machine(cli, args->words.v[0], &f, &vm) : check_host(cli, &f));
	cleanup_free char *last = conclusion(&f, vm);
	if (cli->json)
		findings_print_json(&f, vm);
	else if (verb_option(args, "html"))
		findings_print_html(&f, vm, last);
	else
		findings_print(&f, last);
	cli->status = findings_worst(&f) == FINDING_BAD ? EXIT_HOST : EXIT_OK;
	return NULL;
}
