/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trim: a program that goes to sleep for hours gives back the memory that its beginning needed. */
#pragma once

/*
 * Free heap goes back to the kernel, and so do the pages of program and libraries that are as they are in their files:
 * those that are needed again come back from the page cache by themselves. Costs a few ten system calls.
 */
void trim_memory(void);
