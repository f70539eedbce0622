/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch input: the keyboards and mice of this host by the names that they keep, and, in a terminal or for --seconds,
 * which of them speaks when a key is pressed or a mouse is moved, with the lines for the configuration. Reads devices,
 * never tells which key it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/host/input.h"
#include "launcher/machine.h"

#define SECONDS_MAX 3600

static const char *path_of(const struct input_device *d)
{
	return d->stable ? d->stable : d->node;
}

static const char *section_of(const struct input_device *d)
{
	return d->is & INPUT_KEYBOARD ? "keyboard" : d->is & (INPUT_MOUSE | INPUT_POINTER) ? "mouse" : "other";
}

static void print_device(const struct input_device *d)
{
	cleanup_free char *what = input_describe(d);
	printf("%s\n    %s (%04x:%04x): %s%s%s\n", path_of(d), *d->name ? d->name : _("no name"), d->vendor, d->product,
	       what, d->stable ? "; " : "", d->stable ? d->node : "");
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
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:b, s:i, s:i}", "device", path_of(d),
					"node", d->node, "name", d->name, "phys", d->phys, "vendor",
					json_sprintf("%04x", d->vendor), "product", json_sprintf("%04x", d->product),
					"keyboard", !!(d->is & INPUT_KEYBOARD), "mouse", !!(d->is & INPUT_MOUSE),
					"twin", d->twin, "keys", (int)d->keys, "buttons", (int)d->buttons));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

/* Whether something that a person did is among what has come: not a LED, not a report's end. */
static bool spoke(int fd)
{
	struct input_event ev[64];
	ssize_t n;
	bool yes = false;
	while ((n = read(fd, ev, sizeof(ev))) > 0)
		for (size_t i = 0; i < (size_t)n / sizeof(ev[0]); i++)
			yes |= (ev[i].type == EV_KEY && ev[i].value == 1) || ev[i].type == EV_REL ||
			       ev[i].type == EV_ABS;
	return yes;
}

static void print_speaker(const struct input_device *d, unsigned nth)
{
	cleanup_free char *number = nth > 1 ? str_fmt("%u", nth) : str_dup("");
	printf("\n# %s\n[input %s%s]\ndevice = %s\n", *d->name ? d->name : d->node, section_of(d), number, path_of(d));
	if (d->twin)
		printf(_("# a twin of qlaunch's own: name the device behind it instead\n"));
	fflush(stdout);
}

static struct err *open_all(struct root *root, const struct input_devices *all, struct pollfd *fds)
{
	struct err *last = NULL;
	size_t opened = 0;
	for (size_t i = 0; i < all->n; i++) {
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		struct err *e =
			all->v[i].is ? root_open_fd(root, all->v[i].node, O_RDONLY | O_NONBLOCK, &fds[i].fd) : NULL;
		opened += !e && fds[i].fd >= 0;
		if (e) {
			err_free(last);
			last = e;
		}
	}
	if (opened || !last) {
		err_free(last);
		return NULL;
	}
	return err_exit(err_hint(last, "root, or a member of the group input, may listen: sudo qlaunch input"),
			EXIT_HOST);
}

static void listen_all(const struct input_devices *all, struct pollfd *fds, uint64_t seconds)
{
	uint64_t until = machine_now_us() + seconds * 1000000;
	unsigned keyboards = 0, mice = 0, others = 0;
	cleanup_free bool *told = mem_new(all->n + 1);
	for (;;) {
		uint64_t now = machine_now_us();
		if (seconds && now >= until)
			return;
		int n = poll(fds, all->n, seconds ? (int)((until - now + 999) / 1000) : -1);
		if (n < 0 && errno != EINTR)
			return;
		for (size_t i = 0; n > 0 && i < all->n; i++) {
			const struct input_device *d = &all->v[i];
			if (fds[i].revents & POLLIN && spoke(fds[i].fd) && !told[i]) {
				told[i] = true;
				print_speaker(d, d->is & INPUT_KEYBOARD ? ++keyboards
						 : d->is & INPUT_MOUSE	? ++mice
									: ++others);
			}
			if (fds[i].revents & (POLLHUP | POLLERR)) /* unplugged */
				fd_closep(&fds[i].fd);
		}
	}
}

static struct err *live(struct root *root, const struct input_devices *all, uint64_t seconds)
{
	cleanup_free struct pollfd *fds = mem_new((all->n + 1) * sizeof(*fds));
	TRY(open_all(root, all, fds));
	printf(_("\nPress a key or move the mouse: who speaks is named here."));
	if (seconds)
		printf(_(" For %llu s.\n"), (unsigned long long)seconds);
	else
		printf(" Ctrl-C ends.\n");
	fflush(stdout);
	listen_all(all, fds, seconds);
	for (size_t i = 0; i < all->n; i++)
		fd_closep(&fds[i].fd);
	return NULL;
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
	return live(cli->root, &all, seconds);
}
