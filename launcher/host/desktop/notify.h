/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: a line to the user's desktop, by org.freedesktop.Notifications on the bus of the user's session (Desktop
 * Notifications Specification 1.2). Who has no session, no bus or no such service is told nothing, and that is no error.
 *
 * A service may take its time or hang: it is talked to in a process of its own, as the user, that ends by itself.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/base/user.h"

struct notice {
	const char *summary, *body; /* plain text; what is no UTF-8 in it is shown as "?" */
	const char *icon;           /* a name of the icon theme's, or a path */
	const char *entry;          /* the desktop entry it belongs to, without ".desktop" */
	bool critical;              /* stays until it is seen */
};

/* Waits until it is told, 5 s at most. */
void notify_wait(struct root *root, const struct user *user, const struct notice *n);
/* Goes on at once: for the event loop. */
void notify_begin(struct root *root, const struct user *user, const struct notice *n);
/* Text as the body of a notice for services that read mark-up in it. Owned by the caller. */
char *notify_markup(const char *text);
