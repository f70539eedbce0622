/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_iommu: what the IOMMU keeps from a guest: memory that the firmware has reserved, interrupts that it does not check. Reads only. */
#include "launcher/host/pci/pci.h"

bool pci_group_reserved(struct root *root, int group)
{
	cleanup_free char *path = str_fmt("/sys/kernel/iommu_groups/%d/reserved_regions", group), *text = root_read_or(root, path, "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++)
		if (str_ends(lines.v[i], " direct")) /* "direct-relaxable" is not kept */
			return true;
	return false;
}

/* "…allow_unsafe_interrupts=1" for a module that is not loaded yet: on the kernel's command line or in a file of modprobe.d. */
static bool is_told(const char *text)
{
	static const char key[] = "allow_unsafe_interrupts=";
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *at = *str_trim(lines.v[i]) == '#' ? NULL : strstr(lines.v[i], key);
		if (at && strchr("1YyTt", at[strlen(key)]) && at[strlen(key)])
			return true;
	}
	return false;
}

static bool unsafe_allowed(struct root *root)
{
	cleanup_free char *now = root_read_or(root, "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", NULL);
	if (now)
		return streq(now, "Y");
	cleanup_free char *cmdline = root_read_or(root, "/proc/cmdline", "");
	cleanup_strv struct strv names = {};
	bool told = is_told(cmdline);
	err_free(root_list(root, "/etc/modprobe.d", &names));
	for (size_t i = 0; i < names.n && !told; i++) {
		cleanup_free char *path = str_fmt("/etc/modprobe.d/%s", names.v[i]), *text = root_read_or(root, path, "");
		told = str_ends(names.v[i], ".conf") && is_told(text);
	}
	return told;
}

/* A remapped interrupt's chip is called so: "IR-IO-APIC", "IR-PCI-MSI". */
bool pci_no_remapping(struct root *root)
{
	cleanup_free char *text = root_read_or(root, "/proc/interrupts", "");
	return strstr(text, "IO-APIC") && !strstr(text, "IR-") && !unsafe_allowed(root);
}
