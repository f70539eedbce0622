/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate, as JSON: a contract with scripts, described in qlaunch(1). */
#include <math.h>
#include "launcher/top/rate.h"

static json_t *figure(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *whole(uint64_t value)
{
	return value == COUNT_NONE ? json_null() : json_integer((json_int_t)value);
}

static json_t *cpu_number(int cpu)
{
	return cpu < 0 ? json_null() : json_integer(cpu);
}

static json_t *vcpu_json(const struct vcpu_rate *v)
{
	json_t *irqs = json_object();
	for (int class = 0; class < IRQ_CLASSES; class ++)
		json_object_set_new(irqs, irq_class_names[class], figure(v->irqs[class]));
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "vcpu", v->vcpu, "cpu", cpu_number(v->cpu), "ran_on",
			 cpu_number(v->ran_on), "usage", figure(v->usage), "delay_ms_per_s", figure(v->delay * 1e3), "others",
			 figure(v->others), "steal", figure(v->steal), "exits_per_s", figure(v->exits), "irqs_per_s", irqs);
}

static json_t *disk_json(const struct disk_rate *d)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", d->name, "read_bytes_per_s", figure(d->bytes[DISK_READ]),
			 "written_bytes_per_s", figure(d->bytes[DISK_WRITE]), "reads_per_s", figure(d->requests[DISK_READ]), "writes_per_s",
			 figure(d->requests[DISK_WRITE]), "read_ms", figure(d->seconds[DISK_READ] * 1e3), "write_ms",
			 figure(d->seconds[DISK_WRITE] * 1e3));
}

static json_t *net_json(const struct net_rate *n)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", n->name, "interface", n->link, "in_bytes_per_s",
			 figure(n->bytes[NET_IN]), "out_bytes_per_s", figure(n->bytes[NET_OUT]), "in_packets_per_s",
			 figure(n->packets[NET_IN]), "out_packets_per_s", figure(n->packets[NET_OUT]), "dropped_per_s", figure(n->dropped));
}

static json_t *memory_json(const struct sample *s)
{
	json_t *pools = json_array();
	for (size_t i = 0; i < s->n_pools; i++)
		json_array_append_new(pools, json_pack("{s:o, s:o, s:o}", "size", whole(s->pools[i].size), "pages",
						       whole(s->pools[i].pages), "free", whole(s->pools[i].free)));
	return json_pack("{s:o, s:o, s:o, s:o}", "guest", whole(s->guest), "hugetlb", whole(s->hugetlb), "transparent",
			 whole(s->transparent), "pools", pools);
}

json_t *rates_json(const struct rates *r)
{
	json_t *vcpus = json_array(), *exits = json_object(), *disks = r->now->has_disks ? json_array() : json_null(), *nets = json_array(),
	       *missing = json_array();
	for (size_t i = 0; i < r->n_vcpus; i++)
		json_array_append_new(vcpus, vcpu_json(&r->vcpus[i]));
	for (int kind = 0; kind < EXITS_KINDS; kind++)
		json_object_set_new(exits, exit_names[kind].name, figure(r->exits[kind]));
	for (size_t i = 0; i < r->n_disks; i++)
		json_array_append_new(disks, disk_json(&r->disks[i]));
	for (size_t i = 0; i < r->n_nets; i++)
		json_array_append_new(nets, net_json(&r->nets[i]));
	for (size_t i = 0; i < r->now->missing.n; i++)
		json_array_append_new(missing, json_string(r->now->missing.v[i]));
	return json_pack("{s:s, s:s, s:i, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "vm", r->machine->vm, "accel", r->machine->accel, "qemu",
			 (int)r->machine->qemu, "seconds", r->seconds, "vcpus", vcpus, "exits_per_s", exits, "memory", memory_json(r->now),
			 "disks", disks, "nets", nets, "missing", missing);
}
