/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch input: the keyboards and mice of this host by the names that they keep, and, in a terminal or for --seconds,
 * which of them speaks when a key is pressed or a mouse is moved, with the lines for the configuration. Reads devices,
 * never tells which key it was.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/host/input/input.h"

#define SECONDS_MAX 3600

static const char *section_of(const struct input_device *d)
{
	return d->is & INPUT_KEYBOARD ? "keyboard" : d->is & (INPUT_MOUSE | INPUT_POINTER) ? "mouse" : "other";
}

static void print_device(const struct input_device *d)
{
	cleanup_free char *what = input_describe(d);
	printf("%s\n    %s (%04x:%04x): %s%s%s\n", input_path(d), *d->name ? d->name : _("no name"), d->vendor, d->product, what,
	       d->names.n ? "; " : "", d->names.n ? d->node : "");
}

static void print_list(const struct input_devices *all)
{
	/* keyboards and mice first: they are what is looked for */
	const unsigned first = INPUT_KEYBOARD | INPUT_MOUSE;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < all->n; i++)
			if (all->v[i].is && pass == (all->v[i].is & first ? 0 : 1))
				print_device(&all->v[i]);
	if (!all->n)
		printf(_("no input devices here\n"));
}

static void print_json(const struct input_devices *all)
{
	json_t *list = json_array();
	for (size_t i = 0; i < all->n; i++) {
		const struct input_device *d = &all->v[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:b, s:i, s:i}", "device", input_path(d),
						      "node", d->node, "name", d->name, "phys", d->phys, "vendor",
						      json_sprintf("%04x", d->vendor), "product", json_sprintf("%04x", d->product),
						      "keyboard", !!(d->is & INPUT_KEYBOARD), "mouse", !!(d->is & INPUT_MOUSE), "twin",
						      d->twin, "keys", (int)d->keys, "buttons", (int)d->buttons));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static void print_speaker(const struct input_device *d, unsigned nth)
{
	cleanup_free char *number = nth > 1 ? str_fmt("%u", nth) : str_dup("");
	printf("\n# %s\n[input %s%s]\ndevice = %s\n", *d->name ? d->name : d->node, section_of(d), number, input_path(d));
	if (d->twin)
		printf(_("# a twin of qlaunch's own: name the device behind it instead\n"));
	fflush(stdout);
}

struct speakers {
	uint64_t seconds;
	unsigned keyboards, mice, others;
};

static void ask(void *data)
{
	const struct speakers *s = data;
	printf(_(N_("\nPress a key or move the mouse: who speaks is named here.")));
	if (s->seconds)
		printf(_(" For %llu s.\n"), (unsigned long long)s->seconds);
	else
		printf(" Ctrl-C ends.\n");
	fflush(stdout);
}

static bool name_speaker(void *data, const struct input_device *d)
{
	struct speakers *s = data;
	print_speaker(d, d->is & INPUT_KEYBOARD ? ++s->keyboards : d->is & INPUT_MOUSE ? ++s->mice : ++s->others);
	return true;
}

struct err *verb_input(struct cli *cli, const struct verb_args *args)
{
	uint64_t seconds = 0;
	cleanup_input_devices struct input_devices all = {};
	const char *given = verb_option(args, "seconds");
	TRY(verb_words(args, 0, 0, "input [--seconds N] [--json]"));
	if (given)
		TRY(err_exit(err_wrap(num_parse(given, SECONDS_MAX, &seconds), "--seconds"), EXIT_USAGE));
	TRY(input_devices_read(cli->root, &all));
	if (cli->json)
		print_json(&all);
	else
		print_list(&all);
	if (cli->json || !root_is_host(cli->root) || !all.n || (given ? !seconds : !isatty(STDOUT_FILENO)))
		return NULL;
	struct speakers speakers = { .seconds = seconds };
	return input_listen(cli->root, &all, &(struct input_listener){ (unsigned)seconds, -1, ask, name_speaker, &speakers });
}
