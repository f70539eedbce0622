/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch restore [VM]: undoes the journals of dead launchers, that of VM or all. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/live/restore.h"
#include "launcher/step/journal.h"

static struct err *restore_one(struct cli *cli, const char *base, const char *vm, bool named, const struct verb_args *args)
{
	struct undo_report report = {};
	/* after a service's stop that took too long nobody waits any more: systemd.exec(5), $SERVICE_RESULT */
	bool wait = verb_option(args, "wait") && !streq(getenv("SERVICE_RESULT"), "timeout"), forget = verb_option(args, "forget");
	struct err *e = wait ? restore_after(&cli->env, base, vm, &report) : restore_vm(&cli->env, base, vm, forget, &report);
	if ((err_code(e) == EBUSY || err_code(e) == EPERM) && !named) { /* it runs: nothing to restore; or it is another user's */
		err_free(e);
		return NULL;
	}
	if (err_code(e) == EBUSY)
		return err_exit(err_hint(e, "it runs: qlaunch stop %s", vm), EXIT_USAGE);
	if (!e && (!wait || report.undone + report.left)) /* else its launcher ended well */
		log_info(tr_n("%s: restored, %zu step undone%s", "%s: restored, %zu steps undone%s", report.undone), vm, report.undone,
			 report.left ? _(", some left as somebody changed them") : "");
	return e;
}

/* The machines that are meant: all, the one of that name, or, where the word is a path, those that were started from that file. */
static void choose(struct cli *cli, const char *base, const char *word, struct strv *vms)
{
	struct strv meant = {};
	cleanup_free char *here = getcwd(NULL, 0), *path = *word == '/' || !here ? str_dup(word) : str_fmt("%s/%s", here, word);
	for (size_t i = 0; i < vms->n; i++) {
		cleanup_steps struct steps steps = {};
		cleanup_journal_info struct journal_info info = {};
		cleanup_err struct err *e = strchr(word, '/') ? journal_read(&cli->env, base, vms->v[i], &steps, &info) : NULL;
		if (!e && (info.config ? streq(info.config, path) || streq(info.config, word) : streq(vms->v[i], word)))
			strv_add(&meant, vms->v[i]);
	}
	strv_free(vms);
	*vms = meant;
}

struct err *verb_restore(struct cli *cli, const struct verb_args *args)
{
	cleanup_free char *base = journal_base();
	cleanup_strv struct strv vms = {};
	TRY(verb_words(args, 0, 1, "restore [--forget | --wait] [VM | CONFIG]"));
	TRY(journal_sweep(cli->root, base));
	TRY(journal_list(cli->root, base, &vms));
	const char *wanted = args->words.n ? args->words.v[0] : NULL;
	if (wanted)
		choose(cli, base, wanted, &vms);
	if (wanted && !vms.n) {
		log_info("%s: nothing to restore", wanted);
		return NULL;
	}
	struct err *first = NULL;
	for (size_t i = 0; i < vms.n; i++) {
		struct err *e = restore_one(cli, base, vms.v[i], wanted, args);
		if (first)
			log_err(LOG_LEVEL_ERROR, e);
		else
			first = e;
	}
	if (!vms.n)
		log_info("nothing to restore");
	return first;
}
