/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drain: see drain.h. */
#include <stdlib.h>
#include "launcher/base/clock.h"
#include "launcher/base/drain.h"
#include "launcher/base/str.h"

static struct drained {
	int fd;
	drain_fn read;
	void *data;
} * all;
static size_t n_all;

void drain_add(int fd, drain_fn read, void *data)
{
	all = mem_grow(all, n_all, sizeof(*all));
	all[n_all++] = (struct drained){ fd, read, data };
}

void drain_remove(int fd)
{
	for (size_t i = 0; i < n_all; i++)
		if (all[i].fd == fd)
			all[i--] = all[--n_all];
	if (!n_all)
		drain_forget();
}

void drain_forget(void)
{
	free(all);
	all = NULL;
	n_all = 0;
}

int drain_poll(struct pollfd *p, nfds_t n, int limit_ms)
{
	int64_t until = limit_ms < 0 ? INT64_MAX : clock_ms() + limit_ms;
	for (;;) {
		int64_t left = until - clock_ms();
		size_t n_more = n_all;
		cleanup_free struct pollfd *both = mem_new((n + n_more + 1) * sizeof(*both));
		if (n)
			memcpy(both, p, n * sizeof(*p));
		for (size_t i = 0; i < n_more; i++)
			both[n + i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
		int ready = poll(both, n + n_more, limit_ms < 0 ? -1 : left > 0 ? (int)left : 0);
		if (ready <= 0)
			return ready;
		/* the last first: one that is through gives its place to the last */
		for (size_t i = n_more; i-- > 0;)
			if (i < n_all && both[n + i].revents && !all[i].read(all[i].data))
				drain_remove(both[n + i].fd);
		ready = 0;
		for (size_t i = 0; i < n; i++) {
			p[i].revents = both[i].revents;
			ready += both[i].revents != 0;
		}
		if (ready)
			return ready;
	}
}
