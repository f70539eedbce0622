/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sessions: what ends with the desktop, when its display manager is stopped: this launcher, or a program that holds the card. By each
 * process's cgroup and by what logind keeps of its sessions in /run/systemd (files that sd-login(3) reads, too). Reads only.
 */
#pragma once
#include "launcher/base/root.h"

/* The display manager's unit ("gdm.service"); NULL: none is installed, or no systemd runs. Owned by the caller. */
char *session_manager(struct root *root);
/*
 * Why this process may end with the desktop, as one that was started from a terminal of it would; NULL: it will not. Owned by the caller.
 * Below the user's own systemd it may, whoever else keeps that running.
 */
char *session_trouble(struct root *root);
/*
 * Whether a process ends with the display manager: it is the manager's own, of a session that the manager began, or below the systemd of a
 * user whose last session that is. Where another session or lingering keeps that systemd (loginctl(1), enable-linger), only the desktop's
 * own programs (session.slice, systemd.special(7)) and those that show something on it (DISPLAY, WAYLAND_DISPLAY). `manager` may be NULL:
 * then nothing ends.
 */
bool session_ends(struct root *root, const char *manager, const char *pid);
