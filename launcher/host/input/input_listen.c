/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input, who speaks: see input_listen in input.h. The one part that opens devices, for reading. */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/host/input/input.h"

/* Whether something that a person did is among what has come: not a LED, not a report's end. */
static bool spoke(int fd)
{
	struct input_event ev[64];
	ssize_t n;
	bool yes = false;
	while ((n = read(fd, ev, sizeof(ev))) > 0)
		for (size_t i = 0; i < (size_t)n / sizeof(ev[0]); i++)
			yes |= (ev[i].type == EV_KEY && ev[i].value == 1) || ev[i].type == EV_REL || ev[i].type == EV_ABS;
	return yes;
}

static struct err *open_all(struct root *root, const struct input_devices *all, struct pollfd *fds)
{
	struct err *last = NULL;
	size_t opened = 0;
	for (size_t i = 0; i < all->n; i++) {
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		struct err *e = all->v[i].is ? root_open_fd(root, all->v[i].node, O_RDONLY | O_NONBLOCK, &fds[i].fd) : NULL;
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
	return err_exit(err_hint(last, "root, or a member of the group input, may listen: sudo qlaunch input"), EXIT_HOST);
}

/* The devices' descriptors, and behind them the one that ends it. */
static void listen_all(const struct input_devices *all, struct pollfd *fds, const struct input_listener *l)
{
	int64_t until = clock_ms() + l->seconds * INT64_C(1000), left = 0;
	cleanup_free bool *told = mem_new(all->n + 1);
	while (!l->seconds || (left = until - clock_ms()) > 0) {
		int n = poll(fds, all->n + 1, l->seconds ? (int)left : -1);
		if ((n < 0 && errno != EINTR) || (n > 0 && fds[all->n].revents))
			return;
		for (size_t i = 0; n > 0 && i < all->n; i++) {
			if (fds[i].revents & POLLIN && spoke(fds[i].fd) && !told[i]) {
				told[i] = true;
				if (!l->heard(l->data, &all->v[i]))
					return;
			}
			if (fds[i].revents & (POLLHUP | POLLERR)) /* unplugged */
				fd_closep(&fds[i].fd);
		}
	}
}

struct err *input_listen(struct root *root, const struct input_devices *all, const struct input_listener *l)
{
	cleanup_free struct pollfd *fds = mem_new((all->n + 1) * sizeof(*fds));
	TRY(open_all(root, all, fds));
	fds[all->n] = (struct pollfd){ .fd = l->stop_fd, .events = POLLIN };
	l->ready(l->data);
	listen_all(all, fds, l);
	for (size_t i = 0; i < all->n; i++)
		fd_closep(&fds[i].fd);
	return NULL;
}
