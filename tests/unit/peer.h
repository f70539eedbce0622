/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer: the other end of a socket, for tests: a function that plays QEMU or the guest agent, or the real QEMU. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

/* Forks `serve` with one end of a socket pair and returns the other. The child ends with us, or after a minute. */
int peer_fork(void (*serve)(int fd), pid_t *ret_pid);
/* The same with qemu-system-x86_64, its monitor on the socket, stopped (-S), and the options given. */
int peer_qemu(const char *const options[], pid_t *ret_pid);
/* Kills and reaps it. */
void peer_end(pid_t pid);

/* For `serve`: writes all; ends the process when nobody reads any more. */
void peer_say_n(int fd, const char *bytes, size_t n);
void peer_say(int fd, const char *text);
