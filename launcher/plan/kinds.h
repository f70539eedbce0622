/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kinds: every kind of step there is, by which a journal is read back. */
#pragma once
#include "launcher/step/step.h"

extern const struct step_kind *const all_kinds[]; /* NULL-terminated */
