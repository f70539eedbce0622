/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drain: descriptors that somebody must read while the program waits for something else. A child whose pipe is full stops; while we wait
 * for its answer or its end that would be for ever. Who waits does it by drain_poll() (progress_poll() does), and all that is registered is
 * read meanwhile. An event loop reads by itself.
 */
#pragma once
#include <poll.h>
#include <stdbool.h>

/* Reads what is there, without waiting (the descriptor is O_NONBLOCK). False when there is nothing more to come: it is then let go of. */
typedef bool (*drain_fn)(void *data);

/* From now on `fd` is read by read(data), both borrowed until drain_remove(). */
void drain_add(int fd, drain_fn read, void *data);
/* No more; nothing where it is not there. Before the descriptor is closed. */
void drain_remove(int fd);
/* In a child: what is registered is its parent's. */
void drain_forget(void);
/* poll(2) of `p`, reading what is registered meanwhile: returns for those of `p` alone, at the latest after limit_ms (-1: never). */
int drain_poll(struct pollfd *p, nfds_t n, int limit_ms);
