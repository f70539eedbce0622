/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch run CONFIG: plan, judge, launch. What the host cannot is said before anything is changed. */
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/run.h"

/* What stands in the way, a line each with its remedy. */
static struct err *refuse(const struct plan *p)
{
	cleanup_sb struct sb sb = {};
	for (size_t i = 0; i < p->findings.n; i++) {
		const struct finding *f = &p->findings.v[i];
		if (f->verdict != FINDING_BAD)
			continue;
		sb_addf(&sb, "\n  %s: ", f->topic);
		sb_add(&sb, f->text);
		if (f->remedy)
			sb_addf(&sb, "\n    → %s", f->remedy);
	}
	struct err *e = err_new("%s cannot run here%s", p->config->vm.name, sb.s ? sb.s : "");
	return err_exit(e, EXIT_HOST);
}

static void say_warnings(const struct plan *p)
{
	for (size_t i = 0; i < p->findings.n; i++)
		if (p->findings.v[i].verdict == FINDING_WARN)
			log_warn("%s: %s", p->findings.v[i].topic, p->findings.v[i].text);
}

struct err *verb_run(struct cli *cli, const struct verb_args *args)
{
	cleanup_plan struct plan p = {};
	TRY(verb_words(args, 1, 1, "run CONFIG"));
	if (!root_is_host(cli->root))
		return err_exit(err_hint(err_new("a machine runs on this host only, not under --root %s", root_dir(cli->root)),
					 "qlaunch plan --root %s", root_dir(cli->root)), EXIT_USAGE);
	TRY(plan_make(cli, args->words.v[0], &p));
	plan_check(cli, &p);
	say_warnings(&p);
	if (findings_worst(&p.findings) == FINDING_BAD)
		return refuse(&p);
	if (plan_needs_root(&p) && geteuid() != 0)
		return err_exit(err_hint(err_new("%s: its steps need root", p.config->vm.name), "sudo qlaunch %s", p.config->path), EXIT_HOST);
	return run_machine(cli, &p);
}
