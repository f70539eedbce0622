/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announce: see announce.h. */
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/live/announce.h"
#include "launcher/tools/entry.h"
#include "launcher/host/desktop/notify.h"

#define RESTORED "The host is as it was before."

static bool wanted(const struct plan *p)
{
	enum notify how = p->config ? p->config->host.notify : NOTIFY_AUTO;
	return how == NOTIFY_YES || (how == NOTIFY_AUTO && !isatty(STDERR_FILENO));
}

/* What an exit status means to a person. */
static const struct {
	const char *words;
	bool restored; /* and the host is as before */
} ends[] = {
	[EXIT_OK] = { "has ended", true },
	[EXIT_GUEST] = { "failed", true },
	[EXIT_USAGE] = { "was not started", false },
	[EXIT_CONFIG] = { "was not started", false },
	[EXIT_HOST] = { "was not started", false },
	[EXIT_RESIDUE] = { "has ended, but not all could be put back", false },
};

static char *body_of(const struct err *e, bool restored)
{
	struct sb sb = {};
	if (e)
		sb_addf(&sb, "%s%s", err_text(e), restored ? "\n" : "");
	if (restored)
		sb_add(&sb, RESTORED);
	if (err_remedy(e))
		sb_addf(&sb, "\n→ %s", err_remedy(e));
	return sb_steal(&sb);
}

void announce_ready(const struct cli *cli, const struct plan *p)
{
	if (!wanted(p))
		return;
	const char *vm = p->config->vm.name;
	cleanup_free char *icon = entry_icon(), *entry = str_fmt("qlaunch-%s", vm), *summary = tr_fmt("%s is ready", vm);
	notify_begin(cli->root, &p->user,
		     &(struct notice){ summary, p->config->vm.description ? p->config->vm.description : "", icon, entry, false });
}

void announce_end(const struct cli *cli, const struct plan *p, const char *word, const struct err *e)
{
	cleanup_user struct user caller = {};
	const struct user *user = &p->user;
	enum exit_status status = err_status(e);
	if (!wanted(p))
		return;
	if (!user->name) { /* no plan came about */
		cleanup_err struct err *nobody = user_find(NULL, &caller);
		if (nobody)
			return;
		user = &caller;
	}
	cleanup_free char *vm = p->config ? str_dup(p->config->vm.name) : config_name_of(word);
	cleanup_free char *summary = str_fmt("%s %s", vm, ends[status].words), *body = body_of(e, ends[status].restored);
	cleanup_free char *icon = entry_icon(), *entry = str_fmt("qlaunch-%s", vm);
	notify_wait(cli->root, user, &(struct notice){ summary, body, icon, entry, status == EXIT_RESIDUE });
}
