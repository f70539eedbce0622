/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shared: what of the host several machines have together, and the last one to end gives back: virtual functions of a device. Who made them
 * is in the machines' journals, which this reads.
 */
#pragma once
#include "launcher/host/pci/pci.h"
#include "launcher/step/journal.h"

/* Marks the picks whose virtual functions a machine other than `self` has made, or shares: they go with the last one of these. */
void shared_virtual(struct step_env *env, const char *base, struct pci_facts *f, const char *self);
