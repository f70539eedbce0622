/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tuning: what people's start scripts do to the host by sysctl, by parameters of KVM and by systemctl, for as long as the guest runs: [host]
 * sysctl, kvm and stop. Makes steps of the kinds "attr" and "unit", which are put back like all others; writes nothing itself.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

/* To come before the steps of PCI devices: a service may hold one. */
void tuning_stop_steps(struct steps *out, const struct config *c, struct root *root);
/* The kernel's settings; one that this kernel has not is left out with a finding. */
void tuning_steps(struct steps *out, const struct config *c, struct root *root);
void tuning_findings(struct findings *out, const struct config *c, struct root *root);
