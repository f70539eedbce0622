/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs: what the table of keys gives to the manual page and to completion. Writes to the stream given, nothing else. */
#pragma once
#include <stdio.h>
#include "launcher/config/config.h"

/* The sections and keys of qlaunch.conf(5) as scdoc takes them: a heading for each section, then each key with values
 * and default. */
void keys_write_man(FILE *out);
/*
 * What may follow --set, a line each: "cpu.isolate=", and with each word of a key that takes words, "cpu.isolate=off".
 * The keys of a named section come once for each that `c` has ("pci gpu.rom="); where c is NULL, once as "pci
 * NAME.rom=".
 */
void keys_write_names(FILE *out, const struct config *c);
