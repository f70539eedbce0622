/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbios: see machine.h. System, board and case as the guest reads them (QEMU: -smbios), and ACPI tables of the user's. */
#include <stdlib.h>
#include "launcher/guest/args_machine.h"

static const struct field {
	int type; /* of the structure */
	const char *name;
} fields[SMBIOS_FIELDS] = {
	[SMBIOS_BIOS_VENDOR] = { 0, "vendor" },
	[SMBIOS_BIOS_VERSION] = { 0, "version" },
	[SMBIOS_BIOS_DATE] = { 0, "date" },
	[SMBIOS_BIOS_RELEASE] = { 0, "release" },
	[SMBIOS_MANUFACTURER] = { 1, "manufacturer" },
	[SMBIOS_PRODUCT] = { 1, "product" },
	[SMBIOS_VERSION] = { 1, "version" },
	[SMBIOS_SERIAL] = { 1, "serial" },
	[SMBIOS_UUID] = { 1, "uuid" },
	[SMBIOS_SKU] = { 1, "sku" },
	[SMBIOS_FAMILY] = { 1, "family" },
	[SMBIOS_BOARD_MANUFACTURER] = { 2, "manufacturer" },
	[SMBIOS_BOARD_PRODUCT] = { 2, "product" },
	[SMBIOS_BOARD_VERSION] = { 2, "version" },
	[SMBIOS_BOARD_SERIAL] = { 2, "serial" },
	[SMBIOS_BOARD_ASSET] = { 2, "asset" },
	[SMBIOS_BOARD_LOCATION] = { 2, "location" },
	[SMBIOS_CHASSIS_MANUFACTURER] = { 3, "manufacturer" },
	[SMBIOS_CHASSIS_VERSION] = { 3, "version" },
	[SMBIOS_CHASSIS_SERIAL] = { 3, "serial" },
	[SMBIOS_CHASSIS_ASSET] = { 3, "asset" },
	[SMBIOS_CHASSIS_SKU] = { 3, "sku" },
	[SMBIOS_OEM_STRINGS] = { 11, "value" },
};

static void add_structure(struct args *a, const struct config *c, const struct guest_host *h, int type, bool first)
{
	cleanup_strv struct strv parts = {};
	strv_addf(&parts, "type=%d", type);
	for (int i = 0; i < SMBIOS_FIELDS; i++) {
		const char *value = c->smbios.fields[i] ? c->smbios.fields[i] : h->dmi ? h->dmi[i] : NULL;
		if (fields[i].type == type && value && *value)
			strv_addf(&parts, "%s=%s", fields[i].name, value);
	}
	if (parts.n > 1)
		args_parts(a, "-smbios", &parts, first ? "what the guest reads of its system, board and case" : NULL);
}

void guest_smbios(struct args *a, const struct config *c, const struct guest_host *h)
{
	static const int types[] = { 0, 1, 2, 3, 11 };
	size_t before = a->n;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		add_structure(a, c, h, types[i], a->n == before);
	for (size_t i = 0; i < c->acpi.host.n; i++) {
		cleanup_free char *path = str_fmt("/proc/self/fd/%d", h->fd_acpi + (int)i);
		args_opts(a, "-acpitable", i ? NULL : "of this host's firmware, which QEMU could not open itself", "", "file", path, NULL);
	}
	if (c->acpi.battery) {
		cleanup_free char *path = str_fmt("/proc/self/fd/%d", h->fd_acpi + (int)c->acpi.host.n);
		args_opts(a, "-acpitable", "a battery, which a laptop's graphics driver looks for", "", "file", path, NULL);
	}
	for (size_t i = 0; i < c->acpi.tables.n; i++)
		args_opts(a, "-acpitable", "a table of the firmware, beside its own", "", "file", c->acpi.tables.v[i], NULL);
}
