/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module: a kernel module that has to be there. Kind "module": target its name, values "loaded" and "absent".
 * Undo leaves it loaded, by design: an idle module changes nothing, and by then somebody else may use it.
 */
#pragma once
#include "launcher/step/step.h"

extern const struct step_kind module_kind;

/* Loaded, or built into the kernel with parameters of its own. */
bool module_loaded(struct root *root, const char *name);
