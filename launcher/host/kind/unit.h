/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit: a unit of systemd that is stopped, or started, for a while. Kind "unit": target a unit's name, values "active" and "inactive"; one
 * that is on its way, "deactivating" for instance, is told as systemd tells it. Also the guard: the unit that undoes what a dead launcher
 * left (share/units). Acts over D-Bus on the running host only; elsewhere every unit is "unknown".
 */
#pragma once
#include "launcher/step/step.h"

extern const struct step_kind unit_kind;
/*
 * Kind "unit-property": a property of a unit of ours, which ends with the unit, so that nothing is to be undone: target the unit, want
 * "CPUWeight=300". A systemd that does not know it does without.
 */
extern const struct step_kind unit_property_kind;

/*
 * The guard of a machine, optional, to be the first of all steps: a path unit that sees the launcher's death, because the kernel then
 * closes the lock that the launcher holds open (PathChanged=, systemd.path(5)). Adds nothing where it is not installed.
 */
void unit_guard_step(struct steps *out, struct root *root, const char *vm);
