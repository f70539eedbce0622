/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rate: two samples of a machine → what happens in it per second, and that as text and as JSON. Pure.
 * A figure that is not known is RATE_NONE: "-" in the text, null in JSON.
 */
#pragma once
#include <math.h>
#include "launcher/top/sample.h"

#define RATE_NONE ((double)NAN)

struct vcpu_rate {
	int vcpu, cpu, ran_on; /* cpu, ran_on: -1 where not known */
	double usage;          /* share of the time that it was on a CPU: 0..1 */
	double delay;          /* seconds a second that it waited for one */
	double others;         /* share of the time that its CPU ran anything but this machine's vCPUs */
	double steal;          /* share of the time that was taken from its CPU from outside this host */
	double exits;          /* a second */
	double irqs[IRQ_CLASSES];
};
struct disk_rate {
	const char *name;
	double bytes[2], requests[2], seconds[2]; /* a second; seconds: the mean that one request took, RATE_NONE where there was none */
};
struct net_rate {
	const char *name, *link;
	double bytes[2], packets[2], dropped;
};
struct rates {
	const struct top_machine *machine;
	const struct sample *now; /* what has no rate is in there: memory, and what is missing */
	double seconds;           /* between the samples */
	struct vcpu_rate *vcpus;
	size_t n_vcpus;
	double exits[EXITS_KINDS];
	struct disk_rate *disks;
	size_t n_disks;
	struct net_rate *nets;
	size_t n_nets;
};
void rates_free(struct rates *r);
#define cleanup_rates cleanup(rates_free)

/* hz: ticks a second of cpu_count. Both samples are borrowed as long as the rates live. A disk or network that was not there before has
 * none. */
void rates_make(const struct top_machine *m, const struct sample *before, const struct sample *now, long hz, struct rates *ret_rates);

/* The form is described in qlaunch(1). Owned by the caller. */
json_t *rates_json(const struct rates *r);
/* For a person: lines of at most 79 columns, with colours where asked. */
void rates_text(const struct rates *r, bool colours, struct strv *lines);
