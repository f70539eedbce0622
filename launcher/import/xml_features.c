/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: <features>, <clock> and <sysinfo>: what the board tells the guest. See xml.h; libvirt's src/qemu/qemu_command.c. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/xml.h"

static bool is_on(struct node *n)
{
	const char *state = node_attr(n, "state");
	return !state || streq(state, "on");
}

/* A flag of the CPU that follows the element's state: "kvm-poll-control=on". */
static void flag_of(struct xml_import *im, struct node *n, const char *flag)
{
	xml_flag(im, n->line, "%s=%s", flag, is_on(n) ? "on" : "off");
}

/* ---- Hyper-V ---- */

struct flag_name {
	const char *element, *flag;
};
static const struct flag_name hyperv_names[] = {
	{ "relaxed", "hv-relaxed" },	   { "vapic", "hv-vapic" },	      { "vpindex", "hv-vpindex" },
	{ "runtime", "hv-runtime" },	   { "synic", "hv-synic" },	      { "stimer", "hv-stimer" },
	{ "reset", "hv-reset" },	   { "frequencies", "hv-frequencies" }, { "reenlightenment", "hv-reenlightenment" },
	{ "tlbflush", "hv-tlbflush" },	   { "ipi", "hv-ipi" },		      { "evmcs", "hv-evmcs" },
	{ "avic", "hv-avic" },		   { "emsr_bitmap", "hv-emsr-bitmap" }, { "xmm_input", "hv-xmm-input" },
};
/* What qlaunch offers by itself wherever the host has it. */
static const char hyperv_own[] = "relaxed vapic vpindex runtime synic stimer frequencies tlbflush ipi xmm_input";

static const char *find_flag(const struct flag_name *names, size_t n, const char *element)
{
	for (size_t i = 0; i < n; i++)
		if (streq(names[i].element, element))
			return names[i].flag;
	return NULL;
}

static void read_hyperv_one(struct xml_import *im, struct node *x, bool on)
{
	const char *flag = find_flag(hyperv_names, ARRAY_SIZE(hyperv_names), x->name), *value;
	struct node *direct = node_child(x, "direct");
	unsigned long retries;
	if (streq(x->name, "vendor_id")) {
		if ((value = node_attr(x, "value")) && on)
			draft_set(im->d, x->line, "cpu", "vendor-id", value);
	} else if (streq(x->name, "spinlocks")) {
		if (on && (value = node_attr(x, "retries")) && xml_decimal(value, UINT32_MAX, &retries))
			xml_flag(im, x->line, "hv-spinlocks=0x%lx", retries);
	} else if (!flag) {
		x->used = false;
	} else if (!on || !str_has_word(hyperv_own, x->name)) {
		xml_flag(im, x->line, "%s=%s", flag, on ? "on" : "off");
	}
	if (direct && !is_on(direct))
		xml_flag(im, direct->line, "hv-stimer-direct=off");
}

static void read_hyperv(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode");
	bool any = mode && streq(mode, "passthrough");
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *x = n->children[i];
		bool on = is_on(x);
		x->used = true;
		any |= on;
		read_hyperv_one(im, x, on);
	}
	draft_set(im->d, n->line, "cpu", "hyperv", any ? "on" : "off");
}

/* ---- KVM ---- */

static void read_kvm(struct xml_import *im, struct node *n)
{
	static const struct flag_name names[] = { { "hint-dedicated", "kvm-hint-dedicated" },
						  { "poll-control", "kvm-poll-control" },
						  { "pv-ipi", "kvm-pv-ipi" } };
	struct node *hidden = node_child(n, "hidden");
	if (hidden && is_on(hidden))
		draft_set(im->d, hidden->line, "cpu", "hide-kvm", "yes");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct node *x = node_child(n, names[i].element);
		if (x)
			flag_of(im, x, names[i].flag);
	}
}

static void read_apic(struct xml_import *im, struct node *n)
{
	const char *eoi = node_attr(n, "eoi");
	if (eoi)
		xml_flag(im, n->line, "kvm-pv-eoi=%s", streq(eoi, "on") ? "on" : "off");
}

static void read_pmu(struct xml_import *im, struct node *n)
{
	flag_of(im, n, "pmu");
}

static void read_pvspinlock(struct xml_import *im, struct node *n)
{
	flag_of(im, n, "kvm-pv-unhalt");
}

/* ---- the board ---- */

/* Later -machine options are added to the first. */
static void read_vmport(struct xml_import *im, struct node *n)
{
	if (is_on(n))
		xml_arg(im, n->line, "-machine", "vmport=on");
}

static void read_ps2(struct xml_import *im, struct node *n)
{
	if (!is_on(n))
		xml_arg(im, n->line, "-machine", "i8042=off");
}

static void read_ioapic(struct xml_import *im, struct node *n)
{
	if (node_is(n, "driver", "qemu"))
		xml_arg(im, n->line, "-machine", "kernel_irqchip=split");
}

/* Secure Boot's firmware has it anyway; off cannot be with that. */
static void read_smm(struct xml_import *im, struct node *n)
{
	struct node *tseg = node_child(n, "tseg");
	uint64_t bytes = tseg ? xml_size(im, tseg, "MiB") : 0;
	if (is_on(n))
		xml_arg(im, n->line, "-machine", "smm=on");
	if (bytes)
		xml_arg(im, tseg->line, "-global", "mch.extended-tseg-mbytes=%llu", (unsigned long long)(bytes >> 20));
}

/* ---- the clock ---- */

/* libvirt keeps what the guest has set its clock to, as seconds off its basis; a quarter of an hour and less is drift, not a time zone. */
static const char *variable_base(struct xml_import *im, struct node *n)
{
	const char *adjustment = node_attr(n, "adjustment"), *basis = node_attr(n, "basis");
	long seconds = adjustment ? strtol(adjustment, NULL, 10) : 0;
	bool local = basis && streq(basis, "localtime");
	if (seconds)
		draft_note(im->d, NOTE_MINOR, n->line, "<clock adjustment='%.20s'>: the clock follows the host's at each start",
			   adjustment);
	return seconds < -900 || seconds > 900 ? NULL : local ? "local" : "utc";
}

static void read_clock(struct xml_import *im, struct node *n)
{
	const char *offset = node_attr(n, "offset");
	bool utc = !offset || streq(offset, "utc"), local = offset && streq(offset, "localtime");
	const char *base = utc ? "utc" : local ? "local" : streq(offset, "variable") ? variable_base(im, n) : NULL;
	if (base && xml_key(im, n->line, "clock", "base", base))
		return;
	if (!local)
		draft_note(im->d, NOTE_MACHINE, n->line, "<clock offset='%.20s'>: the guest's clock is local time here, as Windows has it",
			   offset ? offset : "utc");
}

static void read_hpet(struct xml_import *im, struct node *n, const char *present)
{
	draft_set(im->d, n->line, "clock", "hpet", present && streq(present, "no") ? "no" : "yes");
}

/* libvirt takes the word and leaves the timer in. */
static void note_no_absence(struct xml_import *im, struct node *n, const char *name)
{
	if (node_is(n, "present", "no"))
		draft_note(im->d, NOTE_MINOR, n->line, "<timer name='%.20s' present='no'>: it is there all the same, with libvirt too",
			   name);
}

static void read_timer(struct xml_import *im, struct node *n)
{
	const char *name = node_attr(n, "name"), *present = node_attr(n, "present"), *policy, *frequency;
	bool off = present && streq(present, "no");
	if (!name)
		return;
	if (streq(name, "rtc") || streq(name, "pit") || streq(name, "tsc"))
		note_no_absence(im, n, name);
	if (streq(name, "hpet")) {
		read_hpet(im, n, present);
	} else if (streq(name, "rtc")) {
		policy = node_attr(n, "tickpolicy");
		if (policy && streq(policy, "delay") && xml_key(im, n->line, "clock", "rtc", "discard"))
			return;
		if (policy && !streq(policy, "catchup"))
			draft_note(im->d, NOTE_MINOR, n->line,
				   "<timer name='rtc' tickpolicy='%.20s'>: ticks that were missed are caught up slowly here", policy);
	} else if (streq(name, "pit")) {
		if ((policy = node_attr(n, "tickpolicy")) && streq(policy, "discard") && !xml_key(im, n->line, "clock", "pit", "discard"))
			xml_arg(im, n->line, "-global", "kvm-pit.lost_tick_policy=discard");
		else if (policy && !streq(policy, "delay") && !streq(policy, "discard"))
			draft_note(im->d, NOTE_MINOR, n->line,
				   "<timer name='pit' tickpolicy='%.20s'>: missed ticks are delivered late here", policy);
	} else if (streq(name, "kvmclock")) {
		if (off)
			draft_set(im->d, n->line, "clock", "kvmclock", "no");
	} else if (streq(name, "hypervclock")) {
		if (off || (present && !streq(draft_get(im->d, "cpu", "hyperv"), "on"))) /* which offers it by itself */
			xml_flag(im, n->line, "hv-time=%s", off ? "off" : "on");
	} else if (streq(name, "tsc")) {
		if ((frequency = node_attr(n, "frequency")))
			xml_flag(im, n->line, "tsc-frequency=%s", frequency);
	} else {
		draft_note(im->d, NOTE_MINOR, n->line, "<timer name='%.20s'> is not of this board", name);
	}
}

/* ---- SMBIOS ---- */

/* libvirt's entry names are dmidecode's; QEMU's are those of its -smbios. */
static const struct smbios {
	const char *block;
	int type;
	const char *entry, *option;
} smbios[] = {
	{ "bios", 0, "vendor", "vendor" },	      { "bios", 0, "version", "version" },
	{ "bios", 0, "date", "date" },		      { "bios", 0, "release", "release" },
	{ "system", 1, "manufacturer", "manufacturer" }, { "system", 1, "product", "product" },
	{ "system", 1, "version", "version" },	      { "system", 1, "serial", "serial" },
	{ "system", 1, "uuid", "uuid" },	      { "system", 1, "sku", "sku" },
	{ "system", 1, "family", "family" },	      { "baseBoard", 2, "manufacturer", "manufacturer" },
	{ "baseBoard", 2, "product", "product" },     { "baseBoard", 2, "version", "version" },
	{ "baseBoard", 2, "serial", "serial" },	      { "baseBoard", 2, "asset", "asset" },
	{ "baseBoard", 2, "location", "location" },   { "chassis", 3, "manufacturer", "manufacturer" },
	{ "chassis", 3, "version", "version" },	      { "chassis", 3, "serial", "serial" },
	{ "chassis", 3, "asset", "asset" },	      { "chassis", 3, "sku", "sku" },
};

static const struct smbios *find_smbios(const char *block, const char *entry)
{
	for (size_t i = 0; i < ARRAY_SIZE(smbios); i++)
		if (streq(smbios[i].block, block) && streq(smbios[i].entry, entry))
			return &smbios[i];
	return NULL;
}

/* The first entry of the block, for its type; NULL where there is no such block. */
static const struct smbios *find_smbios_block(const char *block)
{
	for (size_t i = 0; i < ARRAY_SIZE(smbios); i++)
		if (streq(smbios[i].block, block))
			return &smbios[i];
	return NULL;
}

/* A comma is doubled, as QEMU's options want it. */
static void add_value(struct sb *out, const char *key, const char *value)
{
	sb_addf(out, ",%s=", key);
	for (; *value; value++) {
		if (*value == ',')
			sb_addc(out, ',');
		sb_addc(out, *value);
	}
}

static void read_smbios_block(struct xml_import *im, struct node *block)
{
	const struct smbios *kind = find_smbios_block(block->name);
	static const char *const prefixes[] = { "bios-", "", "board-", "chassis-" };
	cleanup_sb struct sb out = {};
	block->used |= kind || streq(block->name, "oemStrings");
	for (size_t i = 0; i < block->n_children && block->used; i++) {
		struct node *x = block->children[i];
		const struct smbios *s = kind ? find_smbios(block->name, node_attr(x, "name")) : NULL;
		if (!streq(x->name, "entry") || (kind && !s))
			continue;
		cleanup_free char *key = str_fmt("%s%s",
						 kind && kind->type == 1 ? ""
						 : kind                  ? prefixes[kind->type]
									 : "oem-strings",
						 s ? s->entry : "");
		if (!draft_get(im->d, "smbios", key) && xml_key(im, x->line, "smbios", key, node_text(x)))
			continue;
		add_value(&out, s ? s->option : "value", node_text(x));
	}
	if (out.s)
		xml_arg(im, block->line, "-smbios", "type=%d%s", kind ? kind->type : 11, out.s);
}

static void read_sysinfo(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type");
	struct node *os = node_child(im->root, "os"), *mode = node_child(os, "smbios");
	if (type && streq(type, "fwcfg")) {
		for (size_t i = 0; i < n->n_children; i++) {
			struct node *x = n->children[i];
			const char *name = node_attr(x, "name"), *file = node_attr(x, "file");
			cleanup_sb struct sb out = {};
			add_value(&out, file ? "file" : "string", file ? file : node_text(x));
			x->used = true;
			xml_arg(im, x->line, "-fw_cfg", "name=%s%s", name ? name : "", out.s);
		}
		return;
	}
	/* libvirt leaves it out unless <smbios mode='sysinfo'> asks for it */
	bool asked = mode && node_is(mode, "mode", "sysinfo");
	if (!asked) {
		node_take(n);
		draft_note(im->d, NOTE_MINOR, n->line,
			   "<sysinfo>: without <smbios mode='sysinfo'/> in <os> the guest is not shown it, with libvirt neither");
	}
	for (size_t i = 0; asked && i < n->n_children; i++)
		read_smbios_block(im, n->children[i]);
}

static void read_smbios_mode(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode");
	if (!mode || !streq(mode, "host"))
		return;
	if (!xml_key(im, n->line, "smbios", "host", "yes"))
		draft_note(im->d, NOTE_MACHINE, n->line,
			   "<smbios mode='host'>: the guest sees QEMU's own names of board and maker, not the host's");
}

/* ---- what libvirt gives who says nothing ---- */

void xml_machine_defaults(struct xml_import *im)
{
	struct node *features = node_child(im->root, "features"), *clock = node_child(im->root, "clock"),
		    *cpu = node_child(im->root, "cpu");
	if (!im->whole)
		return;
	if (!node_child(features, "acpi")) {
		xml_arg(im, features ? features->line : im->root->line, "-machine", "acpi=off");
		draft_note(im->d, NOTE_MINOR, features ? features->line : im->root->line,
			   "no <acpi>: the guest has no power button, so `qlaunch stop` cannot ask it to power off");
	}
	if (!clock)
		read_clock(im, im->root);
	if (!draft_get(im->d, "cpu", "threads"))
		draft_set(im->d, im->root->line, "cpu", "threads", "1");
	if (!draft_get(im->d, "clock", "hpet"))
		draft_set(im->d, clock ? clock->line : im->root->line, "clock", "hpet", "yes");
	if (!draft_get(im->d, "cpu", "hyperv"))
		draft_set(im->d, features ? features->line : im->root->line, "cpu", "hyperv", "off");
	if (!draft_get(im->d, "cpu", "model"))
		draft_set(im->d, cpu ? cpu->line : im->root->line, "cpu", "model", "qemu64");
}

static void read_presence(struct xml_import *im, struct node *n)
{
	(void)im;
	(void)n;
}

const struct xml_rule xml_feature_rules[] = {
	{ "features/acpi", read_presence }, /* see xml_machine_defaults */
	{ "features/hyperv", read_hyperv },
	{ "features/kvm", read_kvm },
	{ "features/apic", read_apic },
	{ "features/pmu", read_pmu },
	{ "features/pvspinlock", read_pvspinlock },
	{ "features/vmport", read_vmport },
	{ "features/ps2", read_ps2 },
	{ "features/ioapic", read_ioapic },
	{ "features/smm", read_smm },
	{ "clock", read_clock },
	{ "clock/timer", read_timer },
	{ "sysinfo", read_sysinfo },
	{ "os/smbios", read_smbios_mode },
	{},
};
