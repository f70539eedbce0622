/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmi: what the host's firmware says of its system, board and case (/sys/class/dmi/id; Linux, drivers/firmware/dmi-id.c), and its tables
 * with an OEM's licence (/sys/firmware/acpi/tables; Microsoft, "Microsoft Software Licensing Tables (SLIC and MSDM)"). Reads only. Serial
 * numbers and tables are for root alone: another user's guest is told of none.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"

struct dmi_facts {
	char *fields[SMBIOS_FIELDS]; /* NULL where the host says nothing, or the machine does not ask */
	struct dmi_table {
		char *bytes; /* with its header; NULL where it could not be read: then `problem` says why (errno) */
		size_t len;
		int problem;
	} * tables; /* of acpi.host, in its order; then the battery, where one is asked for */
	size_t n_tables;
};

/* What [smbios] with `host` takes from /sys/class/dmi/id, what cannot be read being empty; and the tables of [acpi] `host`. */
void dmi_facts_read(struct root *root, const struct config *c, struct dmi_facts *ret_facts);
void dmi_facts_free(struct dmi_facts *f);
/* A table that this host has not, or that may not be read. */
void dmi_findings(struct findings *out, const struct config *c, const struct dmi_facts *f);
