/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * power: the guest's CPUs at the clock that is wanted (Documentation/admin-guide/pm/cpufreq.rst, amd-pstate.rst,
 * intel_pstate.rst), and how long KVM polls before a vCPU sleeps. Makes "attr" steps, all optional: a guest runs on
 * slow clocks too. Writes nothing itself.
 */
#pragma once
#include "launcher/base/num.h"
#include "launcher/base/sd.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

/* What shares one clock. */
struct power_policy {
	char *dir;                    /* ".../cpu8/cpufreq": of its first CPU that is the guest's */
	char *driver;                 /* "amd-pstate-epp" */
	struct strv governors, hints; /* that it has; hints: values of energy_performance_preference, none without it */
};
struct power_facts {
	struct power_policy *policies; /* of the guest's CPUs, each once */
	size_t n_policies;
	const char *boost_path; /* the file that turns boosting on and off; NULL: there is none. Static */
	bool boost_negated;     /* it says 1 for off */
	char *smt;              /* what /sys/devices/system/cpu/smt/control says; NULL: there is none */
	bool halt_poll;         /* KVM is loaded and takes halt_poll_ns */
};

/* Governors of the CPUs in `guest`, and what else of power the configuration asks for. Owned by the caller. */
struct err *power_facts_read(struct root *root, const struct config *c, const struct cpus *guest, struct power_facts *ret_facts);
void power_facts_free(struct power_facts *f);
#define cleanup_power_facts cleanup(power_facts_free)

/*
 * The power profile (power_profile.c). Kind "power-profile": target the service that has it, values names of profiles. power-profiles-daemon, and
 * what speaks as it does, holds it for as long as a connection is open, of which `data` is the place (sd_bus **): it ends with the launcher,
 * however that ends. tuned has no such thing: there it is set, and set back.
 */
extern const struct step_kind power_profile_kind;
/* Adds the step where such a service runs; none is started. `bus`: where the connection is kept, borrowed; closed by its owner. */
void power_profile_step(struct steps *out, const struct config *c, struct root *root, sd_bus **bus);
void power_profile_findings(struct findings *out, const struct config *c, struct root *root);

/* The steps that set them; and what speaks against it, as findings. */
/* `smt`: to come before all that CPUs are given to. */
void power_smt_step(struct steps *out, const struct config *c, const struct power_facts *f);
void power_steps(struct steps *out, const struct config *c, const struct power_facts *f);
void power_check(struct findings *out, const struct config *c, const struct power_facts *f);
