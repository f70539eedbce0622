/* SPDX-License-Identifier: GPL-2.0-or-later */
/* battery: an ACPI table (SSDT) with a full battery and a mains adapter, made here: no firmware's, nobody's copy. */
#pragma once

#define BATTERY_TABLE_SIZE 223 /* bytes */
extern const unsigned char battery_table[BATTERY_TABLE_SIZE];
