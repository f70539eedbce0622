/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch run CONFIG: plan, judge, launch. What the host cannot is said before anything is changed. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/live/announce.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/plan/install.h"
#include "launcher/live/restore.h"
#include "launcher/live/run.h"
#include "launcher/step/journal.h"
#include "launcher/tools/answers.h"
#include "launcher/tools/history.h"
#include "launcher/tools/virtio_win.h"
#include "launcher/verbs/typed.h"
#include "launcher/verbs/unattended.h"
#include "ovmf/vars.h"

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

/* The discs of --install and --drivers: looked at with the rights of the user, who named them. */
struct discs {
	char *given[2];
	char *path[2]; /* without links, for QEMU may see another directory as its own */
	struct disc disc[2];
	char *answers, *home; /* of --unattended: it goes when the run has ended */
	struct user user;
};

static struct err *look_at_discs(void *data)
{
	struct discs *d = data;
	for (size_t i = 0; i < ARRAY_SIZE(d->given); i++) {
		if (!d->given[i])
			continue;
		struct err *e = disc_read(d->given[i], &d->disc[i]);
		if (err_code(e) == ENOENT)
			e = err_hint(e, "download it, or name where it is");
		TRY(e);
		d->path[i] = realpath(d->given[i], NULL);
		if (d->path[i] && !str_is_utf8(d->path[i])) {
			cleanup_free char *shown = str_printable(d->path[i]);
			return err_hint(err_new("%s is no UTF-8, which QEMU is told in", shown), "rename it");
		}
	}
	return NULL;
}

static struct err *look_at_first(void *data)
{
	struct discs *d = data;
	return disc_read(d->given[0], &d->disc[0]);
}

/* Its installer has no driver for most of what a virtual machine has. */
static bool is_windows(const struct user *caller, const char *path)
{
	struct discs d = { .given = { (char *)path } }; /* borrowed */
	cleanup_err struct err *e = user_visit(caller, look_at_first, &d);
	return !e && (d.disc[0].udf || strcasestr(d.disc[0].publisher, "MICROSOFT"));
}

static void free_discs(struct discs *d)
{
	if (d->answers)
		answers_remove(&d->user, d->home);
	user_free(&d->user);
	free(d->answers);
	free(d->home);
	free(d->given[0]);
	free(d->given[1]);
	free(d->path[0]);
	free(d->path[1]);
}

static struct err *take_discs(struct cli *cli, const struct verb_args *args, struct discs *d)
{
	cleanup_user struct user caller = {};
	const char *install = verb_option(args, "install"), *drivers = verb_option(args, "drivers");
	if (drivers && !install)
		return err_exit(err_hint(err_new("--drivers belongs to --install"),
					 "qlaunch run --install windows.iso --drivers virtio-win.iso VM"),
				EXIT_USAGE);
	static const char *const with[] = { "unattended", "account", "edition", "password-file", "yes" };
	for (size_t i = 0; i < ARRAY_SIZE(with); i++)
		if (verb_option(args, with[i]) && (!install || !verb_option(args, "unattended")))
			return err_exit(err_hint(err_new("--%s belongs to an installation that nobody watches", with[i]),
						 "qlaunch run --install windows.iso --unattended VM"),
					EXIT_USAGE);
	if (!install)
		return NULL;
	cleanup_free char *here = getcwd(NULL, 0);
	TRY(user_find(NULL, &caller));
	d->given[0] = typed_path(&caller, install, here);
	d->given[1] = drivers ? typed_path(&caller, drivers, here) : is_windows(&caller, d->given[0]) ? virtio_win_find(&caller) : NULL;
	TRY(err_exit(user_visit(&caller, look_at_discs, d), EXIT_CONFIG));
	cli->install = d->path[0];
	cli->drivers = d->path[1];
	if (!verb_option(args, "unattended"))
		return NULL;
	if (!cli->drivers)
		return err_exit(
			err_hint(err_new("an installation that nobody watches wants the disc of drivers"), "qlaunch fetch virtio-win"),
			EXIT_HOST);
	TRY(unattended_make(cli, args, d->path[0], &d->user, &d->home, &d->answers));
	cli->answers = d->answers;
	return NULL;
}

/* What a dead launcher of this VM left is undone before anything is judged: the facts would be those of its launch, not of this host. */
static struct err *undo_dead(struct cli *cli, const char *vm, bool *ret_undone)
{
	cleanup_free char *base = journal_base(), *path = str_fmt("%s/%s/journal", base, vm);
	*ret_undone = root_exists(cli->root, path) && !journal_alive(cli->root, base, vm);
	if (!*ret_undone)
		return NULL;
	log_warn("%s: the last launcher died; undoing what it left", vm);
	return restore_vm(&cli->env, base, vm, false, NULL);
}

static struct err *make_plan(struct cli *cli, const char *config, struct plan *ret_plan)
{
	bool undone = false;
	TRY(plan_make(cli, config, ret_plan));
	TRY(undo_dead(cli, ret_plan->config->vm.name, &undone));
	if (!undone)
		return NULL;
	plan_free(ret_plan);
	*ret_plan = (struct plan){};
	return plan_make(cli, config, ret_plan);
}

static struct err *run(struct cli *cli, const struct verb_args *args, struct plan *p, char **ret_home, double *ret_seconds)
{
	cleanup(free_discs) struct discs discs = {};
	if (!root_is_host(cli->root))
		return err_exit(err_hint(err_new("a machine runs on this host only, not under --root %s", root_dir(cli->root)),
					 "qlaunch plan --root %s", root_dir(cli->root)),
				EXIT_USAGE);
	TRY(take_discs(cli, args, &discs));
	cleanup_progress bool shown =
		progress_begin("looking at this host"); /* QEMU is asked what it can do, once after each update of it */
	TRY(make_plan(cli, args->words.v[0], p));
	phase_end(&cli->phases, "plan");
	*ret_home = vars_vm_dir(p->config, p->user.data_dir);
	history_plan(p->config->vm.name, p->config->path, *ret_home, &p->user, &p->steps);
	p->findings.terse = true;
	plan_check(cli, p);
	progress_end();
	for (size_t i = 0; i < p->findings.n; i++)
		if (p->findings.v[i].verdict == FINDING_WARN)
			log_warn("%s: %s", p->findings.v[i].topic, p->findings.v[i].text);
	if (findings_worst(&p->findings) == FINDING_BAD)
		return refuse(p);
	if (plan_needs_root(p) && geteuid() != 0)
		return err_exit(err_hint(err_new("%s: its steps need root", p->config->vm.name), "sudo qlaunch %s", p->config->path),
				EXIT_HOST);
	if (cli->install)
		install_say(p->config, &discs.disc[0], cli->drivers, cli->answers);
	if (!cli->answers && root_exists(cli->root, *ret_home)) /* of a launcher that was killed: a password is in it */
		answers_remove(&p->user, *ret_home);
	phase_end(&cli->phases, "check");
	return run_machine(cli, p, ret_seconds);
}

struct err *verb_run(struct cli *cli, const struct verb_args *args)
{
	cleanup_plan struct plan p = {};
	TRY(verb_words(args, 1, 1, "run [--install ISO [--drivers ISO] [--unattended]] CONFIG"));
	cleanup_free char *home = NULL; /* what the log of this run borrows until its end */
	double seconds = 0;
	history_begin();
	struct err *e = run(cli, args, &p, &home, &seconds);
	history_end(e, seconds);
	announce_end(cli, &p, args->words.v[0], e);
	return e;
}
