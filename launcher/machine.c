/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: what `qlaunch status` shows of a running machine, kept beside its journal. */
#include <stdlib.h>
#include <time.h>
#include "launcher/machine.h"

uint64_t machine_now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static json_t *cpu_list(const struct cpus *set)
{
	cleanup_free char *list = cpus_format(set);
	return json_string(list);
}

struct err *machine_status(struct machine *m)
{
	const struct plan *p = m->plan;
	json_t *vcpus = json_array();
	for (size_t i = 0; m->vcpus && i < m->vcpus->n; i++)
		json_array_append_new(vcpus, json_pack("{s:i, s:i, s:i}", "vcpu", (int)i, "thread", (int)m->vcpus->v[i].thread, "cpu",
						       m->vcpus->v[i].cpu));
	json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:s, s:f}", "config", p->config->path, "run-state", m->run_state, "qemu",
			      (int)m->qemu.id.pid, "swtpm", p->tpm_dir ? (int)m->swtpm.id.pid : 0, "vcpus", vcpus, "emulator_cpus",
			      cpu_list(&p->cpu.emulator), "accel", p->accel == ACCEL_KVM ? "kvm" : "tcg", "running_ms",
			      (double)(m->running_us - m->begun_us) / 1000);
	cleanup_free char *text = json_dumps(o, JSON_INDENT(2)), *path = str_fmt("%s/status.json", journal_dir(m->journal));
	json_decref(o);
	return root_put(m->cli->root, path, text, 0644);
}
