/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_fixture: PCI devices of a configuration on a fake kernel, for the tests of them. */
#pragma once
#include "launcher/host/pci/pci.h"
#include "launcher/step/engine.h"
#include "tests/unit/fakekernel.h"

#define GPU   "/sys/bus/pci/devices/0000:01:00.0"
#define SOUND "/sys/bus/pci/devices/0000:01:00.1"

struct pci_fixture {
	struct fake *fake;
	struct step_env env;
	struct config config;
	struct conf_pci pci[2];
	struct pci_facts facts;
	struct steps steps;
	struct journal *journal;
	char *before;
};

/* Fails the test. Owned by it. */
void pci_must(struct err *e);
/* The fake host, and a configuration that passes 01:00.0. */
void pci_begin(struct pci_fixture *f);
/* The facts, and the steps that they make. */
void pci_plan(struct pci_fixture *f);
/* All steps, journaled. */
struct err *pci_launch(struct pci_fixture *f);
/* Undoes all; the tree must be as before the launch. */
void pci_give_back(struct pci_fixture *f);
void pci_end(struct pci_fixture *f);
/* "KIND TARGET WANT: NOW" of every step, a line each. Owned by the caller. */
char *pci_told(const struct pci_fixture *f);
/* Whether one of that topic and verdict has this in its text. */
bool pci_has_finding(struct pci_fixture *f, enum verdict verdict, const char *topic, const char *text);
