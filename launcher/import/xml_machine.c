/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the machine itself: name, memory, firmware, features, clock, and QEMU's own arguments. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/import.h"
#include "launcher/import/xml.h"

static bool is_on(struct node *n)
{
	const char *state = node_attr(n, "state");
	return !state || streq(state, "on");
}

static void read_name(struct xml_import *im, struct node *n)
{
	cleanup_free char *name = import_name(n->text);
	draft_set(im->d, n->line, "vm", "name", name);
	if (!streq(name, n->text))
		draft_note(im->d, n->line, "<name> %.100s is %s here", n->text, name);
}

/* One line; the title where there are both. */
static void read_description(struct xml_import *im, struct node *n)
{
	cleanup_strv struct strv words = {};
	strv_split(&words, n->text, " \t\r\n");
	cleanup_free char *line = strv_join(&words, " ");
	if (words.n)
		draft_set(im->d, n->line, "vm", "description", line);
}

/* Windows takes another UUID for another machine, and asks to be activated. */
static void read_uuid(struct xml_import *im, struct node *n)
{
	if (n->text[strspn(n->text, "0123456789abcdefABCDEF-")] || !*n->text) {
		draft_note(im->d, n->line, "<uuid> %.100s is none", n->text);
		return;
	}
	strv_add(&im->args, "-uuid");
	strv_add(&im->args, n->text);
	im->args_line = n->line;
}

static void read_memory(struct xml_import *im, struct node *n)
{
	uint64_t bytes = xml_size(im, n, "KiB");
	node_attr(n, "dumpCore");
	cleanup_free char *size = bytes ? size_format(bytes >> 20 << 20 ? bytes >> 20 << 20 : bytes) : NULL;
	if (size)
		draft_set(im->d, n->line, "memory", "size", size);
	if (bytes % (1 << 20))
		draft_note(im->d, n->line, "<memory> of %llu bytes is %s here: whole MiB", (unsigned long long)bytes, size);
}

static void read_current_memory(struct xml_import *im, struct node *n)
{
	uint64_t bytes = xml_size(im, n, "KiB"), all = 0;
	const char *size = draft_get(im->d, "memory", "size");
	err_free(size ? size_parse(size, &all) : NULL);
	if (all && bytes && bytes >> 20 != all >> 20)
		draft_note(im->d, n->line, "<currentMemory>: the guest has all of its memory always; there is no balloon");
}

static void read_hugepages(struct xml_import *im, struct node *n)
{
	struct node *page = node_child(n, "page");
	uint64_t bytes = page ? xml_size(im, page, "KiB") : UINT64_C(2) << 20;
	bool known = bytes == UINT64_C(2) << 20 || bytes == UINT64_C(1) << 30;
	if (page)
		node_attr(page, "nodeset");
	if (known)
		draft_set(im->d, n->line, "memory", "hugepages", bytes >> 30 ? "1G" : "2M");
	else
		draft_note(im->d, n->line, "<hugepages>: pages of 2M and 1G there are, others not");
}

/* ---- <os> ---- */

static void read_os(struct xml_import *im, struct node *n)
{
	const char *firmware = node_attr(n, "firmware");
	im->firmware |= firmware && streq(firmware, "efi");
	im->boot_line = im->boot_line ? im->boot_line : n->line;
	if (firmware)
		draft_set(im->d, n->line, "firmware", "type", streq(firmware, "bios") ? "bios" : "uefi");
}

static void read_os_type(struct xml_import *im, struct node *n)
{
	const char *arch = node_attr(n, "arch"), *machine = node_attr(n, "machine");
	if (arch && !streq(arch, "x86_64"))
		draft_note(im->d, n->line, "<type arch='%.40s'>: it will be x86_64 here, on which this guest does not run", arch);
	if (machine && !strstr(machine, "q35"))
		draft_note(im->d, n->line, "<type machine='%.40s'>: it will be q35 here; Windows may look for its disk anew", machine);
	if (!streq(n->text, "hvm"))
		draft_note(im->d, n->line, "<type> %.40s", n->text);
}

static void read_os_firmware(struct xml_import *im, struct node *n)
{
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *feature = n->children[i];
		const char *name = node_attr(feature, "name"), *enabled = node_attr(feature, "enabled");
		feature->used = streq(feature->name, "feature") && name && enabled;
		if (feature->used && streq(name, "secure-boot"))
			draft_set(im->d, feature->line, "firmware", "secure-boot", streq(enabled, "yes") ? "yes" : "no");
		else if (feature->used && !streq(name, "enrolled-keys"))
			draft_note(im->d, feature->line, "<feature name='%.40s'> of the firmware", name);
	}
}

static void read_loader(struct xml_import *im, struct node *n)
{
	static const char *const attrs[] = { "readonly", "format", "stateless" };
	const char *type = node_attr(n, "type"), *secure = node_attr(n, "secure");
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		node_attr(n, attrs[i]);
	bool flash = (type && streq(type, "pflash")) || strstr(n->text, "OVMF") || strstr(n->text, "edk2");
	bool signs = (secure && streq(secure, "yes")) || strstr(n->text, "secboot") || strstr(n->text, ".secure");
	im->firmware |= flash;
	draft_set(im->d, n->line, "firmware", "type", flash ? "uefi" : "bios");
	if (flash && !draft_get(im->d, "firmware", "secure-boot"))
		draft_set(im->d, n->line, "firmware", "secure-boot", signs ? "yes" : "no");
}

/* The variables are the machine's memory: boot entries, and the keys of Secure Boot. */
static void read_nvram(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source");
	const char *file = source ? node_attr(source, "file") : n->text, *format = node_attr(n, "format");
	node_attr(n, "template");
	node_attr(n, "templateFormat");
	node_attr(n, "type");
	if (format && !streq(format, "raw"))
		draft_note(im->d, n->line, "<nvram format='%.20s'>: convert it: qemu-img convert -O raw", format);
	else if (file && *file)
		draft_set(im->d, n->line, "firmware", "vars", file);
}

static void read_boot(struct xml_import *im, struct node *n)
{
	const char *dev = node_attr(n, "dev");
	if (dev && streq(dev, "fd"))
		draft_note(im->d, n->line, "<boot dev='fd'>: there is no floppy");
	else if (dev)
		strv_add(&im->boot_kinds, dev);
	im->boot_line = n->line;
}

static void read_bootmenu(struct xml_import *im, struct node *n)
{
	const char *enable = node_attr(n, "enable");
	node_attr(n, "timeout");
	if (enable && streq(enable, "yes"))
		draft_note(im->d, n->line, "<bootmenu>: the firmware's own menu (Esc or F2) is there always");
}

static void read_direct(struct xml_import *im, struct node *n)
{
	draft_set(im->d, n->line, "boot", n->name, n->text);
}

/* ---- features ---- */

static void read_hyperv(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode");
	bool any = mode && streq(mode, "passthrough");
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *x = n->children[i];
		bool on = is_on(x);
		any |= on;
		if (streq(x->name, "vendor_id") && on && node_attr(x, "value"))
			draft_set(im->d, x->line, "cpu", "vendor-id", node_attr(x, "value"));
		else if (!on && !streq(x->name, "vendor_id"))
			draft_note(im->d, x->line, "<%s state='off'>: qlaunch takes all that this host and QEMU have", x->name);
		node_take(x);
	}
	draft_set(im->d, n->line, "cpu", "hyperv", any ? "on" : "off");
}

static void read_kvm(struct xml_import *im, struct node *n)
{
	struct node *hidden = node_child(n, "hidden"), *dedicated = node_child(n, "hint-dedicated");
	if (hidden && is_on(hidden))
		draft_set(im->d, hidden->line, "cpu", "hide-kvm", "yes");
	if (dedicated && is_on(dedicated))
		draft_note(im->d, dedicated->line, "<hint-dedicated>: qlaunch tells by `cpu-pm = yes` that CPUs are the guest's own");
}

/* Off is what qlaunch has. */
static void read_off(struct xml_import *im, struct node *n)
{
	if (is_on(n))
		draft_note(im->d, n->line, "<%s state='on'>", n->name);
}

/* ---- the rest ---- */

static void read_clock(struct xml_import *im, struct node *n)
{
	const char *offset = node_attr(n, "offset");
	if (offset && !streq(offset, "localtime"))
		draft_note(im->d, n->line, "<clock offset='%.20s'>: the guest's clock is local time, as Windows has it", offset);
}

static void read_timer(struct xml_import *im, struct node *n)
{
	static const char *const known[] = { "rtc", "pit", "hypervclock", "kvmclock" };
	const char *name = node_attr(n, "name"), *present = node_attr(n, "present");
	bool ours = false;
	for (size_t i = 0; name && i < ARRAY_SIZE(known); i++)
		ours |= streq(name, known[i]) && !(present && streq(present, "no"));
	ours |= name && streq(name, "hpet") && present && streq(present, "no");
	ours |= name && streq(name, "tsc") && !node_attr(n, "frequency");
	if (ours)
		node_take(n);
	else
		draft_note(im->d, n->line, "<timer name='%.20s'%s%.20s>", name ? name : "", present ? " present=" : "",
			   present ? present : "");
}

static void read_event(struct xml_import *im, struct node *n)
{
	const char *usual = streq(n->name, "on_reboot") ? "restart" : "destroy";
	if (!streq(n->text, usual) && !(streq(n->name, "on_crash") && streq(n->text, "restart")))
		draft_note(im->d, n->line, "<%s> %.40s", n->name, n->text);
}

static void read_suspend(struct xml_import *im, struct node *n)
{
	const char *enabled = node_attr(n, "enabled");
	if (!enabled || !streq(enabled, "no"))
		draft_note(im->d, n->line, "<%s>: the guest has no sleep states", n->name);
}

/* The older way to share a keyboard: "input-linux,id=kbd,evdev=/dev/…,grab_all=on,repeat=on". */
static bool read_input_linux(struct xml_import *im, const char *value, unsigned line)
{
	cleanup_strv struct strv parts = {};
	if (!str_starts(value, "input-linux,") || strstr(value, ",,"))
		return false;
	strv_split(&parts, value, ",");
	const char *device = NULL, *toggle = NULL;
	bool grab = false;
	for (size_t i = 1; i < parts.n; i++) {
		const char *p = parts.v[i];
		if (str_starts(p, "evdev="))
			device = p + strlen("evdev=");
		else if (str_starts(p, "grab-toggle="))
			toggle = p + strlen("grab-toggle=");
		else if (str_starts(p, "grab_all="))
			grab = streq(p, "grab_all=on") || streq(p, "grab_all=yes");
		else if (!str_starts(p, "id=") && !str_starts(p, "repeat="))
			return false;
	}
	if (!device)
		return false;
	cleanup_free char *title = draft_title(im->d, "input", grab ? "keyboard" : "device");
	draft_set(im->d, line, title, "device", device);
	draft_set(im->d, line, title, "grab", grab ? "yes" : "no");
	if (toggle)
		draft_set(im->d, line, title, "toggle", toggle);
	return true;
}

static void read_commandline(struct xml_import *im, struct node *n)
{
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *arg = n->children[i];
		const char *value = streq(arg->name, "qemu:arg") ? node_attr(arg, "value") : NULL, *following = NULL;
		if (i + 1 < n->n_children && streq(n->children[i + 1]->name, "qemu:arg"))
			following = node_attr(n->children[i + 1], "value");
		node_take(arg);
		if (!value) {
			const char *name = node_attr(arg, "name");
			draft_note(im->d, arg->line, "<%s%s%.60s>", arg->name, name ? " name=" : "", name ? name : "");
		} else if (streq(value, "-object") && following && read_input_linux(im, following, arg->line)) {
			node_take(n->children[++i]);
		} else {
			strv_add(&im->args, value);
			im->args_line = im->args_line ? im->args_line : arg->line;
		}
	}
}

const struct xml_rule xml_machine_rules[] = {
	{ "name", read_name },
	{ "title", read_description },
	{ "description", read_description },
	{ "uuid", read_uuid },
	{ "genid", NULL },
	{ "metadata", NULL },
	{ "resource", NULL },
	{ "seclabel", NULL },
	{ "memory", read_memory },
	{ "currentMemory", read_current_memory },
	{ "memoryBacking/hugepages", read_hugepages },
	{ "memoryBacking/nosharepages", NULL },
	{ "memoryBacking/locked", NULL },
	{ "memoryBacking/source", NULL },
	{ "memoryBacking/access", NULL },
	{ "memoryBacking/allocation", NULL },
	{ "os", read_os },
	{ "os/type", read_os_type },
	{ "os/firmware", read_os_firmware },
	{ "os/loader", read_loader },
	{ "os/nvram", read_nvram },
	{ "os/boot", read_boot },
	{ "os/bootmenu", read_bootmenu },
	{ "os/kernel", read_direct },
	{ "os/initrd", read_direct },
	{ "os/cmdline", read_direct },
	{ "features/acpi", NULL },
	{ "features/apic", NULL },
	{ "features/pae", NULL },
	{ "features/smm", NULL },
	{ "features/ioapic", NULL },
	{ "features/vmport", read_off },
	{ "features/hyperv", read_hyperv },
	{ "features/kvm", read_kvm },
	{ "clock", read_clock },
	{ "clock/timer", read_timer },
	{ "on_poweroff", read_event },
	{ "on_reboot", read_event },
	{ "on_crash", read_event },
	{ "pm/suspend-to-mem", read_suspend },
	{ "pm/suspend-to-disk", read_suspend },
	{ "qemu:commandline", read_commandline },
	{},
};
