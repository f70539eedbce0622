/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate: see rate.h. The arithmetic. */
#include <stdlib.h>
#include "launcher/top/rate.h"

/* Per second. A counter that went backwards was begun anew: nothing is known of it. */
static double rate(uint64_t before, uint64_t now, double seconds)
{
	if (before == COUNT_NONE || now == COUNT_NONE || now < before || seconds <= 0)
		return RATE_NONE;
	return (double)(now - before) / seconds;
}

static const struct vcpu_count *vcpu_find(const struct sample *s, const struct vcpu_count *like)
{
	for (size_t i = 0; i < s->n_vcpus; i++)
		if (s->vcpus[i].thread == like->thread)
			return &s->vcpus[i];
	return NULL;
}

/* The share of a CPU's time that vCPUs which are pinned there have used. */
static double own_share(const struct rates *r, int cpu)
{
	double sum = 0;
	for (size_t i = 0; i < r->n_vcpus; i++)
		if (r->vcpus[i].cpu == cpu)
			sum += r->vcpus[i].usage;
	return sum;
}

/* NaN stays NaN; ticks are coarse, so that differences of shares may be a little outside. */
static double share(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

static void rate_cpu(struct rates *r, const struct sample *before, struct vcpu_rate *v, double ticks)
{
	v->others = v->steal = RATE_NONE;
	for (int class = 0; class < IRQ_CLASSES; class ++)
		v->irqs[class] = RATE_NONE;
	if (v->cpu < 0 || (size_t)v->cpu >= before->n_cpus || (size_t)v->cpu >= r->now->n_cpus)
		return;
	const struct cpu_count *old = &before->cpus[v->cpu], *new = &r->now->cpus[v->cpu];
	v->others = share(rate(old->busy, new->busy, r->seconds) / ticks - own_share(r, v->cpu));
	v->steal = share(rate(old->steal, new->steal, r->seconds) / ticks);
	for (int class = 0; class < IRQ_CLASSES; class ++)
		v->irqs[class] = rate(old->irqs[class], new->irqs[class], r->seconds);
}

static void rate_vcpus(struct rates *r, const struct sample *before, double qemu_seconds, long hz)
{
	r->vcpus = mem_new((r->now->n_vcpus + 1) * sizeof(*r->vcpus));
	for (size_t i = 0; i < r->now->n_vcpus; i++) {
		const struct vcpu_count *new = &r->now->vcpus[i], *old = vcpu_find(before, new);
		struct vcpu_rate v = { .vcpu = new->vcpu, .cpu = new->cpu, .ran_on = new->ran_on,
				       .usage = RATE_NONE, .delay = RATE_NONE, .exits = RATE_NONE };
		if (old) {
			v.usage = share(rate(old->run_ns, new->run_ns, r->seconds) / 1e9);
			v.delay = rate(old->delay_ns, new->delay_ns, r->seconds) / 1e9;
			v.exits = rate(old->exits, new->exits, qemu_seconds);
		}
		r->vcpus[r->n_vcpus++] = v;
	}
	for (size_t i = 0; i < r->n_vcpus; i++)
		rate_cpu(r, before, &r->vcpus[i], (double)hz);
}

static void rate_disks(struct rates *r, const struct sample *before, double seconds)
{
	r->disks = mem_new((r->now->n_disks + 1) * sizeof(*r->disks));
	for (size_t i = 0; i < r->now->n_disks; i++) {
		const struct disk_count *new = &r->now->disks[i], *old = NULL;
		struct disk_rate d = { .name = new->name };
		for (size_t k = 0; k < before->n_disks && !old; k++)
			old = streq(before->disks[k].name, new->name) ? &before->disks[k] : NULL;
		for (int way = 0; way < 2; way++) {
			d.bytes[way] = old ? rate(old->bytes[way], new->bytes[way], seconds) : RATE_NONE;
			d.requests[way] = old ? rate(old->requests[way], new->requests[way], seconds) : RATE_NONE;
			d.seconds[way] = old && d.requests[way] > 0 ? rate(old->ns[way], new->ns[way], seconds) / 1e9 / d.requests[way] : RATE_NONE;
		}
		r->disks[r->n_disks++] = d;
	}
}

static void rate_nets(struct rates *r, const struct sample *before)
{
	r->nets = mem_new((r->now->n_nets + 1) * sizeof(*r->nets));
	for (size_t i = 0; i < r->now->n_nets; i++) {
		const struct net_count *new = &r->now->nets[i], *old = NULL;
		struct net_rate n = { .name = new->name, .link = new->link, .dropped = RATE_NONE };
		for (size_t k = 0; k < before->n_nets && !old; k++)
			old = streq(before->nets[k].link, new->link) ? &before->nets[k] : NULL;
		for (int way = 0; way < 2; way++) {
			n.bytes[way] = old ? rate(old->bytes[way], new->bytes[way], r->seconds) : RATE_NONE;
			n.packets[way] = old ? rate(old->packets[way], new->packets[way], r->seconds) : RATE_NONE;
		}
		if (old)
			n.dropped = rate(old->dropped, new->dropped, r->seconds);
		r->nets[r->n_nets++] = n;
	}
}

void rates_make(const struct top_machine *m, const struct sample *before, const struct sample *now, long hz, struct rates *ret_rates)
{
	struct rates r = { .machine = m, .now = now, .seconds = (double)(now->at_ns - before->at_ns) / 1e9 };
	double qemu_seconds = (double)(now->qemu_at_ns - before->qemu_at_ns) / 1e9;
	bool by_qemu = now->n_vcpus && now->vcpus[0].exits != COUNT_NONE; /* else debugfs, read with the kernel's other counters */
	rate_vcpus(&r, before, qemu_seconds, hz);
	for (int kind = 0; kind < EXITS_KINDS; kind++)
		r.exits[kind] = rate(before->exits[kind], now->exits[kind], by_qemu ? qemu_seconds : r.seconds);
	rate_disks(&r, before, qemu_seconds);
	rate_nets(&r, before);
	*ret_rates = r;
}

void rates_free(struct rates *r)
{
	free(r->vcpus);
	free(r->disks);
	free(r->nets);
	*r = (struct rates){};
}
