/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: see export.h. Written, read again by import, and compared key by key: what differs goes into the metadata. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include "launcher/config/keys.h"
#include "launcher/config/value.h"
#include "launcher/import/export.h"
#include "launcher/import/import.h"

/* ---- XML ---- */

/* Each %s is escaped. */
__attribute__((format(printf, 2, 3))) static void add(struct sb *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	for (const char *p = fmt; *p; p++) {
		if (*p != '%') {
			sb_addc(out, *p);
			continue;
		}
		if (*++p == 'u') {
			sb_addf(out, "%u", va_arg(ap, unsigned));
			continue;
		}
		for (const char *s = va_arg(ap, const char *); s && *s; s++) {
			const char *name = *s == '&'    ? "&amp;"
					   : *s == '<'  ? "&lt;"
					   : *s == '>'  ? "&gt;"
					   : *s == '\'' ? "&apos;"
					   : *s == '"'  ? "&quot;"
							: NULL;
			if (name)
				sb_add(out, name);
			else
				sb_addc(out, *s);
		}
	}
	va_end(ap);
}

static void add_boot(struct sb *out, const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->boot.order.n; i++)
		if (streq(c->boot.order.v[i], name))
			add(out, "<boot order='%u'/>", (unsigned)i + 1);
}

/* libvirt takes names of the user's where they begin so. */
static void add_alias(struct sb *out, const char *name)
{
	add(out, "<alias name='ua-%s'/>", name);
}

static void add_head(struct sb *out, const struct config *c)
{
	static const char *const pages[] = { [HUGEPAGES_2M] = "2", [HUGEPAGES_1G] = "1024", [HUGEPAGES_DEFAULT] = "" };
	const char *page = c->memory.hugepages == HUGEPAGES_AUTO ? NULL : pages[c->memory.hugepages];
	cleanup_free char *bytes = str_fmt("%" PRIu64, c->memory.size), *place = cpus_format(&c->cpu.place_cpus),
			  *emulator = cpus_format(&c->cpu.emulator);
	add(out, "<domain type='%s' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>%s</name>\n",
	    c->vm.accel == ACCEL_TCG ? "qemu" : "kvm", c->vm.name);
	if (c->vm.description)
		add(out, "  <description>%s</description>\n", c->vm.description);
	add(out, "  <memory unit='bytes'>%s</memory>\n", bytes);
	if (page || c->n_shares) {
		add(out, "  <memoryBacking>");
		if (page)
			add(out, *page ? "<hugepages><page size='%s' unit='MiB'/></hugepages>" : "<hugepages/>", page);
		else
			add(out, "<source type='memfd'/>");
		if (c->n_shares)
			add(out, "<access mode='shared'/>");
		add(out, "</memoryBacking>\n");
	}
	add(out, "  <vcpu placement='static'");
	if (c->cpu.place == PLACE_CPUS)
		add(out, " cpuset='%s'", place);
	add(out, ">%u</vcpu>\n", c->cpu.threads ? c->cpu.threads : 4);
	if (!c->cpu.emulator_auto && *emulator)
		add(out, "  <cputune><emulatorpin cpuset='%s'/></cputune>\n", emulator);
}

/* libvirt's blocks, in the order of the fields of config.h; its entries' names are dmidecode's. */
static const struct {
	const char *block, *entry;
	enum smbios_field field;
} smbios[] = {
	{ "bios", "vendor", SMBIOS_BIOS_VENDOR },
	{ "bios", "version", SMBIOS_BIOS_VERSION },
	{ "bios", "date", SMBIOS_BIOS_DATE },
	{ "bios", "release", SMBIOS_BIOS_RELEASE },
	{ "system", "manufacturer", SMBIOS_MANUFACTURER },
	{ "system", "product", SMBIOS_PRODUCT },
	{ "system", "version", SMBIOS_VERSION },
	{ "system", "serial", SMBIOS_SERIAL },
	{ "system", "sku", SMBIOS_SKU },
	{ "system", "family", SMBIOS_FAMILY },
	{ "baseBoard", "manufacturer", SMBIOS_BOARD_MANUFACTURER },
	{ "baseBoard", "product", SMBIOS_BOARD_PRODUCT },
	{ "baseBoard", "version", SMBIOS_BOARD_VERSION },
	{ "baseBoard", "serial", SMBIOS_BOARD_SERIAL },
	{ "baseBoard", "asset", SMBIOS_BOARD_ASSET },
	{ "baseBoard", "location", SMBIOS_BOARD_LOCATION },
	{ "chassis", "manufacturer", SMBIOS_CHASSIS_MANUFACTURER },
	{ "chassis", "version", SMBIOS_CHASSIS_VERSION },
	{ "chassis", "serial", SMBIOS_CHASSIS_SERIAL },
	{ "chassis", "asset", SMBIOS_CHASSIS_ASSET },
	{ "chassis", "sku", SMBIOS_CHASSIS_SKU },
};

/* The UUID is not among them: libvirt takes none there but the domain's own. */
static bool has_smbios(const struct config *c)
{
	bool any = c->smbios.host;
	for (size_t i = 0; i < ARRAY_SIZE(smbios); i++)
		any |= c->smbios.fields[smbios[i].field] != NULL;
	return any;
}

/* With the host's, libvirt has no word for single ones. */
static void add_sysinfo(struct sb *out, const struct config *c)
{
	const char *open = NULL;
	if (!has_smbios(c) || c->smbios.host)
		return;
	add(out, "  <sysinfo type='smbios'>");
	for (size_t i = 0; i < ARRAY_SIZE(smbios); i++) {
		const char *value = c->smbios.fields[smbios[i].field];
		if (!value)
			continue;
		if (!streq(open, smbios[i].block)) {
			if (open)
				add(out, "</%s>", open);
			add(out, "<%s>", smbios[i].block);
			open = smbios[i].block;
		}
		add(out, "<entry name='%s'>%s</entry>", smbios[i].entry, value);
	}
	add(out, "</%s></sysinfo>\n", open);
}

static void add_os(struct sb *out, const struct config *c)
{
	bool uefi = c->firmware.type == FIRMWARE_UEFI;
	sb_addf(out, "  <os%s>\n", uefi ? " firmware='efi'" : "");
	add(out, "    <type arch='x86_64' machine='%s'>hvm</type>\n", c->vm.machine ? c->vm.machine : "q35");
	if (uefi)
		add(out,
		    "    <firmware><feature enabled='%s' name='enrolled-keys'/><feature enabled='%s' name='secure-boot'/></firmware>\n",
		    c->firmware.secure_boot ? "yes" : "no", c->firmware.secure_boot ? "yes" : "no");
	if (uefi && c->firmware.vars)
		add(out, "    <nvram>%s</nvram>\n", c->firmware.vars);
	if (c->boot.kernel)
		add(out, "    <kernel>%s</kernel>\n", c->boot.kernel);
	if (c->boot.initrd)
		add(out, "    <initrd>%s</initrd>\n", c->boot.initrd);
	if (c->boot.cmdline)
		add(out, "    <cmdline>%s</cmdline>\n", c->boot.cmdline);
	if (has_smbios(c))
		add(out, "    <smbios mode='%s'/>\n", c->smbios.host ? "host" : "sysinfo");
	if (c->acpi.tables.n == 1)
		add(out, "    <acpi><table type='slic'>%s</table></acpi>\n", c->acpi.tables.v[0]);
	add(out, "  </os>\n");
}

static void add_clock(struct sb *out, const struct config *c)
{
	add(out,
	    "  <clock offset='%s'><timer name='rtc' tickpolicy='%s'/><timer name='pit' tickpolicy='%s'/><timer name='hpet' present='%s'/>",
	    c->clock.base == CLOCK_UTC ? "utc" : "localtime", c->clock.rtc == RTC_CATCHUP ? "catchup" : "delay",
	    c->clock.pit == PIT_DISCARD ? "discard" : "delay", c->clock.hpet ? "yes" : "no");
	if (!c->clock.kvmclock)
		add(out, "<timer name='kvmclock' present='no'/>");
	add(out, "</clock>\n");
}

static void add_cpu(struct sb *out, const struct config *c)
{
	bool tcg = c->vm.accel == ACCEL_TCG;
	const char *model = c->cpu.model;
	add(out, "  <features><acpi/><apic/>");
	if (c->cpu.hyperv != HYPERV_OFF && !tcg) {
		add(out, "<hyperv mode='custom'><relaxed state='on'/><vapic state='on'/>");
		if (c->cpu.vendor_id)
			add(out, "<vendor_id state='on' value='%s'/>", c->cpu.vendor_id);
		add(out, "</hyperv>");
	}
	if (c->cpu.hide_kvm)
		add(out, "<kvm><hidden state='on'/></kvm>");
	add(out, "</features>\n");
	if (model && !streq(model, "host") && !streq(model, "max"))
		add(out, "  <cpu mode='custom' match='exact' check='none'><model fallback='allow'>%s</model></cpu>\n", model);
	else
		add(out, "  <cpu mode='%s' check='none'>%s", tcg ? "maximum" : "host-passthrough", "");
	if (!c->cpu.nested && !tcg && (!model || streq(model, "host")))
		add(out, "<feature policy='disable' name='vmx'/><feature policy='disable' name='svm'/>");
	if (!tcg && (!model || streq(model, "host")) && (c->cpu.caches == CACHES_HOST || c->cpu.caches == CACHES_SHAPE))
		add(out, c->cpu.caches == CACHES_HOST ? "<cache mode='passthrough'/>" : "<cache level='3' mode='emulate'/>");
	if (!model || streq(model, "host") || streq(model, "max"))
		add(out, "</cpu>\n");
}

/* ---- devices ---- */

/* vda, vdb, …: libvirt's names of targets, not the guest's. */
static void add_target(struct sb *out, const struct conf_disk *d, size_t n)
{
	static const char *const buses[] = { [BUS_VIRTIO] = "virtio", [BUS_NVME] = "sata", [BUS_SATA] = "sata", [BUS_SCSI] = "scsi" };
	char dev[8];
	snprintf(dev, sizeof(dev), n < 26 ? "%s%c" : "%sa%c", d->bus == BUS_VIRTIO ? "vd" : "sd", (char)('a' + n % 26));
	add(out, "<target dev='%s' bus='%s'", dev, buses[d->bus]);
	if (d->rotation > 1)
		add(out, " rotation_rate='%u'", d->rotation);
	add(out, "/>");
}

static void add_disk(struct sb *out, const struct config *c, const struct conf_disk *d, bool cdrom, size_t n)
{
	bool block = str_starts(d->path, "/dev/"),
	     qcow2 = d->format == FORMAT_QCOW2 || (d->format == FORMAT_AUTO && str_ends(d->path, ".qcow2"));
	add(out, "    <disk type='%s' device='%s'><driver name='qemu' type='%s'", block ? "block" : "file", cdrom ? "cdrom" : "disk",
	    qcow2 && !cdrom ? "qcow2" : "raw");
	if (!cdrom && d->cache != CACHE_AUTO)
		add(out, " cache='%s'", d->cache == CACHE_NONE ? "none" : "writeback");
	if (!cdrom)
		add(out, " discard='%s'", d->discard ? "unmap" : "ignore");
	if (!cdrom && d->queues && d->bus == BUS_VIRTIO)
		add(out, " queues='%u'", d->queues);
	add(out, "/><source %s='%s'/>", block ? "dev" : "file", d->path);
	add_target(out, d, n);
	if (d->readonly || cdrom)
		add(out, "<readonly/>");
	if (!cdrom && d->serial)
		add(out, "<serial>%s</serial>", d->serial);
	add_boot(out, c, d->name);
	add_alias(out, d->name);
	add(out, "</disk>\n");
}

static void add_network(struct sb *out, const struct config *c, const struct conf_network *n)
{
	bool bridge = n->mode == NET_BRIDGE, direct = n->mode == NET_MACVTAP;
	add(out, "    <interface type='%s'>", n->mode == NET_USER ? "user" : bridge ? "bridge" : direct ? "direct" : "network");
	if (bridge)
		add(out, "<source bridge='%s'/>", n->bridge);
	else if (direct)
		add(out, "<source dev='%s' mode='bridge'/>", n->bridge);
	else if (n->mode != NET_USER)
		add(out, "<source network='default'/>");
	if (n->mac)
		add(out, "<mac address='%s'/>", n->mac);
	static const char *const models[] = { [MODEL_VIRTIO] = "virtio", [MODEL_E1000E] = "e1000e", [MODEL_E1000] = "e1000",
					      [MODEL_RTL8139] = "rtl8139", [MODEL_IGB] = "igb", [MODEL_VMXNET3] = "vmxnet3" };
	add(out, "<model type='%s'/>", models[n->model]);
	if (n->queues > 1 && n->mode != NET_USER)
		add(out, "<driver name='vhost' queues='%u'/>", n->queues);
	add_boot(out, c, n->name);
	add_alias(out, n->name);
	add(out, "</interface>\n");
}

static void add_host_devices(struct sb *out, const struct config *c)
{
	for (size_t i = 0; i < c->n_pci; i++) {
		const struct conf_pci *p = &c->pci[i];
		if (!p->has_address || p->has_vf) /* by id or name, or yet to be made: only the metadata can say it */
			continue;
		cleanup_free char *source = str_fmt("domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'", p->address.domain,
						    p->address.bus, p->address.dev, p->address.fn);
		add(out, "    <hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>");
		sb_addf(out, "<address %s/></source>", source);
		add_boot(out, c, p->name);
		const char *file = streq(p->rom, "host") ? NULL : p->rom; /* which libvirt looks for nowhere: the metadata has it */
		if (streq(file, "off"))
			add(out, "<rom enabled='no'/>");
		else if (file || !p->rom_bar)
			add(out, p->rom_bar ? "<rom" : "<rom bar='off'");
		if (file && !streq(file, "off"))
			add(out, " file='%s'", file);
		if ((file || !p->rom_bar) && !streq(file, "off"))
			add(out, "/>");
		add_alias(out, p->name);
		add(out, "</hostdev>\n");
	}
	for (size_t i = 0; i < c->n_mdevs; i++)
		if (c->mdevs[i].uuid) {
			add(out, "    <hostdev mode='subsystem' type='mdev' model='vfio-pci'%s><source>",
			    c->mdevs[i].display ? " display='on' ramfb='on'" : "");
			add(out, "<address uuid='%s'/></source>", c->mdevs[i].uuid);
			add_alias(out, c->mdevs[i].name);
			add(out, "</hostdev>\n");
		}
	for (size_t i = 0; i < c->n_usb; i++)
		if (c->usb[i].id) {
			add(out, "    <hostdev mode='subsystem' type='usb' managed='yes'><source startupPolicy='optional'>");
			sb_addf(out, "<vendor id='0x%.4s'/><product id='0x%.4s'/></source>", c->usb[i].id, c->usb[i].id + 5);
			add_alias(out, c->usb[i].name);
			add(out, "</hostdev>\n");
		}
}

static void add_desk(struct sb *out, const struct config *c)
{
	static const char *const videos[] = { "none", "virtio", "qxl" };
	if (c->display.mode == DISPLAY_SPICE)
		add(out, "    <graphics type='spice' autoport='yes'/>\n");
	else if (c->display.mode == DISPLAY_WINDOW)
		add(out, "    <graphics type='sdl' display=':0'/>\n");
	add(out, "    <video><model type='%s'/></video>\n", videos[c->display.video]);
	if (c->audio.model != AUDIO_NONE)
		add(out, "    <sound model='%s'/><audio id='1' type='%s'/>\n", c->audio.model == AUDIO_USB ? "usb" : "ich9",
		    c->audio.backend == AUDIO_SPICE    ? "spice"
		    : c->audio.backend == AUDIO_SILENT ? "none"
						       : "pulseaudio");
	if (c->tpm.version == TPM_2_0)
		add(out, "    <tpm model='%s'><backend type='emulator' version='2.0'/></tpm>\n",
		    c->tpm.model == TPM_CRB ? "tpm-crb" : "tpm-tis");
	if (c->console.serial && streq(c->console.serial, "pty"))
		add(out, "    <serial type='pty'/>\n");
	if (c->console.agent && streq(c->console.agent, "yes"))
		add(out, "    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\n");
}

static void add_devices(struct sb *out, const struct config *c)
{
	add(out, "  <devices>\n    <emulator>%s</emulator>\n", c->qemu.binary ? c->qemu.binary : "/usr/bin/qemu-system-x86_64");
	for (size_t i = 0; i < c->n_disks; i++)
		add_disk(out, c, &c->disks[i], false, i);
	for (size_t i = 0; i < c->n_cdroms; i++)
		add_disk(out, c, &c->cdroms[i], true, c->n_disks + i);
	add(out, "    <controller type='scsi' index='0' model='virtio-scsi'/>\n");
	if (c->vm.pcihole64) {
		cleanup_free char *kib = str_fmt("%" PRIu64, c->vm.pcihole64 >> 10);
		add(out, "    <controller type='pci' index='0' model='pcie-root'><pcihole64 unit='KiB'>%s</pcihole64></controller>\n", kib);
	}
	for (size_t i = 0; i < c->n_networks; i++)
		add_network(out, c, &c->networks[i]);
	add_host_devices(out, c);
	for (size_t i = 0; i < c->n_inputs; i++) {
		if (*c->inputs[i].device != '/') /* libvirt knows paths only */
			continue;
		add(out, "    <input type='evdev'><source dev='%s'", c->inputs[i].device);
		static const char *const toggles[] = { "ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock" };
		add(out, c->inputs[i].grab ? " grab='all' grabToggle='%s' repeat='on'/>" : " grabToggle='%s'/>", toggles[c->inputs[i].toggle]);
		add_alias(out, c->inputs[i].name);
		add(out, "</input>\n");
	}
	for (size_t i = 0; i < c->n_shares; i++) {
		const struct conf_share *s = &c->shares[i];
		add(out,
		    "    <filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/><source dir='%s'/><target dir='%s'/>",
		    s->path, s->tag ? s->tag : s->name);
		add_alias(out, s->name);
		add(out, "</filesystem>\n");
	}
	add_desk(out, c);
	add(out, "    <memballoon model='none'/>\n  </devices>\n");
	if (c->qemu.args.n) {
		add(out, "  <qemu:commandline>");
		for (size_t i = 0; i < c->qemu.args.n; i++)
			add(out, "<qemu:arg value='%s'/>", c->qemu.args.v[i]);
		add(out, "</qemu:commandline>\n");
	}
}

static char *compose(const struct config *c, const char *metadata)
{
	struct sb out = {};
	add_head(&out, c);
	if (*metadata)
		sb_addf(&out,
			"  <metadata>\n    <qlaunch:machine xmlns:qlaunch='" EXPORT_NAMESPACE
			"'>\n%s    </qlaunch:machine>\n  </metadata>\n",
			metadata);
	add_sysinfo(&out, c);
	add_os(&out, c);
	add_cpu(&out, c);
	add_clock(&out, c);
	add_devices(&out, c);
	sb_add(&out, "</domain>\n");
	return sb_steal(&out);
}

/* ---- what the XML does not say ---- */

/* Away from its folder, a relative path would lead elsewhere. */
static void set_word(struct draft *d, const char *section, const char *key, const char *value, const char *dir)
{
	cleanup_free char *kind = str_ndup(section, strcspn(section, " "));
	const struct conf_key *k = conf_key_find(kind, key);
	bool path = k && (k->type == &TYPE_PATH || k->type == &TYPE_DEVICE || (k->type == &TYPE_PROGRAM && strchr(value, '/')));
	if (!path || str_starts(value, "~/")) {
		draft_set(d, 1, section, key, value);
		return;
	}
	cleanup_free char *base = mem_new(k->offset + sizeof(char *)); /* as much of the section as reaches to the key */
	err_free(k->type->set(k, base, value, dir));
	const char *whole = *(char **)(void *)(base + k->offset);
	draft_set(d, 1, section, key, whole ? whole : value);
	k->type->clear(k, base);
}

/* The configuration's own words; it is valid, so its form is plain. */
static void read_words(struct draft *d, const char *text, const char *dir)
{
	cleanup_strv struct strv lines = {};
	cleanup_free char *section = str_dup("vm");
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		char *line = str_trim(lines.v[i]), *equals = strchr(line, '=');
		if (*line == '[') {
			line[strcspn(line, "]")] = '\0';
			str_set(&section, str_trim(line + 1));
			draft_section(d, 1, section);
		} else if (*line && *line != '#' && *line != ';' && equals) {
			*equals = '\0';
			set_word(d, section, str_trim(line), str_trim(equals + 1), dir);
		}
	}
}

static void compare(const struct draft *want, const struct draft *have, struct sb *metadata, struct strv *left)
{
	for (size_t i = 0; i < want->n; i++) {
		const struct draft_section *s = &want->v[i];
		if (!s->n && !draft_section_find(have, s->title))
			add(metadata, "      <qlaunch:section name='%s'/>\n", s->title);
		for (size_t k = 0; k < s->n; k++) {
			if (streq(draft_get(have, s->title, s->v[k].key), s->v[k].value))
				continue;
			add(metadata, "      <qlaunch:set section='%s' key='%s'>%s</qlaunch:set>\n", s->title, s->v[k].key, s->v[k].value);
			strv_addf(left, "[%s] %s = %s", s->title, s->v[k].key, s->v[k].value);
		}
	}
	for (size_t i = 0; i < have->n; i++) {
		const struct draft_section *s = &have->v[i];
		for (size_t k = 0; k < s->n; k++)
			if (!draft_get(want, s->title, s->v[k].key))
				add(metadata, "      <qlaunch:unset section='%s' key='%s'/>\n", s->title, s->v[k].key);
	}
}

struct err *export_xml(const struct config *c, const char *text, const char *dir, char **ret_xml, struct strv *ret_left)
{
	cleanup_draft struct draft want = {}, have = {};
	cleanup_sb struct sb metadata = {};
	cleanup_free char *bare = compose(c, "");
	TRY(import_read(bare, c->vm.name, "/", NULL, &have));
	read_words(&want, text, dir);
	compare(&want, &have, &metadata, ret_left);
	*ret_xml = compose(c, metadata.s ? metadata.s : "");
	return NULL;
}
