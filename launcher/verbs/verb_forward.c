/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch forward [--remove] VM tcp:HOST:GUEST: a port of this host that leads to the guest's, or no longer, while it runs. By QEMU's own user
 * network (hostfwd_add of its monitor), the one kind that can; nothing of it outlives the run.
 */
#include "launcher/base/log.h"
#include "launcher/config/config.h"
#include "launcher/verbs/running.h"

/* QEMU's monitor for people (docs/system/monitor): what it says, without its line ends; "" is well. Owned by the caller. */
static struct err *human(struct qmp *qmp, const char *line, char **ret_said)
{
	json_t *value = NULL;
	TRY(qmp_call(qmp, "human-monitor-command", json_pack("{s:s}", "command-line", line), RUNNING_LIMIT_MS, &value));
	*ret_said = str_dup(json_string_value(value) ? json_string_value(value) : "");
	json_decref(value);
	return NULL;
}

/* The first network of type user in `info network`: " \ net-lan: index=0,type=user,net=…". Owned; NULL: there is none. */
static char *user_network(const char *text)
{
	const char *at = text ? strstr(text, "type=user") : NULL;
	while (at && at > text && at[-1] != '\n')
		at--;
	if (!at)
		return NULL;
	at += strspn(at, " \\");
	return str_ndup(at, strcspn(at, ":"));
}

struct err *verb_forward(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup_free char *networks = NULL, *said = NULL, *line = NULL;
	struct conf_forward f;
	TRY(verb_words(args, 2, 2, "forward [--remove] VM PROTOCOL:HOST:GUEST"));
	const char *vm = args->words.v[0], *rule = args->words.v[1];
	bool removes = verb_option(args, "remove");
	if (!conf_forward_parse(rule, &f))
		return err_exit(err_hint(err_new("\"%s\" is no rule", rule), "tcp:8080:80: port 8080 of this host is the guest's port 80"),
				EXIT_USAGE);
	TRY(running_monitor(cli, vm, "forward", &qmp));
	TRY(err_exit(human(qmp, "info network", &networks), EXIT_GUEST));
	cleanup_free char *id = user_network(networks);
	if (!id)
		return err_exit(err_hint(err_new("%s has no network of QEMU's own, whose ports can change while it runs", vm),
					 "forward = %s in its [network], from its next start on", rule),
				EXIT_HOST);
	if (removes)
		line = str_fmt("hostfwd_remove %s %s:%s:%u", id, f.protocol, f.address, f.host);
	else
		line = str_fmt("hostfwd_add %s %s:%s:%u-:%u", id, f.protocol, f.address, f.host, f.guest);
	TRY(err_exit(human(qmp, line, &said), EXIT_GUEST));
	cleanup_free char *clean = str_printable(str_trim(said));
	if (removes ? !strstr(clean, "removed") : *clean)
		return err_exit(
			err_hint(err_new("%s: %s", rule, clean), removes ? "it was not forwarded" : "another port; who has it: ss -tulpn"),
			EXIT_HOST);
	if (removes)
		log_info("%s: %s:%u leads nowhere any more", vm, f.address, f.host);
	else
		log_info("%s: %s:%u is the guest's port %u (%s)", vm, f.address, f.host, f.guest, f.protocol);
	return NULL;
}
