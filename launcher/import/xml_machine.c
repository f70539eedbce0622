/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the machine itself: name, memory, firmware, and what it does at its end. See xml.h. */
#include <stdio.h>
#include <strings.h>
#include "launcher/config/keys.h"
#include "launcher/import/import.h"
#include "launcher/import/xml.h"

static void read_name(struct xml_import *im, struct node *n)
{
	const char *text = node_text(n);
	cleanup_free char *name = draft_name(text);
	draft_set(im->d, n->line, "vm", "name", name);
	if (!streq(name, text))
		draft_note(im->d, NOTE_MINOR, n->line, "<name> %.100s is %s here", text, name);
}

/* One line; the title where there are both. */
static void read_description(struct xml_import *im, struct node *n)
{
	cleanup_strv struct strv words = {};
	strv_split(&words, node_text(n), " \t\r\n");
	cleanup_free char *line = strv_join(&words, " ");
	if (words.n)
		draft_set(im->d, n->line, "vm", "description", line);
}

static bool is_uuid(const char *text)
{
	return *text && !text[strspn(text, "0123456789abcdefABCDEF-")];
}

/* Windows takes another UUID for another machine, and asks to be activated. */
static void read_uuid(struct xml_import *im, struct node *n)
{
	const char *text = node_text(n);
	if (is_uuid(text))
		xml_arg(im, n->line, "-uuid", "%s", text);
	else
		draft_note(im->d, NOTE_MACHINE, n->line, "<uuid> %.100s is none", text);
}

static void read_genid(struct xml_import *im, struct node *n)
{
	const char *text = node_text(n);
	if (is_uuid(text))
		xml_arg(im, n->line, "-device", "vmgenid,guid=%s,id=vmgenid0", text);
	else
		draft_note(im->d, NOTE_MINOR, n->line, "<genid>: libvirt makes a new one for each start; here the guest has none");
}

/* As libvirt does: up to the next MiB. */
static void read_memory(struct xml_import *im, struct node *n)
{
	uint64_t bytes = xml_size(im, n, "KiB"), whole = (bytes + (1 << 20) - 1) >> 20 << 20;
	cleanup_free char *size = whole ? size_format(whole) : NULL;
	if (size)
		draft_set(im->d, n->line, "memory", "size", size);
}

static void read_current_memory(struct xml_import *im, struct node *n)
{
	uint64_t bytes = xml_size(im, n, "KiB"), all = 0;
	const char *size = draft_get(im->d, "memory", "size");
	err_free(size ? size_parse(size, &all) : NULL);
	if (all && bytes && (bytes + (1 << 20) - 1) >> 20 != all >> 20)
		draft_note(im->d, NOTE_MINOR, n->line, "<currentMemory>: the guest has all of its memory always; there is no balloon");
}

/* A nodeset names nodes of the guest: without <numa>, it has the one. */
static void read_hugepages(struct xml_import *im, struct node *n)
{
	struct node *page = node_child(n, "page");
	uint64_t bytes = page ? xml_size(im, page, "KiB") : UINT64_C(2) << 20;
	const char *nodes = node_attr(page, "nodeset");
	bool known = bytes == UINT64_C(2) << 20 || bytes == UINT64_C(1) << 30;
	if (nodes && !streq(nodes, "0"))
		draft_note(im->d, NOTE_MINOR, n->line, "<page nodeset='%.40s'>: all of the memory is in such pages here", nodes);
	if (!page && xml_key(im, n->line, "memory", "hugepages", "default"))
		return;
	if (known)
		draft_set(im->d, n->line, "memory", "hugepages", bytes >> 30 ? "1G" : "2M");
	else
		draft_note(im->d, NOTE_MINOR, n->line, "<hugepages>: pages of 2M and 1G there are, others not");
}

/* Fixed huge pages are never written to swap, and what a device of the host may write to is locked by it. */
static void read_locked(struct xml_import *im, struct node *n)
{
	struct node *hugepages = node_child(n->parent, "hugepages");
	if (!hugepages && !im->passed && im->whole)
		draft_note(
			im->d, NOTE_MINOR, n->line,
			"<locked>: the host may write the guest's memory to swap here, unless hugepages = 2M or a [pci] device locks it");
}

/* ---- <os> ---- */

static void read_os(struct xml_import *im, struct node *n)
{
	const char *firmware = node_attr(n, "firmware");
	im->firmware |= firmware && streq(firmware, "efi");
	im->boot_line = im->boot_line ? im->boot_line : n->line;
	if (firmware)
		draft_set(im->d, n->line, "firmware", "type", streq(firmware, "bios") ? "bios" : "uefi");
	if (firmware && streq(firmware, "efi") && !node_child(n, "firmware") && !node_child(n, "loader"))
		draft_note(
			im->d, NOTE_MINOR, n->line,
			"<os firmware='efi'> says nothing of Secure Boot: libvirt takes this host's first firmware, Debian's with it; here it is off "
			"(secure-boot in [firmware])");
}

static void read_os_type(struct xml_import *im, struct node *n)
{
	const char *arch = node_attr(n, "arch"), *machine = node_attr(n, "machine"), *text = node_text(n);
	if (arch && !streq(arch, "x86_64"))
		draft_note(im->d, streq(arch, "i686") ? NOTE_MINOR : NOTE_FATAL, n->line,
			   streq(arch, "i686") ? "<type arch='%.40s'>: it will be x86_64 here, which runs the same programs and more"
					       : "<type arch='%.40s'>: it will be x86_64 here, on which this guest does not run",
			   arch);
	if (machine && !strstr(machine, "q35"))
		draft_note(
			im->d, NOTE_FATAL, n->line,
			"<type machine='%.40s'>: it will be q35 here, another board: Windows may stop at its first start for want of its disk's driver "
			"(boot it in safe mode once)",
			machine);
	else if (machine && !streq(machine, "q35") && !xml_key(im, n->line, "vm", "machine", machine))
		draft_note(im->d, NOTE_MINOR, n->line, "<type machine='%.40s'>: it will be this QEMU's newest q35", machine);
	if (!streq(text, "hvm"))
		draft_note(im->d, NOTE_FATAL, n->line, "<type> %.40s: only hvm can be carried over", text);
}

/* Without keys, Secure Boot's firmware starts everything. A file of variables brings its own keys, or their absence. */
static void finish_secure_boot(struct xml_import *im, const struct node *secure, const struct node *keys, bool on, bool enrolled)
{
	bool has_vars = node_child(secure->parent->parent, "nvram") != NULL;
	draft_set(im->d, secure->line, "firmware", "secure-boot", on && (enrolled || has_vars) ? "yes" : "no");
	if (!on || enrolled)
		return;
	if (has_vars)
		draft_note(
			im->d, NOTE_FATAL, keys->line,
			"<feature name='enrolled-keys' enabled='no'>: the file of UEFI variables says which keys there are; were it made anew, "
			"Microsoft's would be in it");
	else
		draft_note(im->d, NOTE_MACHINE, keys->line,
			   "<feature name='enrolled-keys' enabled='no'>: without keys Secure Boot checks nothing, so it is off here");
}

static void read_os_firmware(struct xml_import *im, struct node *n)
{
	const struct node *secure = NULL, *keys = NULL;
	bool on = false, enrolled = true;
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *feature = n->children[i];
		if (!streq(feature->name, "feature"))
			continue;
		bool enabled = node_is(feature, "enabled", "yes");
		feature->used = true;
		if (node_is(feature, "name", "secure-boot")) {
			secure = feature;
			on = enabled;
		} else if (node_is(feature, "name", "enrolled-keys")) {
			keys = feature;
			enrolled = enabled;
		} else {
			draft_note(im->d, NOTE_MINOR, feature->line, "<feature name='%.40s'> of the firmware",
				   node_attr(feature, "name") ? node_attr(feature, "name") : "");
		}
	}
	if (secure)
		finish_secure_boot(im, secure, keys, on, enrolled);
	else if (keys && enrolled) /* keys are in nothing but Secure Boot's variables */
		draft_set(im->d, keys->line, "firmware", "secure-boot", "yes");
}

/* The images that the descriptors of the distributions name: of 4 MiB, and they are found by what they can. */
static bool is_stock(const char *path)
{
	static const char *const folders[] = { "/usr/share/OVMF/", "/usr/share/edk2/", "/usr/share/edk2-ovmf/", "/usr/share/qemu/",
					       "/usr/share/ovmf/", "/run/libvirt/nix-ovmf/" };
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (str_starts(path, folders[i]))
			return strcasestr(path, "4m") != NULL;
	return false;
}

static void read_loader(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type"), *secure = node_attr(n, "secure"), *path = node_text(n);
	bool writable = node_is(n, "readonly", "no"), stateless = node_is(n, "stateless", "yes");
	bool flash = (type && streq(type, "pflash")) || strstr(path, "OVMF") || strstr(path, "edk2") ||
		     (!type && node_is(n->parent, "firmware", "efi")); /* libvirt finds it by what is asked of it */
	bool signs = (secure && streq(secure, "yes")) || strstr(path, "secboot") || strstr(path, ".secure");
	im->firmware |= flash;
	if (flash || *path)
		draft_set(im->d, n->line, "firmware", "type", flash ? "uefi" : "bios");
	if (flash && !draft_get(im->d, "firmware", "secure-boot"))
		draft_set(im->d, n->line, "firmware", "secure-boot", signs ? "yes" : "no");
	if (writable && flash)
		draft_note(im->d, NOTE_MACHINE, n->line, "<loader readonly='no'>: the code cannot be written here; the variables are");
	if (stateless)
		draft_note(im->d, NOTE_MINOR, n->line, "<loader stateless='yes'>: the guest's UEFI variables are kept here");
	if (!*path || is_stock(path))
		return;
	if (flash && xml_key(im, n->line, "firmware", "code", path))
		return;
	if (flash)
		draft_note(im->d, NOTE_FATAL, n->line,
			   "<loader> %.200s: qlaunch takes the distribution's image of 4 MiB; a file of variables of another size does not fit it",
			   path);
	else
		xml_arg(im, n->line, "-bios", "%s", path);
}

/* The variables are the machine's memory: boot entries, and the keys of Secure Boot. A template is for a machine's first start. */
static void read_nvram(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source");
	const char *file = source ? node_attr(source, "file") : node_text(n), *format = node_attr(n, "format"), *template = node_attr(n, "template");
	if (format && !streq(format, "raw"))
		draft_note(im->d, NOTE_FATAL, n->line,
			   "<nvram format='%.20s'>: the UEFI variables (boot entries, keys) are not taken along: convert them, qemu-img convert -O raw, and set "
			   "vars in [firmware]",
			   format);
	else if (file && *file) {
		draft_set(im->d, n->line, "firmware", "vars", file);
		strv_add(&im->d->vars, file);
	} else if (template)
		draft_note(im->d, NOTE_MACHINE, n->line, "<nvram template='%.200s'>: qlaunch makes the variables from the firmware's own template",
			   template);
}

static void read_boot(struct xml_import *im, struct node *n)
{
	const char *dev = node_attr(n, "dev");
	if (dev && streq(dev, "fd"))
		draft_note(im->d, NOTE_MACHINE, n->line, "<boot dev='fd'>: there is no floppy");
	else if (dev)
		strv_add(&im->boot_kinds, dev);
	im->boot_line = n->line;
}

static void read_bootmenu(struct xml_import *im, struct node *n)
{
	const char *enable = node_attr(n, "enable"), *timeout = node_attr(n, "timeout");
	if (!enable || !streq(enable, "yes"))
		return;
	if (timeout)
		xml_arg(im, n->line, "-boot", "menu=on,splash-time=%s", timeout);
	else
		xml_arg(im, n->line, "-boot", "menu=on");
}

static void read_bios(struct xml_import *im, struct node *n)
{
	const char *timeout = node_attr(n, "rebootTimeout");
	if (timeout)
		xml_arg(im, n->line, "-boot", "reboot-timeout=%s", timeout);
}

static void read_direct(struct xml_import *im, struct node *n)
{
	draft_set(im->d, n->line, "boot", n->name, node_text(n));
}

/* The table of an OEM licence; the firmware's own file is for root alone, and QEMU is not root here. */
static void read_acpi_tables(struct xml_import *im, struct node *n)
{
	static const char firmware[] = "/sys/firmware/acpi/tables/";
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *table = n->children[i];
		if (!streq(table->name, "table"))
			continue;
		const char *type = node_attr(table, "type"), *path = node_text(table);
		if (!type || !(streq(type, "slic") || streq(type, "raw")) || !*path) {
			draft_note(im->d, NOTE_MACHINE, table->line, "<table type='%.20s'>: the guest does not have these ACPI tables; [acpi] tables has one a file",
				   type ? type : "");
			continue;
		}
		const char *own = str_starts(path, firmware) ? path + strlen(firmware) : "";
		if (streq(own, "MSDM") || streq(own, "SLIC"))
			draft_set(im->d, table->line, "acpi", "host", own);
		else
			draft_set(im->d, table->line, "acpi", "tables", path);
	}
}

/* ---- the machine's end ---- */

static void read_reboot(struct xml_import *im, struct node *n)
{
	const char *text = node_text(n);
	if (streq(text, "destroy")) {
		strv_add(&im->args, "-no-reboot");
		im->args_line = im->args_line ? im->args_line : n->line;
	} else if (!streq(text, "restart")) {
		draft_note(im->d, NOTE_MINOR, n->line, "<on_reboot> %.40s: the guest starts again", text);
	}
}

static void read_poweroff(struct xml_import *im, struct node *n)
{
	const char *text = node_text(n);
	if (!streq(text, "destroy"))
		draft_note(im->d, NOTE_MINOR, n->line, "<on_poweroff> %.40s: the machine ends when the guest powers off", text);
}

static void read_suspend(struct xml_import *im, struct node *n)
{
	const char *enabled = node_attr(n, "enabled");
	bool memory = streq(n->name, "suspend-to-mem");
	if (enabled && streq(enabled, "yes"))
		xml_arg(im, n->line, "-global", "ICH9-LPC.disable_%s=0", memory ? "s3" : "s4");
}

const struct xml_rule xml_machine_rules[] = {
	{ "name", read_name },
	{ "title", read_description },
	{ "description", read_description },
	{ "uuid", read_uuid },
	{ "genid", read_genid },
	{ "memory", read_memory },
	{ "currentMemory", read_current_memory },
	{ "memoryBacking/hugepages", read_hugepages },
	{ "memoryBacking/locked", read_locked },
	{ "os", read_os },
	{ "os/type", read_os_type },
	{ "os/firmware", read_os_firmware },
	{ "os/loader", read_loader },
	{ "os/nvram", read_nvram },
	{ "os/boot", read_boot },
	{ "os/bootmenu", read_bootmenu },
	{ "os/bios", read_bios },
	{ "os/kernel", read_direct },
	{ "os/initrd", read_direct },
	{ "os/cmdline", read_direct },
	{ "os/acpi", read_acpi_tables },
	{ "on_reboot", read_reboot },
	{ "on_poweroff", read_poweroff },
	{ "pm/suspend-to-mem", read_suspend },
	{ "pm/suspend-to-disk", read_suspend },
	{},
};
