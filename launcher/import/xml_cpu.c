/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the CPUs: how many, which model, and where they are pinned. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/xml.h"

/* Those that the machine starts with: the others could be plugged in later, which qlaunch does not do. */
static unsigned long started(struct node *n, unsigned long all)
{
	const char *current = node_attr(n, "current");
	struct node *list = node_child(n->parent, "vcpus");
	unsigned long few, on = 0;
	if (current && xml_decimal(current, all, &few) && few)
		return few;
	for (size_t i = 0; list && i < list->n_children; i++)
		on += !node_is(list->children[i], "enabled", "no");
	return on && on < all ? on : all;
}

static void read_vcpu(struct xml_import *im, struct node *n)
{
	const char *cpuset = node_attr(n, "cpuset"), *text = node_text(n);
	unsigned long all, vcpus;
	if (!xml_decimal(text, 100000, &all)) {
		draft_set(im->d, n->line, "cpu", "threads", text);
		return;
	}
	im->vcpus = (unsigned)(vcpus = started(n, all));
	draft_setf(im->d, n->line, "cpu", "threads", "%lu", vcpus);
	if (vcpus != all)
		draft_note(im->d, NOTE_MINOR, n->line, "<vcpu> %lu, of which %lu at the start: the others cannot be added later", all,
			   vcpus);
	if (cpuset) {
		im->pin_line = n->line;
		if (xml_cpus(cpuset, &im->all_threads))
			im->pinned = im->own_pins ? im->pinned : im->all_threads;
		else
			draft_note(im->d, NOTE_MACHINE, n->line, "<vcpu cpuset='%.100s'>: no CPU list", cpuset);
	}
}

/* <vcpus>: which of them are there at the start. */
static void read_vcpus(struct xml_import *im, struct node *n)
{
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *x = n->children[i];
		x->used = true;
		if (node_is(x, "hotpluggable", "yes") && !node_is(x, "enabled", "no"))
			draft_note(im->d, NOTE_MINOR, x->line, "<vcpu hotpluggable='yes'>: it cannot be taken away while the guest runs");
	}
}

static void add_pin(struct xml_import *im, struct node *n, struct cpus *set, unsigned *line)
{
	struct cpus more = {};
	const char *cpuset = node_attr(n, "cpuset");
	if (!cpuset || !xml_cpus(cpuset, &more))
		draft_note(im->d, NOTE_MACHINE, n->line, "<%s cpuset='%.100s'>: no CPU list", n->name, cpuset ? cpuset : "");
	else
		*set = cpus_or(set, &more);
	*line = *line ? *line : n->line;
}

/* A vCPU that is not there at the start takes no CPU. Which of them runs where follows from the CPUs' shape. */
static void read_vcpupin(struct xml_import *im, struct node *n)
{
	unsigned long vcpu = 0;
	if (!xml_decimal(node_attr(n, "vcpu"), 100000, &vcpu))
		draft_note(im->d, NOTE_MACHINE, n->line, "<vcpupin> of no vCPU");
	if (im->vcpus && vcpu >= im->vcpus) {
		node_attr(n, "cpuset");
		return;
	}
	if (!im->own_pins)
		im->pinned = (struct cpus){}; /* of <vcpu cpuset=>, which each vCPU's own pin outdoes */
	im->own_pins = true;
	add_pin(im, n, &im->pinned, &im->pin_line);
}

static void read_emulatorpin(struct xml_import *im, struct node *n)
{
	node_attr(n, "iothread");
	add_pin(im, n, &im->emulator, &im->emulator_line);
}

static void read_sched(struct xml_import *im, struct node *n)
{
	const char *scheduler = node_attr(n, "scheduler"), *vcpus = node_attr(n, "vcpus");
	struct cpus some = {};
	if (!scheduler || !streq(scheduler, "fifo")) {
		node_attr(n, "priority");
		draft_note(im->d, NOTE_MINOR, n->line, "<vcpusched scheduler='%.40s'>: fifo there is, others not",
			   scheduler ? scheduler : "");
		return;
	}
	draft_set(im->d, n->line, "cpu", "fifo", "yes");
	if (vcpus && xml_cpus(vcpus, &some)) {
		im->fifo = cpus_or(&im->fifo, &some);
		im->fifo_line = n->line;
	}
}

/* Who has nesting as libvirt starts them: those that pass on what the host's CPU has, and AMD's models. */
static bool nests(const char *model)
{
	static const char *const names[] = { "host", "max", "EPYC", "Opteron", "Dhyana", "phenom" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(model, names[i]))
			return true;
	return false;
}

static void read_physical(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode"), *bits = node_attr(n, "bits"), *limit = node_attr(n, "limit");
	if (mode && streq(mode, "passthrough"))
		xml_flag(im, n->line, "host-phys-bits=on");
	if (limit)
		xml_flag(im, n->line, "host-phys-bits-limit=%s", limit);
	if (bits)
		xml_flag(im, n->line, "phys-bits=%s", bits);
}

/* As libvirt's qemuBuildCpuCommandLine; a level other than 3 is not to be had there. */
static void read_cache(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode");
	bool host = mode && streq(mode, "passthrough"), shape = mode && streq(mode, "emulate");
	draft_set(im->d, n->line, "cpu", "caches", host ? "host" : shape ? "shape" : "qemu");
	if (mode && streq(mode, "disable"))
		xml_flag(im, n->line, "l3-cache=off");
}

static bool nesting_denied(struct node *cpu)
{
	for (size_t i = 0; i < cpu->n_children; i++) {
		struct node *x = cpu->children[i];
		bool is = streq(x->name, "feature") && (node_is(x, "name", "svm") || node_is(x, "name", "vmx"));
		if (is && (node_is(x, "policy", "disable") || node_is(x, "policy", "forbid")))
			return true;
	}
	return false;
}

static void read_cpu(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode"), *name = NULL, *vendor;
	struct node *model = node_child(n, "model"), *physical = node_child(n, "maxphysaddr"), *cache = node_child(n, "cache");
	unsigned line = n->line;
	if (mode && !streq(mode, "custom")) {
		name = streq(mode, "maximum") ? "max" : "host";
	} else if (model && *node_text(model)) {
		name = node_text(model);
		line = model->line;
	}
	if (mode && streq(mode, "host-model")) {
		node_text(model);
		draft_note(
			im->d, NOTE_MINOR, n->line,
			"<cpu mode='host-model'>: the guest sees the host's CPU itself here, where libvirt builds one that is nearly like it");
	}
	if (name)
		draft_set(im->d, line, "cpu", "model", name);
	if (name && nests(name) && !nesting_denied(n))
		draft_set(im->d, line, "cpu", "nested", "yes");
	if ((vendor = node_attr(model, "vendor_id")))
		xml_flag(im, line, "vendor=%s", vendor);
	if (physical)
		read_physical(im, physical);
	if (cache)
		read_cache(im, cache);
}

static void read_topology(struct xml_import *im, struct node *n)
{
	static const char *const parts[] = { "sockets", "dies", "clusters", "cores", "threads" };
	unsigned long product = 1;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *text = node_attr(n, parts[i]);
		product *= text ? strtoul(text, NULL, 10) & 0xffff : 1;
	}
	const char *threads = draft_get(im->d, "cpu", "threads");
	if (!threads)
		draft_setf(im->d, n->line, "cpu", "threads", "%lu", product);
	else if (product != strtoul(threads, NULL, 10) && im->vcpus)
		draft_note(im->d, NOTE_MINOR, n->line, "<topology> comes to %lu vCPUs, and there are %s", product, threads);
}

/* libvirt names some as Linux does, QEMU as the manuals of the CPUs do. */
static const struct {
	const char *libvirt, *qemu;
} renamed[] = { { "cmp_legacy", "cmp-legacy" }, { "ds_cpl", "ds-cpl" },	     { "fxsr_opt", "fxsr-opt" },  { "kvm_pv_eoi", "kvm-pv-eoi" },
		{ "kvm_pv_unhalt", "kvm-pv-unhalt" }, { "lahf_lm", "lahf-lm" },   { "nodeid_msr", "nodeid-msr" }, { "nrip_save", "nrip-save" },
		{ "pclmuldq", "pclmulqdq" },	     { "perfctr_core", "perfctr-core" }, { "perfctr_nb", "perfctr-nb" },
		{ "sse4_1", "sse4.1" },		     { "sse4_2", "sse4.2" },	     { "svm_lock", "svm-lock" },  { "tsc_adjust", "tsc-adjust" },
		{ "tsc_scale", "tsc-scale" },	     { "vmcb_clean", "vmcb-clean" }, { "sse4.1", "sse4.1" } };

static const char *qemu_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (streq(renamed[i].libvirt, name))
			return renamed[i].qemu;
	return name;
}

static void read_cpu_feature(struct xml_import *im, struct node *n)
{
	const char *policy = node_attr(n, "policy"), *name = node_attr(n, "name");
	bool off = policy && (streq(policy, "disable") || streq(policy, "forbid"));
	if (!name)
		return;
	if (streq(name, "svm") || streq(name, "vmx"))
		draft_set(im->d, n->line, "cpu", "nested", off ? "no" : "yes");
	else
		xml_flag(im, n->line, "%s=%s", qemu_name(name), off ? "off" : "on");
}

const struct xml_rule xml_cpu_rules[] = {
	{ "vcpu", read_vcpu },
	{ "vcpus", read_vcpus },
	{ "cputune/vcpupin", read_vcpupin },
	{ "cputune/emulatorpin", read_emulatorpin },
	{ "cputune/iothreadpin", read_emulatorpin },
	{ "cputune/vcpusched", read_sched },
	{ "cpu", read_cpu },
	{ "cpu/topology", read_topology },
	{ "cpu/feature", read_cpu_feature },
	{},
};
