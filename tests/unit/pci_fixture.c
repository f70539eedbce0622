/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_fixture: see pci_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/log.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/kind/module.h"
#include "launcher/host/kind/node.h"
#include "tests/unit/pci_fixture.h"

static const struct step_kind *const kinds[] = { &pci_driver_kind,  &pci_bar_kind,    &attr_kind,          &node_kind, &module_kind,
						 &pci_virtual_kind, &pci_rescan_kind, &module_unload_kind, &pci_rom_kind, NULL };

void pci_must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

void pci_begin(struct pci_fixture *f)
{
	*f = (struct pci_fixture){ .fake = fake_new() };
	log_set_level(LOG_LEVEL_ERROR);
	fake_host(f->fake);
	f->env = (struct step_env){ f->fake->root, kinds };
	f->config = (struct config){ .path = (char *)"vm.conf", .pci = f->pci, .n_pci = 1 };
	f->pci[0] = (struct conf_pci){ .name = (char *)"gpu", .has_address = true };
	pci_must(pci_addr_parse("01:00.0", &f->pci[0].address));
}

void pci_plan(struct pci_fixture *f)
{
	pci_must(pci_facts_read(f->fake->root, &f->config, &f->facts));
	pci_steps(&f->steps, &f->config, &f->facts, 1000, 1001);
	steps_probe(&f->env, &f->steps);
}

struct err *pci_launch(struct pci_fixture *f)
{
	f->before = fake_snapshot(f->fake);
	pci_must(journal_create(f->fake->root, "/run/qlaunch", "vm", 0, NULL, &f->journal));
	struct engine engine = { .env = &f->env, .journal = f->journal };
	return engine_apply(&engine, &f->steps);
}

void pci_give_back(struct pci_fixture *f)
{
	struct undo_report report = engine_undo(&f->env, &f->steps);
	assert_int_equal(report.residue, 0);
	pci_must(journal_remove(f->journal));
	cleanup_free char *after = fake_snapshot(f->fake), *difference = fake_difference(f->before, after);
	if (difference)
		fail_msg("%s", difference);
}

void pci_end(struct pci_fixture *f)
{
	journal_close(f->journal);
	steps_free(&f->steps);
	pci_facts_free(&f->facts);
	fake_free(f->fake);
	free(f->before);
}

char *pci_told(const struct pci_fixture *f)
{
	struct sb sb = {};
	for (size_t i = 0; i < f->steps.n; i++)
		sb_addf(&sb, "%s %s %s: %s\n", f->steps.v[i].kind->name, f->steps.v[i].target, f->steps.v[i].want, f->steps.v[i].now);
	return sb_steal(&sb);
}

bool pci_has_finding(struct pci_fixture *f, enum verdict verdict, const char *topic, const char *text)
{
	struct findings found = {};
	bool has = false;
	pci_facts_free(&f->facts);
	pci_must(pci_facts_read(f->fake->root, &f->config, &f->facts));
	pci_findings(&found, &f->config, &f->facts, f->fake->root);
	for (size_t i = 0; i < found.n; i++)
		has |= found.v[i].verdict == verdict && streq(found.v[i].topic, topic) &&
		       (strstr(found.v[i].text, text) || (found.v[i].remedy && strstr(found.v[i].remedy, text)));
	findings_free(&found);
	return has;
}
