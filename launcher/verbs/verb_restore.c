/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch restore [VM]: undoes the journals of dead launchers, that of VM or all. */
#include <errno.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/live/restore.h"

static struct err *restore_one(struct cli *cli, const char *base, const char *vm, bool named, const struct verb_args *args)
{
	struct undo_report report = {};
	bool wait = verb_option(args, "wait"), forget = verb_option(args, "forget");
	struct err *e = wait ? restore_after(&cli->env, base, vm, &report) : restore_vm(&cli->env, base, vm, forget, &report);
	if (err_code(e) == EBUSY && !named) { /* it runs: nothing to restore */
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

struct err *verb_restore(struct cli *cli, const struct verb_args *args)
{
	cleanup_free char *base = journal_base();
	cleanup_strv struct strv vms = {};
	TRY(verb_words(args, 0, 1, "restore [--forget | --wait] [VM]"));
	TRY(journal_sweep(cli->root, base));
	TRY(journal_list(cli->root, base, &vms));
	const char *wanted = args->words.n ? args->words.v[0] : NULL;
	if (wanted && !strv_has(&vms, wanted)) {
		log_info("%s: nothing to restore", wanted);
		return NULL;
	}
	struct err *first = NULL;
	for (size_t i = 0; i < vms.n; i++) {
		if (wanted && !streq(wanted, vms.v[i]))
			continue;
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
