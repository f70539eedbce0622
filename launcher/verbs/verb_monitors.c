/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch monitors [--try VALUE [--back VALUE]] [MONITOR]: which monitors there are, what each shows and says that it can; or one input
 * for five seconds, to see which value is which cable. The monitor is switched back whatever happens but SIGKILL.
 */
#include <jansson.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/host/screen/monitor.h"

static void print(const struct monitors *all, const struct monitor *m)
{
	cleanup_free char *name = str_printable(m->name), *serial = str_printable(m->serial);
	printf("%s%s%s", name, *serial ? _("   serial ") : "", serial);
	if (m->bus >= 0)
		printf("   /dev/i2c-%d", m->bus);
	if (*m->connector)
		printf("   %s", m->connector);
	printf("\n");
	if (m->input < 0) {
		printf(_("  does not answer: it may answer only on the input that it shows, or have DDC/CI turned off in "
			 "its menu\n"));
		return;
	}
	cleanup_free char *now = monitor_input_text((unsigned)m->input);
	printf(_("  shows      %s\n  advertises"), now);
	for (size_t i = 0; i < m->n_inputs; i++) {
		cleanup_free char *input = monitor_input_text(m->inputs[i]);
		printf("%s %s", i ? "," : "", input);
	}
	printf("%s\n", m->n_inputs ? "" : _(" no inputs"));
	cleanup_free char *match = monitor_match(all, m);
	printf("  [monitor %.*s]\n  match = %s\n", (int)strcspn(name, " "), name, match);
	if (monitor_input_usable(m->input))
		printf("  host-input = 0x%02x\n", (unsigned)m->input);
	else
		printf(_(
			"  host-input = the one of the host's cable, which it does not tell: `qlaunch monitors --try VALUE --back VALUE`\n"));
}

static void print_json(const struct monitors *all, const struct monitor *one)
{
	json_t *list = json_array();
	for (size_t i = 0; i < all->n; i++) {
		const struct monitor *m = &all->v[i];
		if (one && one != m)
			continue;
		cleanup_free char *name = str_printable(m->name), *serial = str_printable(m->serial);
		json_t *inputs = json_array();
		for (size_t k = 0; k < m->n_inputs; k++)
			json_array_append_new(inputs, json_integer(m->inputs[k]));
		json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:b, s:o}", "name", name, "serial", serial, "connector", m->connector, "bus",
				      m->bus, "answers", m->input >= 0, "inputs", inputs);
		if (m->input >= 0)
			json_object_set_new(o, "input", json_integer(m->input));
		json_array_append_new(list, o);
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

/* `way_back`: the value of --back; NULL for what it reads now. */
static struct err *try_input(struct root *root, const char *match, const char *value, const char *way_back)
{
	struct monitors all = {};
	const struct monitor *m;
	unsigned input, home = 0;
	TRY(err_exit(monitor_input_parse(value, &input), EXIT_USAGE));
	if (way_back)
		TRY(err_exit(monitor_input_parse(way_back, &home), EXIT_USAGE));
	TRY(monitors_read(root, false, &all));
	TRY(monitor_find(&all, match, &m));
	if (!home && !monitor_input_usable(m->input))
		return err_hint(err_new("%s does not tell what it shows, so nobody knows what to come back to", m->name),
				"qlaunch monitors --try %s --back VALUE: the input of the host's cable", value);
	home = home ? home : (unsigned)m->input;
	cleanup_free char *there = monitor_input_text(input), *back = monitor_input_text(home);
	log_info("%s: %s for %d seconds, then %s again", m->name, there, MONITOR_TRY_SECONDS, back);
	return err_wrap(monitor_try(root, match, input, home), "%s", m->name);
}

struct err *verb_monitors(struct cli *cli, const struct verb_args *args)
{
	struct monitors all = {};
	TRY(verb_words(args, 0, 1, "monitors [--try VALUE [--back VALUE]] [MONITOR]"));
	const char *value = verb_option(args, "try"), *back = verb_option(args, "back"), *match = args->words.n ? args->words.v[0] : "";
	if (back && !value)
		return err_exit(err_hint(err_new("--back is the way back from --try"), "qlaunch monitors --try VALUE --back %s", back),
				EXIT_USAGE);
	if (value)
		return err_exit(try_input(cli->root, match, value, back), EXIT_HOST);
	TRY(err_exit(monitors_read(cli->root, true, &all), EXIT_HOST));
	const struct monitor *one = NULL;
	if (*match)
		TRY(err_exit(monitor_find(&all, match, &one), EXIT_HOST));
	if (cli->json)
		print_json(&all, one);
	for (size_t i = 0; !cli->json && i < all.n; i++)
		if (!one || one == &all.v[i])
			print(&all, &all.v[i]);
	if (!all.n)
		log_info("no monitor was found");
	return NULL;
}
