/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch exec VM -- COMMAND…: a program in the guest, by its agent and without a shell. What it says goes where ours does, and its exit status
 * is ours. What a guest says is data: to a terminal it goes without what that could obey.
 */
#include <stdio.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/verbs/running.h"

#define SECONDS 60 /* without --timeout */
#define SECONDS_MAX 86400

static void put(FILE *to, const struct sb *bytes)
{
	if (!bytes->len)
		return;
	if (!isatty(fileno(to))) {
		fwrite(bytes->s, 1, bytes->len, to);
		fflush(to);
		return;
	}
	for (const char *line = bytes->s; *line;) { /* a NUL ends it: what is no text is for pipes */
		size_t n = strcspn(line, "\n");
		cleanup_free char *one = str_ndup(line, n && line[n - 1] == '\r' ? n - 1 : n), *clean = str_printable(one);
		fprintf(to, "%s\n", clean);
		line += n + (line[n] == '\n');
	}
	fflush(to);
}

struct err *verb_exec(struct cli *cli, const struct verb_args *args)
{
	cleanup_agent struct agent *agent = NULL;
	cleanup_agent_output struct agent_output output = {};
	const char *limit = verb_option(args, "timeout");
	uint64_t seconds = SECONDS;
	TRY(verb_words(args, 2, 256, "exec [--timeout SECONDS] VM -- COMMAND…"));
	if (limit)
		TRY(err_exit(err_wrap(num_parse(limit, SECONDS_MAX, &seconds), "--timeout"), EXIT_USAGE));
	for (size_t i = 1; i < args->words.n; i++)
		if (!str_is_utf8(args->words.v[i]))
			return err_exit(err_new("the command is no UTF-8, which the agent is told in"), EXIT_USAGE);
	TRY(running_agent(cli, args->words.v[0], "exec", &agent));
	/* the vector of words ends with NULL */
	TRY(err_exit(agent_exec(agent, (const char *const *)&args->words.v[1], (int)seconds * 1000, &output), EXIT_GUEST));
	put(stdout, &output.out);
	put(stderr, &output.err);
	if (output.truncated)
		log_warn("the agent has kept a part of what it said only");
	if (output.signal)
		return err_exit(err_new("%s: signal %d ended it", args->words.v[1], output.signal), EXIT_GUEST);
	cli->status = (enum exit_status)(output.status < 0 ? EXIT_GUEST : output.status & 255);
	return NULL;
}
