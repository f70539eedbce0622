/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ddc: libddcutil, loaded at run time. For monitor_ask.c alone, and only in a child: it may hang, and what it allocates
 * stays. */
#pragma once
#include "launcher/host/screen/monitor.h"

/* All monitors that answer, and the buses of those that do not; with `inputs` what each says of its inputs (a second a monitor). In a
 * child. */
struct err *ddc_list(bool inputs, struct monitors *ret_monitors);
/* Sets VCP 0x60 of the monitor that ddc_list has found on that bus. */
struct err *ddc_set_input(const struct monitor *m, unsigned input);
/* Reads it again: 0 to 255, or -1 without an answer. */
int ddc_input(const struct monitor *m);
