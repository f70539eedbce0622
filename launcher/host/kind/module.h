/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module: a kernel module that has to be there. Kind "module": target its name, values "loaded" and "absent".
 * Undo leaves it loaded, by design: an idle module changes nothing, and by then somebody else may use it.
 */
#pragma once
#include "launcher/step/step.h"

extern const struct step_kind module_kind;
/*
 * Kind "module-unload": a module that is not to be there meanwhile; target its name as the kernel writes it ("nvidia_drm"), want "absent".
 * Only what nobody uses by the kernel's own count (/sys/module/NAME/refcnt) is taken away, without modprobe's configuration; undo loads
 * it by modprobe, with that.
 */
extern const struct step_kind module_unload_kind;

/* Loaded, or built into the kernel with parameters of its own. */
bool module_loaded(struct root *root, const char *name);
/* How many use it, other modules among them; 0 where it is not there or cannot be unloaded at all. */
unsigned module_users(struct root *root, const char *name);
