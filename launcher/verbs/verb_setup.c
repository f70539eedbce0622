/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch setup: makes a host ready for good, and --undo takes it all back. Shows every change as a diff first; without
 * a terminal and without --yes it shows only. Writes files below /etc and /boot, and runs the commands that it names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"
#include "launcher/verbs/pager.h"

#define CONTEXT 2

/* ---- the diff ---- */

static void split_lines(const char *text, struct strv *ret_lines)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		strv_addf(ret_lines, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void print_line(char mark, const char *line, bool colours)
{
	const char *colour = !colours ? "" : mark == '-' ? "\033[31m" : mark == '+' ? "\033[32m" : "";
	printf("%s%c%s%s\n", colour, mark, line, *colour ? "\033[0m" : "");
}

/* All that lies between the first and the last line that differ, as one piece. */
static void print_diff(const struct setup_change *c, bool colours)
{
	cleanup_strv struct strv old = {}, new = {};
	size_t head = 0, tail = 0;
	split_lines(c->old, &old);
	split_lines(c->new, &new);
	while (head < old.n && head < new.n &&streq(old.v[head], new.v[head]))
		head++;
	while (tail < old.n - head && tail < new.n - head &&streq(old.v[old.n - 1 - tail], new.v[new.n - 1 - tail]))
		tail++;
	printf("--- %s\n+++ %s\n", c->old ? c->path : "/dev/null", c->new ? c->path : "/dev/null");
	for (size_t i = head > CONTEXT ? head - CONTEXT : 0; i < head; i++)
		print_line(' ', old.v[i], colours);
	for (size_t i = head; i < old.n - tail; i++)
		print_line('-', old.v[i], colours);
	for (size_t i = head; i < new.n - tail; i++)
		print_line('+', new.v[i], colours);
	for (size_t i = old.n - tail; i < old.n && i < old.n - tail + CONTEXT; i++)
		print_line(' ', old.v[i], colours);
	putchar('\n');
}

static void print_setup(struct root *root, const struct setup *s, bool undo)
{
	bool colours = log_colours(STDOUT_FILENO);
	cleanup_strv struct strv each = {};
	for (size_t i = 0; i < s->n; i++)
		print_diff(&s->v[i], colours);
	for (size_t i = 0; i < (undo ? s->back.n : s->run.n); i++)
		printf(_("then: %s\n"), undo ? s->back.v[i] : s->run.v[i]);
	for (size_t i = 0; i < s->commands.n; i++)
		boot_commands(root, s->commands.v[i], &each);
	for (size_t i = 0; i < each.n; i++)
		printf(_("then: %s\n"), each.v[i]);
	for (size_t i = 0; i < s->notes.n; i++)
		page_wrap("note: ", 6, s->notes.v[i]);
}

static struct err *make_plan(struct cli *cli, const struct survey *s, const char *wanted, struct setup *ret_setup)
{
	const struct pci_function **devices = NULL;
	size_t n = 0;
	TRY(setup_devices(cli->root, s, wanted, &devices, &n));
	struct err *e = setup_plan(cli->root, s, devices, n, ret_setup);
	free(devices);
	return e;
}

/* ---- doing it ---- */

static bool agreed(const struct verb_args *args)
{
	char line[16];
	if (verb_option(args, "yes"))
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		printf(_(N_("\nNothing was changed; --yes does it.\n")));
		return false;
	}
	printf(_(N_("\nDo it? [y/N] ")));
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y');
}

struct err *verb_setup(struct cli *cli, const struct verb_args *args)
{
	cleanup_survey struct survey s = {};
	cleanup_setup struct setup setup = {};
	bool undo = verb_option(args, "undo");
	TRY(verb_words(args, 0, 0, "setup [--undo] [--yes] [--gpu ADDRESS | none]"));
	TRY(survey_read(cli, &s));
	if (undo && !setup_is_made(cli->root)) {
		printf(_("Nothing was set up here.\n"));
		return NULL;
	}
	TRY(err_exit(undo ? setup_plan_undo(cli->root, &s.boot, &setup) : make_plan(cli, &s, verb_option(args, "gpu"), &setup), EXIT_HOST));
	print_setup(cli->root, &setup, undo);
	if (!setup.n && !setup.run.n && !undo) {
		printf(_("%sThis host is set up.\n"), setup.notes.n ? "\n" : "");
		return NULL;
	}
	if (!undo && setup_is_made(cli->root))
		return err_exit(err_hint(err_new("a setup was made before, and this one differs"), "qlaunch setup --undo, then again"),
				EXIT_USAGE);
	if (!agreed(args))
		return NULL;
	if (root_is_host(cli->root) && geteuid() != 0)
		return err_exit(err_hint(err_new("that needs root"), "sudo qlaunch setup"), EXIT_HOST);
	TRY(undo ? setup_undo(cli->root, &setup) : setup_apply(cli->root, &s, &setup));
	bool by_hand = setup.words.n && !setup.writes_words;
	printf("%s\n", undo      ? _("Put back. Reboot to be rid of it all.")
		       : by_hand ? _("Done, but for the kernel's parameters: add them as the note says. Reboot, then: qlaunch check")
				 : _("Done. Reboot, then: qlaunch check"));
	return NULL;
}
