/* SPDX-License-Identifier: GPL-2.0-or-later */
/* power: see power.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/power/power.h"

#define SMT       "/sys/devices/system/cpu/smt/control" /* Documentation/ABI/testing/sysfs-devices-system-cpu */
#define HALT_POLL "/sys/module/kvm/parameters/halt_poll_ns"

static const struct {
	const char *path;
	bool negated;
} boosts[] = {
	{ "/sys/devices/system/cpu/intel_pstate/no_turbo", true },
	{ "/sys/devices/system/cpu/cpufreq/boost", false },
};

static void words_read(struct root *root, const char *dir, const char *file, struct strv *ret)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, file), *text = root_read_or(root, path, "");
	strv_split(ret, text, " \n");
}

/* The other CPUs of the same policy have been seen to. */
static void policy_add(struct root *root, int cpu, struct cpus *seen, struct power_facts *f)
{
	cleanup_free char *dir = str_fmt("/sys/devices/system/cpu/cpu%d/cpufreq", cpu);
	cleanup_free char *driver = str_fmt("%s/scaling_driver", dir);
	cleanup_strv struct strv related = {};
	if (!root_exists(root, dir))
		return;
	words_read(root, dir, "related_cpus", &related);
	for (size_t i = 0; i < related.n; i++)
		cpus_add(seen, atoi(related.v[i]));
	struct power_policy p = { .dir = steal(dir), .driver = root_read_or(root, driver, "the driver") };
	words_read(root, p.dir, "scaling_available_governors", &p.governors);
	words_read(root, p.dir, "energy_performance_available_preferences", &p.hints);
	f->policies = mem_grow(f->policies, f->n_policies, sizeof(p));
	f->policies[f->n_policies++] = p;
}

struct err *power_facts_read(struct root *root, const struct config *c, const struct cpus *guest, struct power_facts *ret_facts)
{
	struct power_facts f = { .halt_poll = root_exists(root, HALT_POLL), .smt = root_read_or(root, SMT, NULL) };
	struct cpus seen = {};
	bool asked = c->host.governor || c->host.energy;
	for (int cpu = cpus_next(guest, -1); asked && cpu >= 0; cpu = cpus_next(guest, cpu))
		if (!cpus_has(&seen, cpu))
			policy_add(root, cpu, &seen, &f);
	for (size_t i = 0; i < ARRAY_SIZE(boosts) && !f.boost_path; i++)
		if (root_exists(root, boosts[i].path)) {
			f.boost_path = boosts[i].path;
			f.boost_negated = boosts[i].negated;
		}
	*ret_facts = f;
	return NULL;
}

void power_facts_free(struct power_facts *f)
{
	for (size_t i = 0; i < f->n_policies; i++) {
		free(f->policies[i].dir);
		free(f->policies[i].driver);
		strv_free(&f->policies[i].governors);
		strv_free(&f->policies[i].hints);
	}
	free(f->policies);
	free(f->smt);
	*f = (struct power_facts){};
}

static void attr_add(struct steps *out, const char *dir, const char *file, const char *want, const struct strv *has, const char *why)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, file), *all = strv_join(has, ", ");
	struct step *s = steps_add(out, &attr_kind, path, want, why);
	s->optional = true;
	if (!strv_has(has, want))
		s->obstacle = has->n ? tr_fmt("there is only: %s", all) : tr_dup("the driver does not have it");
}

static bool smt_can(const struct power_facts *f)
{
	return streq(f->smt, "on") || streq(f->smt, "off");
}

void power_smt_step(struct steps *out, const struct config *c, const struct power_facts *f)
{
	if (c->host.smt && smt_can(f))
		steps_add(out, &attr_kind, SMT, "off", "[host] smt: a core's second thread takes from the first");
}

void power_steps(struct steps *out, const struct config *c, const struct power_facts *f)
{
	for (size_t i = 0; i < f->n_policies; i++) {
		const struct power_policy *p = &f->policies[i];
		/* the preference first: with the governor at performance, the drivers refuse any other */
		if (c->host.energy)
			attr_add(out, p->dir, "energy_performance_preference", c->host.energy, &p->hints,
				 "the CPU's own clock control as the guest needs it");
		if (c->host.governor)
			attr_add(out, p->dir, "scaling_governor", c->host.governor, &p->governors, "the clock does not wait for load");
	}
	if (c->host.boost != BOOST_KEPT && f->boost_path)
		steps_add(out, &attr_kind, f->boost_path, (c->host.boost == BOOST_ON) != f->boost_negated ? "1" : "0", "[host] boost")
			->optional = true;
	if (!c->host.has_halt_poll)
		return;
	cleanup_free char *want = str_fmt("%u", c->host.halt_poll_ns);
	struct step *s = steps_add(out, &attr_kind, HALT_POLL, want, "how long KVM spins before a vCPU sleeps");
	s->optional = true;
	if (!f->halt_poll)
		s->obstacle = tr_dup("the kvm module is not loaded");
}

/* One finding for all policies that lack what is wanted: they are of one driver nearly always. */
static void check_words(struct findings *out, const struct power_facts *f, const char *want, const char *what, bool hints)
{
	for (size_t i = 0; want && i < f->n_policies; i++) {
		const struct power_policy *p = &f->policies[i];
		const struct strv *has = hints ? &p->hints : &p->governors;
		if (strv_has(has, want))
			continue;
		cleanup_free char *all = has->n ? strv_join(has, ", ") : str_dup("none");
		findings_add(out, FINDING_WARN, "power", tr_fmt("%s has no %s \"%s\"; it has: %s", p->driver, what, want, all),
			     tr_fmt("choose one of these, or leave the key out"));
		return;
	}
}

void power_check(struct findings *out, const struct config *c, const struct power_facts *f)
{
	if ((c->host.governor || c->host.energy) && f->n_policies == 0)
		findings_add(out, FINDING_WARN, "power", tr_dup("this host has no cpufreq: its clocks stay as they are"), NULL);
	if (c->host.boost != BOOST_KEPT && !f->boost_path)
		findings_add(out, FINDING_WARN, "power", tr_dup("the kernel cannot turn this processor's boost on or off"),
			     tr_dup("the firmware's setup may (\"Core Performance Boost\", \"Turbo\"); or leave the key out"));
	if (c->host.smt && !smt_can(f) && !streq(f->smt, "forceoff"))
		findings_add(out, FINDING_WARN, "smt",
			     tr_dup("this processor, or this kernel, has no second threads that could be turned off"),
			     tr_dup("take smt out of [host]"));
	check_words(out, f, c->host.governor, "governor", false);
	check_words(out, f, c->host.energy, "energy_performance_preference", true);
}
