/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sleep: the host stays awake while the guest runs, or the guest is paused while the host sleeps; and that it has slept.
 *
 * What keeps it awake is a descriptor of logind's and a connection to the session's bus: both end with this process,
 * however it ends, so neither is a step. Writes no file.
 */
#pragma once
#include <sys/types.h>
#include "launcher/base/root.h"
#include "launcher/base/sd.h"
#include "launcher/config/config.h"

struct sleep_guard;

/*
 * Inhibits what host.inhibit-sleep and host.sleep ask for: sleep and idle in logind, and the screen saver of the
 * session of `uid`, where there is one. NULL in ret_guard where nothing is asked for. An error of logind's is for a
 * warning: the guest runs without it.
 */
struct err *sleep_inhibit(struct root *root, const struct config *c, uid_t uid, gid_t gid, struct sleep_guard **ret_guard);
/*
 * For host.sleep = pause: `on_sleep(data, true)` is called when the host is about to sleep, and has to pause the guest;
 * the host sleeps when it has returned. `on_sleep(data, false)` after the host has woken up.
 */
struct err *sleep_watch(struct sleep_guard *g, sd_event *event, void (*on_sleep)(void *data, bool going), void *data);
/*
 * A descriptor that is readable when the host has slept, whoever put it to sleep, or when its clock was set: the kernel tells the two alike
 * (TFD_TIMER_CANCEL_ON_SET in timerfd_create(2)). It is one until sleep_woke() has been called, which says whether that was so.
 */
struct err *sleep_open_wake(int *ret_fd);
bool sleep_woke(int fd);
/* Lets go of everything; NULL is fine. */
void sleep_release(struct sleep_guard *g);
void sleep_releasep(struct sleep_guard **g);
#define cleanup_sleep cleanup(sleep_releasep)
