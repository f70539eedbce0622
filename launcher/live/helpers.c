/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helpers: see helpers.h. */
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/live/helpers.h"

#define LAST_WORDS 3 /* lines */

void helpers_new(struct helpers *h, size_t n, const char *without)
{
	*h = (struct helpers){ .v = mem_new((n + 1) * sizeof(*h->v)), .n = n, .without = without };
	for (size_t i = 0; i < n; i++)
		h->v[i] = (struct process)PROCESS_INIT;
}

void helper_close_socket(struct process *helper)
{
	if (helper->n_fds)
		fd_closep(&helper->fds[0]);
	helper->n_fds = 0;
}

static void say_end(struct process *helper, const char *without)
{
	process_listen(helper);
	cleanup_free char *words = process_last_words(helper, LAST_WORDS), *how = process_status_text(helper->status);
	if (helper->status) /* with 0 it ends because QEMU does */
		log_warn("%s ended with %s; %s%s%s", helper->name, how, tr(without), *words ? ": " : "", words);
}

static void on_end(struct process *helper, void *data)
{
	const struct helpers *h = data;
	say_end(helper, h->without);
}

int helpers_watch(struct helpers *h, sd_event *event)
{
	int r = 0;
	for (size_t i = 0; i < h->n && r >= 0; i++)
		r = process_watch(&h->v[i], event, 0, on_end, h);
	return r;
}

void helpers_tell(struct helpers *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].pidfd >= 0 && process_ended(&h->v[i]))
			say_end(&h->v[i], h->without);
}

void helpers_close(struct helpers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		helper_close_socket(&h->v[i]);
		process_close(&h->v[i]);
	}
	free(h->v);
	*h = (struct helpers){};
}
