/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the CPUs: how many, which model, and where they are pinned. See xml.h. */
#include <stdlib.h>
#include "launcher/import/xml.h"

static void read_vcpu(struct xml_import *im, struct node *n)
{
	const char *placement = node_attr(n, "placement"), *cpuset = node_attr(n, "cpuset"), *current = node_attr(n, "current");
	(void)placement;
	draft_set(im->d, n->line, "cpu", "threads", n->text);
	im->vcpus = (unsigned)strtoul(n->text, NULL, 10);
	if (cpuset && !cpus_count(&im->pinned)) {
		cleanup_err struct err *e = cpus_parse(cpuset, &im->pinned);
		im->pin_line = n->line;
		if (e)
			draft_note(im->d, n->line, "<vcpu cpuset='%.100s'>: %s", cpuset, err_text(e));
	}
	if (current && !streq(current, n->text))
		draft_note(im->d, n->line, "<vcpu current='%.20s'>: all vCPUs are there from the start", current);
}

static void add_pin(struct xml_import *im, struct node *n, struct cpus *set, unsigned *line)
{
	struct cpus more = {};
	const char *cpuset = node_attr(n, "cpuset");
	node_attr(n, "vcpu");
	node_attr(n, "iothread");
	cleanup_err struct err *e = cpuset ? cpus_parse(cpuset, &more) : err_new("no cpuset");
	if (e)
		draft_note(im->d, n->line, "<%s>: %s", n->name, err_text(e));
	else
		*set = cpus_or(set, &more);
	*line = *line ? *line : n->line;
}

static void read_vcpupin(struct xml_import *im, struct node *n)
{
	const char *vcpu = node_attr(n, "vcpu");
	if (vcpu && streq(vcpu, "0") && im->pin_line && draft_get(im->d, "cpu", "threads") && im->pin_line < n->line)
		im->pinned = (struct cpus){}; /* of <vcpu cpuset=>, which each vCPU's own pin outdoes */
	add_pin(im, n, &im->pinned, &im->pin_line);
}

static void read_emulatorpin(struct xml_import *im, struct node *n)
{
	add_pin(im, n, &im->emulator, &im->emulator_line);
}

static void read_sched(struct xml_import *im, struct node *n)
{
	const char *scheduler = node_attr(n, "scheduler");
	node_attr(n, "vcpus");
	if (scheduler && streq(scheduler, "fifo"))
		draft_set(im->d, n->line, "cpu", "fifo", "yes");
	else
		draft_note(im->d, n->line, "<vcpusched scheduler='%.40s'>", scheduler ? scheduler : "");
	if (node_attr(n, "priority"))
		draft_note(im->d, n->line, "<vcpusched priority=>: qlaunch chooses it");
}

static void read_cpu(struct xml_import *im, struct node *n)
{
	static const char *const attrs[] = { "check", "migratable", "match" };
	const char *mode = node_attr(n, "mode");
	struct node *model = node_child(n, "model");
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		node_attr(n, attrs[i]);
	if (model)
		node_take(model);
	if (mode && streq(mode, "host-passthrough"))
		draft_set(im->d, n->line, "cpu", "model", "host");
	else if (mode && (streq(mode, "host-model") || streq(mode, "maximum")))
		draft_set(im->d, n->line, "cpu", "model", streq(mode, "maximum") ? "max" : "host");
	else if (model && *model->text)
		draft_set(im->d, model->line, "cpu", "model", model->text);
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
	else if (product != strtoul(threads, NULL, 10))
		draft_note(im->d, n->line, "<topology> comes to %lu vCPUs, and there are %s", product, threads);
}

static void read_cpu_feature(struct xml_import *im, struct node *n)
{
	const char *policy = node_attr(n, "policy"), *name = node_attr(n, "name");
	bool wanted = policy && (streq(policy, "require") || streq(policy, "force")), off = policy && streq(policy, "disable");
	if (name && wanted && (streq(name, "topoext") || streq(name, "invtsc")))
		return;
	if (name && wanted && (streq(name, "svm") || streq(name, "vmx")))
		draft_set(im->d, n->line, "cpu", "nested", "yes");
	else if (name && off && (streq(name, "svm") || streq(name, "vmx")))
		draft_set(im->d, n->line, "cpu", "nested", "no");
	else
		draft_note(im->d, n->line, "<feature policy='%.20s' name='%.60s'> of the CPU", policy ? policy : "", name ? name : "");
}

const struct xml_rule xml_cpu_rules[] = {
	{ "vcpu", read_vcpu },
	{ "iothreads", NULL },
	{ "iothreadids", NULL },
	{ "cputune/vcpupin", read_vcpupin },
	{ "cputune/emulatorpin", read_emulatorpin },
	{ "cputune/iothreadpin", read_emulatorpin },
	{ "cputune/vcpusched", read_sched },
	{ "cpu", read_cpu },
	{ "cpu/topology", read_topology },
	{ "cpu/cache", NULL },
	{ "cpu/vendor", NULL },
	{ "cpu/feature", read_cpu_feature },
	{},
};
