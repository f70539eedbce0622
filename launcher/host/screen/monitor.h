/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor: which input a monitor shows, asked and set over DDC/CI (VESA MCCS, VCP feature 0x60) by libddcutil.
 *
 * libddcutil can hang on a bad monitor or bus, and brings GLib along: it is loaded in a forked child with a time limit,
 * never in the launcher. It opens /dev/i2c-N, which belongs to root or to the group i2c.
 *
 * What monitors do, and what is made of it: many answer only on the cable whose input they show, so that one that shows
 * the guest is silent here; some advertise other values than they take. Everything they say is untrusted text.
 */
#pragma once
#include <stdint.h>
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

#define MONITORS_MAX 16
#define MONITOR_INPUTS_MAX 24

struct monitor {
	int bus;            /* N of /dev/i2c-N; -1 for one that is asked over USB */
	char name[40];      /* maker's letters and model: "AUS ROG PG279Q" */
	char serial[16];    /* as it says; may be empty */
	char connector[16]; /* of the card that it is plugged into, as the kernel calls it: "DP-2"; empty where that is not known */
	int input;          /* what it reads for VCP 0x60, 0 to 65535; not with every monitor what it shows; -1: it does not answer */
	uint8_t inputs[MONITOR_INPUTS_MAX]; /* that it advertises; not all that it takes, not all of them real */
	size_t n_inputs;
};
struct monitors {
	struct monitor v[MONITORS_MAX];
	size_t n;
};

/* All that are connected. `inputs`: asks for what they advertise, too, which takes a second each. */
struct err *monitors_read(struct root *root, bool inputs, struct monitors *ret_monitors);
/* The one that is plugged in at the connector `match` ("DP-2") or on that bus ("i2c-5"), or else whose name or serial number has it in it, in
 * any case; an error where none or several have. */
struct err *monitor_find(const struct monitors *all, const char *match, const struct monitor **ret_monitor);
/* Fills in the connectors, by /sys/class/drm. */
void monitors_connectors(struct root *root, struct monitors *all);
/* What is its own alone: name, serial number, connector or bus, printable. Owned by the caller. */
char *monitor_match(const struct monitors *all, const struct monitor *m);
/* What a launch of this machine will find: no bus to ask its monitors by is a warning, for it runs all the same. */
void monitor_findings(struct findings *out, const struct config *c, struct root *root);
/*
 * Switches it. *ret_silent: it took the value and does not answer since: it answers only on the input that it shows. What it reads
 * afterwards is worth a logged warning and no more: many read 0, another input or a maker's value, and show what was written.
 */
struct err *monitor_switch(struct root *root, const char *match, unsigned input, bool *ret_silent);

#define MONITOR_TRY_SECONDS 5
/*
 * Switches it to `input` for so long, and then to `back`; what happened is logged. EXIT_RESIDUE where it did not come back.
 * A signal ends the trial, not the process.
 */
struct err *monitor_try(struct root *root, const char *match, unsigned input, unsigned back);

/* The values after "60(" of a capabilities string, such as "(prot(monitor)vcp(10 60(0F 12)))". Pure. */
void monitor_parse_inputs(const char *capabilities, struct monitor *m);
/* "DisplayPort 1" of 0x0f (MCCS 2.2a, feature 0x60); NULL for a value without a name. */
const char *monitor_input_name(unsigned input);
/* "0x0f (DisplayPort 1)", "0x77". Owned by the caller. */
char *monitor_input_text(unsigned input);
/* Whether what a monitor reads can be an input to come back to: 0 and what is above 255 tell nothing, or a maker's own. */
bool monitor_input_usable(int input);
/* "0x0f" or "15"; up to 0xffff, for some take two bytes. */
struct err *monitor_input_parse(const char *text, unsigned *ret_input);

/*
 * Kind "monitor-input": target the match, want "0x0f", or "0x0f, then 0x12" where the way back is not to what was found
 * but to a given value. Values "0x0f", and "silent" for one that does not answer.
 */
extern const struct step_kind monitor_kind;
/* For step->data: a buffer that two processes share gets what was there before, or stays empty if nothing was done. */
#define MONITOR_PRIOR_MAX 16
/* A late step. `back`: 0 for what was found. */
struct step *monitor_step(struct steps *out, const char *match, unsigned input, unsigned back);
