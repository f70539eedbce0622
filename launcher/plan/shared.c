/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shared: see shared.h. */
#include "launcher/plan/shared.h"

/* Whether a machine, living or not, has it in its journal that the device's virtual functions go with it. */
static bool has_virtual(struct step_env *env, const char *base, const char *vm, const char *device)
{
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	cleanup_err struct err *e = journal_read(env, base, vm, &steps, &info);
	for (size_t i = 0; !e && i < steps.n; i++)
		if (steps.v[i].kind == &pci_virtual_kind && streq(steps.v[i].target, device))
			return true;
	return false;
}

void shared_virtual(struct step_env *env, const char *base, struct pci_facts *f, const char *self)
{
	cleanup_strv struct strv vms = {};
	bool any = false;
	for (size_t i = 0; i < f->n_picks; i++)
		any |= f->picks[i].conf->has_vf && !f->picks[i].problem && !f->picks[i].make;
	if (any)
		err_free(journal_list(env->root, base, &vms));
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < vms.n; k++)
			if (f->picks[i].conf->has_vf && !f->picks[i].problem && !streq(vms.v[k], self))
				f->picks[i].shared |= has_virtual(env, base, vms.v[k], pci_addr_text(f->picks[i].parent).s);
}
