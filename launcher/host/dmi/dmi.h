/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmi: what the host's firmware says of its system, board and case (/sys/class/dmi/id; Linux, drivers/firmware/dmi-id.c). Reads only. Serial
 * numbers are for root alone: another user's guest is told of none.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/config/config.h"

struct dmi_facts {
	char *fields[SMBIOS_FIELDS]; /* NULL where the host says nothing, or the machine does not ask */
};

/* What [smbios] with `host` takes from /sys/class/dmi/id; what cannot be read is empty. */
void dmi_facts_read(struct root *root, const struct config *c, struct dmi_facts *ret_facts);
void dmi_facts_free(struct dmi_facts *f);
