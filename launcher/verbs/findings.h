/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings: what `check` found, for a terminal, for scripts, for a browser. Writes to standard output, nothing else. */
#pragma once
#include "launcher/step/finding.h"

/* `about`: the machine's name, or NULL for the host itself; `last`: the line under it all. */
void findings_print(const struct findings *f, const char *last);
void findings_print_json(const struct findings *f, const char *about);
/* One page with nothing outside it: no script, no picture, no style sheet of others. */
void findings_print_html(const struct findings *f, const char *about, const char *last);
