/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits: what a process inherits beside its environment and would trip over as root: limits of files' size, of CPU time and of memory, and
 * an alarm, each of which ends it in the middle of a way back; a umask that would keep it from its own files, or let others write to them.
 */
#pragma once

/* With an effective uid of 0: as many bytes and as much CPU time as it takes, no core file, no alarm, and nobody else writes. Nothing for
 * others. First thing of main. */
void limits_lift(void);
/* The limits that were inherited, again: for a child that becomes the user. A limit that cannot be set stays: there is none lower. */
void limits_return(void);
