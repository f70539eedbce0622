/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what one key cannot know. First what follows from others (a key that is not set takes its value from them),
 * then what is missing or contradicts itself. A rule speaks of what the user wrote, at the place where it stands.
 */
#include <stdlib.h>
#include <strings.h>
#include "launcher/base/tr.h"
#include "launcher/config/parse.h"

struct checker {
	struct config *c;
	struct problems *problems;
};

static bool is_set(const struct checker *k, const char *section, const char *key)
{
	return source_is_set(k->c->source, section, key);
}

static bool has_section(const struct checker *k, const char *section)
{
	return source_find(k->c->source, section, NULL) != NULL;
}

#define TELL(k, section, key, ...) problems_add((k)->problems, source_at((k)->c->source, section, key), __VA_ARGS__)

static void derive(const struct checker *k)
{
	struct config *c = k->c;
	bool graphics = c->display.mode == DISPLAY_SPICE || c->display.mode == DISPLAY_WINDOW;
	if (!is_set(k, "cpu", "isolate"))
		c->cpu.isolate = c->n_pci ? ISOLATE_PARTITION : ISOLATE_OFF;
	if (!is_set(k, "tpm", "version"))
		c->tpm.version = has_section(k, "tpm") ? TPM_2_0 : TPM_NONE;
	if (!is_set(k, "display", "video"))
		c->display.video = graphics ? VIDEO_VIRTIO : VIDEO_NONE;
	if (!is_set(k, "audio", "model"))
		c->audio.model = has_section(k, "audio") ? AUDIO_HDA : AUDIO_NONE;
	if (!is_set(k, "host", "sleep"))
		c->host.sleep = c->host.inhibit_sleep ? SLEEP_INHIBIT : SLEEP_ALLOW;
	if (!is_set(k, "host", "inhibit-sleep"))
		c->host.inhibit_sleep = c->host.sleep == SLEEP_INHIBIT;
	for (size_t i = 0; i < c->n_pci; i++) {
		cleanup_free char *title = str_fmt("pci %s", c->pci[i].name);
		c->pci[i].has_vf = is_set(k, title, "virtual-function");
	}
	for (size_t i = 0; i < c->n_cdroms; i++) {
		c->cdroms[i].readonly = true;
		c->cdroms[i].format = FORMAT_RAW;
	}
}

static void check_required(const struct checker *k)
{
	for (const struct conf_key *key = conf_keys; key->section; key++) {
		const struct conf_section *s = conf_section_find(key->section);
		for (size_t i = 0; key->required && s->named && i < section_count(k->c, s); i++) {
			cleanup_free char *title = str_fmt("%s %s", s->name, *(char **)section_item(k->c, s, i));
			if (!is_set(k, title, key->name))
				TELL(k, title, key->name, "[%s] needs %s =", title, key->name);
		}
	}
}

static void check_cpu(const struct checker *k)
{
	const struct config *c = k->c;
	int cpus = cpus_count(&c->cpu.place_cpus);
	if (c->cpu.place == PLACE_CPUS && (unsigned)cpus < c->cpu.threads)
		TELL(k, "cpu", "place", "place: %d CPUs are too few for threads = %u", cpus, c->cpu.threads);
	for (size_t i = 0; i < c->cpu.flags.n; i++) {
		const char *flag = c->cpu.flags.v[i];
		size_t n = strcspn(flag + 1, "=,");
		bool value = flag[0] != '+' && flag[0] != '-';
		if (!n || flag[n + 1] == ',' || strchr(flag, ',') || value != (flag[n + 1] == '='))
			TELL(k, "cpu", "flags", "flags: \"%s\" is none of +FLAG, -FLAG and PROPERTY=VALUE", flag);
	}
	if (c->cpu.isolate != ISOLATE_OFF)
		return;
	if (c->cpu.fifo)
		TELL(k, "cpu", "fifo", "fifo = yes on CPUs shared with the host would starve it: set isolate = partition");
	if (c->cpu.cpu_pm)
		TELL(k, "cpu", "cpu-pm", "cpu-pm = yes on CPUs shared with the host would starve it: set isolate = partition");
}

static void check_memory(const struct checker *k)
{
	const struct config *c = k->c;
	static const uint64_t sizes[] = { [HUGEPAGES_OFF] = 1ULL << 20, [HUGEPAGES_TRANSPARENT] = 1ULL << 20,
					  [HUGEPAGES_2M] = 2ULL << 20, [HUGEPAGES_1G] = 1ULL << 30, [HUGEPAGES_AUTO] = 1ULL << 20,
					  [HUGEPAGES_DEFAULT] = 2ULL << 20 };
	uint64_t page = sizes[c->memory.hugepages];
	if (c->memory.size % page) {
		cleanup_free char *size = size_format(c->memory.size), *unit = size_format(page);
		TELL(k, "memory", "size", "size: %s is not a multiple of %s%s", size, unit,
		     page > 1ULL << 20 ? _(", the size of its huge pages") : "");
	}
}

static void check_firmware(const struct checker *k)
{
	const struct config *c = k->c;
	if (c->vm.machine && !streq(c->vm.machine, "q35") && !str_starts(c->vm.machine, "pc-q35-"))
		TELL(k, "vm", "machine", "machine: \"%s\" is no pc-q35-VERSION, nor q35", c->vm.machine);
	if (c->firmware.type == FIRMWARE_BIOS && c->firmware.code)
		TELL(k, "firmware", "code", "code: a BIOS has none; it belongs to type = uefi");
	if (c->firmware.code && !c->firmware.vars)
		TELL(k, "firmware", "code", "code needs vars =, a copy of that firmware's own template");
	if (c->firmware.type == FIRMWARE_BIOS && c->firmware.secure_boot)
		TELL(k, "firmware", "secure-boot", "secure-boot = yes needs type = uefi");
	if (c->firmware.type == FIRMWARE_BIOS && c->firmware.vars)
		TELL(k, "firmware", "vars", "vars: a BIOS has none; they belong to type = uefi");
	if (is_set(k, "tpm", "model") && is_set(k, "tpm", "version") && c->tpm.version == TPM_NONE)
		TELL(k, "tpm", "model", "model: there is no TPM with version = none");
	if (c->boot.initrd && !is_set(k, "boot", "kernel"))
		TELL(k, "boot", "initrd", "initrd belongs to a kernel, and none is set");
	if (c->boot.cmdline && !is_set(k, "boot", "kernel"))
		TELL(k, "boot", "cmdline", "cmdline belongs to a kernel, and none is set");
}

static void check_acpi(const struct checker *k)
{
	for (size_t i = 0; i < k->c->acpi.host.n; i++)
		if (!streq(k->c->acpi.host.v[i], "MSDM") && !streq(k->c->acpi.host.v[i], "SLIC"))
			TELL(k, "acpi", "host", "host: \"%s\" is neither MSDM nor SLIC", k->c->acpi.host.v[i]);
}

static void check_order(const struct checker *k)
{
	const struct config *c = k->c;
	cleanup_strv struct strv names = {}, seen = {};
	for (size_t i = 0; i < c->n_disks; i++)
		strv_add(&names, c->disks[i].name);
	for (size_t i = 0; i < c->n_cdroms; i++)
		strv_add(&names, c->cdroms[i].name);
	for (size_t i = 0; i < c->n_networks; i++)
		strv_add(&names, c->networks[i].name);
	for (size_t i = 0; i < c->n_pci; i++)
		strv_add(&names, c->pci[i].name);
	for (size_t i = 0; i < c->n_usb; i++)
		strv_add(&names, c->usb[i].name);
	for (size_t i = 0; i < c->boot.order.n; i++) {
		const char *name = c->boot.order.v[i];
		const char *near = names.n ? str_nearest(name, (const char *const *)names.v) : NULL;
		size_t fits = 0;
		for (size_t j = 0; j < names.n; j++)
			fits += streq(names.v[j], name);
		if (strv_has(&seen, name))
			TELL(k, "boot", "order", "order: \"%s\" stands there twice", name);
		else if (fits > 1)
			TELL(k, "boot", "order", "order: \"%s\" fits %zu sections; give them different names", name,
			     fits);
		else if (!fits && near)
			TELL(k, "boot", "order", "order: \"%s\" is nothing to boot from; did you mean \"%s\"?",
			     name, near);
		else if (!fits)
			TELL(k, "boot", "order", "order: \"%s\" is no disk, cdrom, network or passed device of this machine", name);
		strv_add(&seen, name);
	}
}

/* Exactly one of the keys (NULL-terminated) names the device. */
static void check_one_of(const struct checker *k, const char *title, const char *const keys[])
{
	cleanup_strv struct strv set = {}, all = {};
	for (; *keys; keys++) {
		strv_add(&all, *keys);
		if (is_set(k, title, *keys))
			strv_add(&set, *keys);
	}
	cleanup_free char *either = strv_join(&all, ", ");
	if (!set.n)
		TELL(k, title, NULL, "[%s] needs one of %s", title, either);
	for (size_t i = 1; i < set.n; i++)
		TELL(k, title, set.v[i], "[%s] has %s as well as %s; only one of %s can name it", title, set.v[i],
		     set.v[0], either);
}

/* 8-4-4-4-12 digits, as the kernel writes it: lower case. */
static bool is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x' ? !text[i] || !strchr("0123456789abcdef", text[i]) : text[i] != form[i])
			return false;
	return true;
}

static void check_mdevs(const struct checker *k)
{
	const struct config *c = k->c;
	for (size_t i = 0; i < c->n_mdevs; i++) {
		const struct conf_mdev *m = &c->mdevs[i];
		cleanup_free char *title = str_fmt("mdev %s", m->name);
		if (m->has_parent != (m->type != NULL))
			TELL(k, title, m->type ? "type" : "parent", "[%s] needs both parent and type, or uuid alone", title);
		else if (!m->type && !m->uuid)
			TELL(k, title, NULL, "[%s] needs parent and type, or uuid", title);
		if (m->uuid && !is_uuid(m->uuid))
			TELL(k, title, "uuid", "uuid: \"%s\" is none such as c2177883-f1bb-47f0-914d-32a22e3a8804, in lower case", m->uuid);
		if (m->display && c->display.mode == DISPLAY_NONE)
			TELL(k, title, "display", "display = yes needs a mode in [display]");
		for (size_t j = 0; m->uuid && j < i; j++)
			if (streq(c->mdevs[j].uuid, m->uuid))
				TELL(k, title, "uuid", "uuid: [mdev %s] has the same", c->mdevs[j].name);
	}
}

static void check_devices(const struct checker *k)
{
	static const char *const pci_keys[] = { "address", "id", "match", NULL };
	static const char *const usb_keys[] = { "id", "port", NULL };
	const struct config *c = k->c;
	for (size_t i = 0; i < c->n_pci; i++) {
		const struct conf_pci *p = &c->pci[i];
		cleanup_free char *title = str_fmt("pci %s", p->name);
		check_one_of(k, title, pci_keys);
		if (p->rebar & (p->rebar - 1))
			TELL(k, title, "rebar", "rebar: a power of two, such as 256M or 32G");
		if (p->vfs && !p->has_vf)
			TELL(k, title, "vfs", "vfs belongs to virtual-function =");
		if (p->vfs && p->vf >= p->vfs)
			TELL(k, title, "vfs", "vfs: %u have no number %u: they are counted from 0", p->vfs, p->vf);
		for (size_t j = 0; p->has_address && j < i; j++)
			if (c->pci[j].has_address && pci_addr_equal(c->pci[j].address, p->address) &&
			    !(p->has_vf && c->pci[j].has_vf && p->vf != c->pci[j].vf))
				TELL(k, title, "address", "address: [pci %s] has the same", c->pci[j].name);
	}
	for (size_t i = 0; i < c->n_usb; i++) {
		cleanup_free char *title = str_fmt("usb %s", c->usb[i].name);
		check_one_of(k, title, usb_keys);
	}
	for (size_t i = 0; i < c->n_inputs; i++) {
		cleanup_free char *title = str_fmt("input %s", c->inputs[i].name);
		for (size_t j = 0; c->inputs[i].device && j < i; j++)
			if (streq(c->inputs[j].device, c->inputs[i].device))
				TELL(k, title, "device", "device: [input %s] has the same", c->inputs[j].name);
	}
}

static void check_disks(const struct checker *k)
{
	const struct config *c = k->c;
	for (size_t i = 0; i < c->n_disks; i++) {
		cleanup_free char *title = str_fmt("disk %s", c->disks[i].name);
		for (size_t j = 0; c->disks[i].path && j < i; j++)
			if (streq(c->disks[j].path, c->disks[i].path))
				TELL(k, title, "path", "path: [disk %s] has the same", c->disks[j].name);
		const char *slash = c->disks[i].path ? strrchr(c->disks[i].path, '/') : NULL;
		struct pci_addr addr;
		cleanup_err struct err *e = slash ? pci_addr_parse(slash + 1, &addr) : NULL;
		if (slash && !e)
			TELL(k, title, "path", "path: a drive by its PCI address is passed whole: [pci %s] with address = %s", c->disks[i].name,
			     pci_addr_text(addr).s);
	}
}

/* The tag's length is that of virtio-fs: include/uapi/linux/virtio_fs.h. */
static void check_shares(const struct checker *k)
{
	const struct config *c = k->c;
	for (size_t i = 0; i < c->n_shares; i++) {
		const struct conf_share *s = &c->shares[i];
		cleanup_free char *title = str_fmt("share %s", s->name);
		const char *tag = s->tag ? s->tag : s->name, *key = s->tag ? "tag" : NULL;
		if (strlen(tag) > 36)
			TELL(k, title, key, "\"%s\" is too long for a mount tag: set a tag of at most 36 bytes", tag);
		for (size_t j = 0; j < i; j++)
			if (streq(c->shares[j].tag ? c->shares[j].tag : c->shares[j].name, tag))
				TELL(k, title, key, "tag: [share %s] has the same", c->shares[j].name);
	}
}

static void check_networks(const struct checker *k)
{
	const struct config *c = k->c;
	for (size_t i = 0; i < c->n_networks; i++) {
		const struct conf_network *n = &c->networks[i];
		cleanup_free char *title = str_fmt("network %s", n->name);
		bool joins = n->mode == NET_BRIDGE || n->mode == NET_MACVTAP;
		bool own = n->mode == NET_NAT || n->mode == NET_ISOLATED;
		if (joins && !is_set(k, title, "bridge"))
			TELL(k, title, "mode", "[%s] needs bridge = with this mode", title);
		if (!joins && n->bridge)
			TELL(k, title, "bridge", "bridge belongs to mode = bridge or macvtap");
		if (!own && n->subnet)
			TELL(k, title, "subnet", "subnet belongs to mode = nat or isolated");
		if (n->forward.n && n->mode != NET_USER && n->mode != NET_NAT)
			TELL(k, title, "forward",
			     "forward belongs to mode = user or nat; elsewhere the guest is reached directly");
		for (size_t j = 0; n->mac && j < i; j++)
			if (c->networks[j].mac && strcasecmp(c->networks[j].mac, n->mac) == 0)
				TELL(k, title, "mac", "mac: [network %s] has the same", c->networks[j].name);
	}
}

/* Who reaches the port has the guest's keyboard. */
static void check_display(const struct checker *k)
{
	const struct config *c = k->c;
	static const char *const of_port[] = { "listen", "password", "tls" };
	const char *at = c->display.listen;
	if (c->display.mode == DISPLAY_LOOKING_GLASS && !is_set(k, "display", "resolution"))
		TELL(k, "display", "mode", "mode = looking-glass needs resolution =, by which its memory is sized");
	if (c->display.port && c->display.mode != DISPLAY_SPICE)
		TELL(k, "display", "port", "port belongs to mode = spice");
	for (size_t i = 0; i < ARRAY_SIZE(of_port); i++)
		if (!c->display.port && is_set(k, "display", of_port[i]))
			TELL(k, "display", of_port[i], "%s belongs to port =", of_port[i]);
	if (c->display.port && at && !str_starts(at, "127.") && !streq(at, "::1") && !c->display.password)
		TELL(k, "display", "listen", "listen: at %s others can reach the guest's screen, keyboard and mouse: set password =", at);
	if (c->display.port && c->display.gl)
		TELL(k, "display", "port", "port and gl = yes exclude each other: SPICE hands the host's graphics on over a socket of this host only");
	if (c->display.hostmem && !c->display.gl)
		TELL(k, "display", "hostmem", "hostmem belongs to gl = yes");
	if (c->display.venus && !c->display.hostmem)
		TELL(k, "display", "venus", "venus needs hostmem =, through which the guest sees the memory of the host's GPU");
}

static void check_rest(const struct checker *k)
{
	const struct config *c = k->c;
	if (is_set(k, "host", "inhibit-sleep") && is_set(k, "host", "sleep") &&
	    c->host.inhibit_sleep != (c->host.sleep == SLEEP_INHIBIT))
		TELL(k, "host", "sleep", "sleep contradicts inhibit-sleep = %s", c->host.inhibit_sleep ? "yes" : "no");
	for (size_t i = 0; i < c->qemu.set.n; i++) {
		const char *set = c->qemu.set.v[i], *equals = strchr(set, '='), *dot = strchr(set, '.');
		if (!equals || !dot || dot == set || dot + 1 >= equals)
			TELL(k, "qemu", "set", "set: \"%s\" is not NAME.PROPERTY=VALUE", set);
	}
	for (size_t i = 0; i < c->n_monitors; i++) {
		const struct conf_monitor *m = &c->monitors[i];
		cleanup_free char *title = str_fmt("monitor %s", m->name);
		if (m->guest_input && m->guest_input == m->host_input)
			TELL(k, title, "host-input", "host-input is the same as guest-input");
	}
}

void config_check(struct config *c, struct problems *problems)
{
	struct checker k = { c, problems };
	derive(&k);
	check_required(&k);
	check_cpu(&k);
	check_memory(&k);
	check_firmware(&k);
	check_order(&k);
	check_acpi(&k);
	check_devices(&k);
	check_mdevs(&k);
	check_disks(&k);
	check_networks(&k);
	check_shares(&k);
	check_display(&k);
	check_rest(&k);
}
