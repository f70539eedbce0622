/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slots: where on the guest's PCI bus each device stands, by one table: the same place in every launch, whatever else the machine has, for
 * Windows takes a device at another place for a new one, and a place that QEMU chooses may be one that a later device is to have. Pure.
 *
 * The board has slots 00 to 1f with 8 functions each. Devices of one kind have consecutive slots; when those are full, the next ones are
 * functions 1 of the same slots, and so on. 00 and 1f are the board's own.
 */
#pragma once
#include <jansson.h>
#include "launcher/config/config.h"
#include "launcher/step/finding.h"

#define AHCI_PORTS 6u /* of ich9-ahci, the one that q35 has built in and those added */

enum slot {
	SLOT_VIDEO,
	SLOT_SOUND,
	SLOT_USB,
	SLOT_INPUT,
	SLOT_NET,
	SLOT_DISK,
	SLOT_PORT, /* of PCI Express: one for each slot of the host that is passed on */
	SLOT_SHARE,
	SLOT_RNG, /* always there, so that those behind it, functions of its slot, are found */
	SLOT_AGENT,
	SLOT_SCSI,
	SLOT_SATA, /* controllers beside the board's own */
	SLOT_CLIPBOARD,
	SLOT_MEMORY, /* Looking Glass's */
	SLOT_KINDS,
};

/* Sets bus, addr and, where it needs to be, multifunction of the `nth` of `n` devices of that kind (counted from 0). */
void slot_put(json_t *device, enum slot kind, unsigned nth, unsigned n);
/* The PCI Express root port with number `n` (counted from 1) of `ports`: "port1", chassis 1. */
json_t *slot_port(unsigned n, unsigned ports);
/* How many of that kind there may be. */
unsigned slot_room(enum slot kind);
/* More of a kind than there is room for; `ports`: of PCI Express. */
void slot_findings(struct findings *out, const struct config *c, unsigned ports);
