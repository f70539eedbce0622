/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helpers: see helpers.h. */
#include <stdlib.h>
#include <sys/epoll.h>
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

static int on_said(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)fd, (void)revents;
	if (!process_listen(data))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int on_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct helpers *h = data;
	(void)revents;
	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].pidfd != fd || !process_ended(&h->v[i]))
			continue;
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		say_end(&h->v[i], h->without);
	}
	return 0;
}

int helpers_watch(struct helpers *h, sd_event *event)
{
	int r = 0;
	for (size_t i = 0; i < h->n && r >= 0; i++) {
		if (h->v[i].pidfd < 0)
			continue;
		r = sd_event_add_io(event, NULL, h->v[i].pidfd, EPOLLIN, on_end, h);
		if (r >= 0)
			r = sd_event_add_io(event, NULL, h->v[i].stderr_fd, EPOLLIN, on_said, &h->v[i]);
	}
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
