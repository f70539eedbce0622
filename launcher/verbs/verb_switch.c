/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch switch CONFIG [guest|host]: the machine's monitors to the guest's input, or back to the host's; without a word, to the other one.
 * What a button of the monitor would do, from the desktop: the launcher of a running machine finds its monitor as it left it, or as it was.
 */
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/config/config.h"
#include "launcher/host/screen/monitor.h"
#include "launcher/step/journal.h"

/* What it showed, by what it read: 0 where that tells nothing. */
static unsigned as_input(long read)
{
	return monitor_input_usable((int)read) ? (unsigned)read : 0;
}

/* The input that the launcher of the running machine found; 0 where nobody knows. */
static unsigned found_by_launcher(struct cli *cli, const struct config *c, const struct conf_monitor *m)
{
	cleanup_free char *base = journal_base();
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	struct err *e = journal_read(&cli->env, base, c->vm.name, &steps, &info);
	e = e ? e : journal_is_callers(&info); /* a name in a file may be that of another user's machine */
	cleanup_err struct err *unknown = e;
	for (size_t i = 0; !unknown && i < steps.n; i++)
		if (steps.v[i].kind == &monitor_kind && streq(steps.v[i].target, m->match) && steps.v[i].prior)
			return as_input(strtol(steps.v[i].prior, NULL, 16)); /* "silent" is 0 */
	return 0;
}

static struct err *switch_one(struct cli *cli, const struct config *c, const struct conf_monitor *m, const char *to)
{
	struct monitors all = {};
	const struct monitor *now = NULL;
	unsigned host = m->host_input ? m->host_input : found_by_launcher(cli, c, m);
	TRY(monitors_read(cli->root, false, &all));
	TRY(monitor_find(&all, m->match, &now));
	bool told = now->input < 0 || now->input == (int)m->guest_input || (host && now->input == (int)host) ||
		    monitor_input_usable(now->input);
	if (!to && !told)
		return err_hint(err_new("%s does not tell what it shows (it reads 0x%02x), so not which is the other one", now->name,
					(unsigned)now->input),
				"qlaunch switch CONFIG guest; qlaunch switch CONFIG host");
	/* one that shows the guest is often silent on this cable */
	bool guest = to ? streq(to, "guest") : now->input >= 0 && now->input != (int)m->guest_input;
	unsigned input = guest ? m->guest_input : host;
	bool silent = false;
	if (!input)
		return err_hint(err_new("nobody knows which input shows the host"), "host-input = 0x… in [monitor %s]; qlaunch monitors",
				m->name);
	TRY(monitor_switch(cli->root, m->match, input, &silent));
	const char *name = monitor_input_name(input);
	log_info("%s: %s, input 0x%02x%s%s%s", now->name, guest ? _("the guest") : _("the host"), input, name ? " (" : "", name ? name : "",
		 name ? ")" : "");
	return NULL;
}

struct err *verb_switch(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user caller = {};
	TRY(verb_words(args, 1, 2, "switch CONFIG [guest|host]"));
	const char *to = args->words.n > 1 ? args->words.v[1] : NULL;
	if (to && !streq(to, "guest") && !streq(to, "host"))
		return err_exit(err_hint(err_new("\"%s\" is neither guest nor host", to), "qlaunch switch CONFIG [guest|host]"),
				EXIT_USAGE);
	cleanup_config struct config *c = NULL;
	TRY(config_load_as_caller(args->words.v[0], &cli->sets, &caller, &c));
	if (!c->n_monitors)
		return err_exit(err_hint(err_new("%s has no monitor to switch", c->vm.name), "a [monitor NAME] section: qlaunch monitors"),
				EXIT_CONFIG);
	struct err *first = NULL;
	for (size_t i = 0; i < c->n_monitors; i++) {
		struct err *e = err_wrap(switch_one(cli, c, &c->monitors[i], to), "monitor %s", c->monitors[i].name);
		if (first)
			log_err(LOG_LEVEL_ERROR, e);
		else
			first = e;
	}
	return err_exit(first, EXIT_HOST);
}
