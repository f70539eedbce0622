/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmi: see dmi.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/dmi/battery.h"
#include "launcher/host/dmi/dmi.h"

/* Not the UUID: two machines of one host would have the same. */
static const char *const files[SMBIOS_FIELDS] = {
	[SMBIOS_BIOS_VENDOR] = "bios_vendor",
	[SMBIOS_BIOS_VERSION] = "bios_version",
	[SMBIOS_BIOS_DATE] = "bios_date",
	[SMBIOS_BIOS_RELEASE] = "bios_release",
	[SMBIOS_MANUFACTURER] = "sys_vendor",
	[SMBIOS_PRODUCT] = "product_name",
	[SMBIOS_VERSION] = "product_version",
	[SMBIOS_SERIAL] = "product_serial",
	[SMBIOS_SKU] = "product_sku",
	[SMBIOS_FAMILY] = "product_family",
	[SMBIOS_BOARD_MANUFACTURER] = "board_vendor",
	[SMBIOS_BOARD_PRODUCT] = "board_name",
	[SMBIOS_BOARD_VERSION] = "board_version",
	[SMBIOS_BOARD_SERIAL] = "board_serial",
	[SMBIOS_BOARD_ASSET] = "board_asset_tag",
	[SMBIOS_CHASSIS_MANUFACTURER] = "chassis_vendor",
	[SMBIOS_CHASSIS_VERSION] = "chassis_version",
	[SMBIOS_CHASSIS_SERIAL] = "chassis_serial",
	[SMBIOS_CHASSIS_ASSET] = "chassis_asset_tag",
};

void dmi_facts_read(struct root *root, const struct config *c, struct dmi_facts *ret_facts)
{
	struct dmi_facts f = {};
	for (int i = 0; c->smbios.host && i < SMBIOS_FIELDS; i++) {
		cleanup_free char *path = files[i] ? str_fmt("/sys/class/dmi/id/%s", files[i]) : NULL,
				  *text = path ? root_read_or(root, path, NULL) : NULL;
		if (text && *str_trim(text))
			f.fields[i] = str_dup(str_trim(text));
	}
	f.tables = mem_new((c->acpi.host.n + 1) * sizeof(*f.tables));
	for (; f.n_tables < c->acpi.host.n; f.n_tables++) {
		struct dmi_table *t = &f.tables[f.n_tables];
		cleanup_free char *path = str_fmt("/sys/firmware/acpi/tables/%s", c->acpi.host.v[f.n_tables]);
		cleanup_err struct err *e = root_read_bytes(root, path, &t->bytes, &t->len);
		t->problem = e ? err_code(e) : 0;
	}
	if (c->acpi.battery) {
		struct dmi_table *t = &f.tables[f.n_tables++];
		*t = (struct dmi_table){ .bytes = mem_new(BATTERY_TABLE_SIZE), .len = BATTERY_TABLE_SIZE };
		memcpy(t->bytes, battery_table, BATTERY_TABLE_SIZE);
	}
	*ret_facts = f;
}

void dmi_findings(struct findings *out, const struct config *c, const struct dmi_facts *f)
{
	for (size_t i = 0; i < f->n_tables; i++) {
		if (f->tables[i].bytes)
			continue;
		const char *name = c->acpi.host.v[i];
		if (f->tables[i].problem == ENOENT)
			findings_add(out, FINDING_BAD, "acpi", tr_fmt("this host's firmware has no table %s", name),
				     tr_fmt("take %s out of host in [acpi]", name));
		else
			findings_add(out, FINDING_BAD, "acpi", tr_fmt("the firmware's table %s is for root alone", name),
				     tr_fmt("sudo qlaunch %s", c->path ? c->path : c->vm.name));
	}
}

void dmi_facts_free(struct dmi_facts *f)
{
	for (int i = 0; i < SMBIOS_FIELDS; i++)
		free(f->fields[i]);
	for (size_t i = 0; i < f->n_tables; i++)
		free(f->tables[i].bytes);
	free(f->tables);
	*f = (struct dmi_facts){};
}
