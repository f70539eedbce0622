/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever QEMU's end of the socket says: the first byte is the size of the pieces in which the rest arrives. */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include "qmp/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_event(void *data, const char *name, const json_t *event)
{
	if (name && event)
		*(size_t *)data += json_object_size(event);
}

static void on_done(void *data, json_t *value, struct err *e)
{
	*(size_t *)data += json_object_size(value);
	err_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];
	size_t seen = 0;
	if (size < 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	size_t piece = (size_t)*data * 4 + 1;
	struct qmp *q = qmp_new(fds[0]);
	qmp_on_event(q, on_event, &seen);
	err_free(qmp_send(q, "query-version", NULL, 0, on_done, &seen));
	err_free(qmp_send(q, "query-status", NULL, 0, on_done, &seen));
	for (data++, size--; size; data += piece, size -= piece) {
		if (piece > size)
			piece = size;
		if (send(fds[1], data, piece, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)piece)
			break;
		err_free(qmp_dispatch(q));
	}
	close(fds[1]);
	/* the other end is closed: this returns whatever its limit is */
	err_free(qmp_call(q, "query-cpus-fast", NULL, 10000, NULL));
	err_free(qmp_dispatch(q));
	qmp_free(q);
	return 0;
}
