/* SPDX-License-Identifier: GPL-2.0-or-later */
/* irq: see irq.h. What there is, and what is to be done. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/irq/irq.h"

#define WORKQUEUE "/sys/devices/virtual/workqueue/cpumask"
#define BALANCER_DIR "/run/irqbalance"

static void line_add(struct root *root, const char *line, struct irq_facts *f)
{
	char *end;
	while (*line == ' ')
		line++;
	unsigned long irq = strtoul(line, &end, 10);
	struct irq_line l = { .irq = (unsigned)irq };
	if (!isdigit((unsigned char)*line) || *end != ':' || !irq_affinity_read(root, l.irq, &l.affinity))
		return;
	const char *last = strrchr(line, ' '); /* after the counters, of which the header tells the number */
	l.name = str_dup(last && last[1] ? last + 1 : line);
	f->lines = mem_grow(f->lines, f->n_lines, sizeof(l));
	f->lines[f->n_lines++] = l;
}

struct err *irq_facts_read(struct root *root, const struct config *c, struct irq_facts *ret_facts)
{
	(void)c;
	struct irq_facts f = { .workqueue = root_exists(root, WORKQUEUE) };
	cleanup_free char *text = root_read_or(root, "/proc/interrupts", "");
	cleanup_strv struct strv lines = {}, sockets = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 1; i < lines.n; i++)
		line_add(root, lines.v[i], &f);
	err_free(root_list(root, BALANCER_DIR, &sockets));
	for (size_t i = 0; i < sockets.n && !f.balancer; i++) {
		cleanup_free char *path = str_fmt(BALANCER_DIR "/%s", sockets.v[i]);
		cleanup_err struct err *e = irqbalance_read(root, path, &f.banned);
		if (!e || err_code(e) == EAGAIN) /* it is there, and busy */
			f.balancer = steal(path);
	}
	*ret_facts = f;
	return NULL;
}

void irq_facts_free(struct irq_facts *f)
{
	for (size_t i = 0; i < f->n_lines; i++)
		free(f->lines[i].name);
	free(f->lines);
	free(f->balancer);
	*f = (struct irq_facts){};
}

static struct step *affinity_add(struct steps *out, const char *path, const struct cpus *cpus, bool balanced, const char *why)
{
	cleanup_free char *list = cpus_format(cpus), *want = str_fmt("%s%s", list, balanced ? IRQ_OR_LESS : "");
	struct step *s = steps_add(out, &affinity_kind, path, want, why);
	s->optional = true;
	return s;
}

void irq_steps(struct steps *out, const struct config *c, const struct irq_facts *f, const struct cpus *guest, const struct cpus *host)
{
	if (c->host.irqs != IRQS_AWAY || cpus_empty(host))
		return;
	if (f->balancer) {
		struct cpus banned = cpus_or(&f->banned, guest);
		cleanup_free char *list = cpus_format(&banned);
		steps_add(out, &irqbalance_kind, f->balancer, list, "it would move them back")->optional = true;
	}
	cleanup_free char *cpus = cpus_format(host);
	steps_add(out, &irq_born_kind, "/proc/irq", cpus, "those that come while the guest runs get every CPU afterwards")->optional = true;
	affinity_add(out, IRQ_DEFAULT_AFFINITY, host, false, "new interrupts begin on the host's CPUs");
	if (f->workqueue)
		affinity_add(out, WORKQUEUE, host, false, "kernel workers off the guest's CPUs");
	for (size_t i = 0; i < f->n_lines; i++) {
		const struct irq_line *l = &f->lines[i];
		struct cpus rest = cpus_minus(&l->affinity, guest);
		cleanup_free char *path = str_fmt("/proc/irq/%u/smp_affinity_list", l->irq),
				  *why = tr_fmt("%s off the guest's CPUs", l->name);
		if (!cpus_equal(&rest, &l->affinity) && !str_starts(l->name, "vfio-"))
			affinity_add(out, path, cpus_empty(&rest) ? host : &rest, f->balancer, why);
	}
}

static bool is_of(const struct irq_line *l, const struct pci_addr *devices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(l->name, "vfio-") && strstr(l->name, pci_addr_text(devices[i]).s))
			return true;
	return false;
}

static bool has_target(const struct steps *steps, const char *target)
{
	for (size_t i = 0; i < steps->n; i++)
		if (streq(steps->v[i].target, target) && steps->v[i].late)
			return true;
	return false;
}

size_t irq_vfio_steps(struct steps *out, const struct irq_facts *f, const struct pci_addr *devices, size_t n, const struct cpus *vcpus)
{
	size_t before = out->n;
	for (size_t i = 0; i < f->n_lines; i++) {
		cleanup_free char *path = str_fmt("/proc/irq/%u/smp_affinity_list", f->lines[i].irq);
		if (!is_of(&f->lines[i], devices, n) || cpus_subset(&f->lines[i].affinity, vcpus) || has_target(out, path))
			continue;
		affinity_add(out, path, vcpus, false, "the guest's own interrupt, where its vCPUs are")->late = true;
	}
	return out->n - before;
}

/* By its name, too: the number may be another device's by now. */
bool irq_strayed(const struct irq_facts *f, const struct step *s)
{
	unsigned irq;
	struct cpus want, prior;
	if (s->kind != &affinity_kind || s->state != STEP_DONE || sscanf(s->target, "/proc/irq/%u/", &irq) != 1)
		return false;
	cleanup_free char *list = str_ndup(s->want, strcspn(s->want, " "));
	cleanup_err struct err *e = cpus_parse(list, &want), *none = cpus_parse(s->prior, &prior);
	for (size_t i = 0; i < f->n_lines && !e && !none; i++) {
		const struct irq_line *l = &f->lines[i];
		struct cpus kept = cpus_and(&l->affinity, &want);
		if (l->irq == irq)
			return str_starts(l->name, "vfio-") == s->late && (cpus_empty(&kept) || cpus_equal(&l->affinity, &prior));
	}
	return false;
}

int irq_watch_delay(unsigned round)
{
	return round < 8 ? 2 << round : -1; /* 2 s to 256 s: some eight minutes in all */
}
