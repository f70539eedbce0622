/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmi: see dmi.h. */
#include <stdlib.h>
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
	*ret_facts = f;
}

void dmi_facts_free(struct dmi_facts *f)
{
	for (int i = 0; i < SMBIOS_FIELDS; i++)
		free(f->fields[i]);
	*f = (struct dmi_facts){};
}
