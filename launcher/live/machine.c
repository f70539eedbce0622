/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: what `qlaunch status` shows of a running machine, kept beside its journal. */
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/live/machine.h"

#define CONSOLE_LIMIT_MS 10000

struct err *machine_status(struct machine *m)
{
	const struct plan *p = m->plan;
	struct proc_id self = {};
	err_free(proc_id_of(getpid(), &self));
	cleanup_free char *launcher = proc_id_format(self); /* for its user, who may not read the journal */
	cleanup_free char *emulator = cpus_format(&p->cpu.emulator);
	json_t *vcpus = json_array();
	for (size_t i = 0; m->vcpus && i < m->vcpus->n; i++)
		json_array_append_new(vcpus, json_pack("{s:i, s:i, s:i}", "vcpu", (int)i, "thread", (int)m->vcpus->v[i].thread, "cpu",
						       m->vcpus->v[i].cpu));
	json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:i, s:i, s:o, s:s, s:s, s:I, s:f, s:o}", "config", p->config->path, "run-state",
			      m->run_state, "user", (int)p->user.uid, "launcher_process", launcher, "qemu", (int)m->qemu.id.pid, "swtpm",
			      p->tpm_dir ? (int)m->swtpm.id.pid : 0, "vcpus", vcpus, "emulator_cpus", emulator, "accel",
			      p->accel == ACCEL_KVM ? "kvm" : "tcg", "running_since_us", (json_int_t)m->running_us, "running_ms",
			      (double)(m->running_us - m->cli->phases.begun_us) / 1000, "phases_ms", phases_json(&m->cli->phases));
	if (m->console)
		json_object_set_new(o, "console", json_string(m->console));
	cleanup_free char *text = json_dumps(o, JSON_INDENT(2)), *path = str_fmt("%s/status.json", journal_dir(m->journal));
	json_decref(o);
	return root_put(m->cli->root, path, text, 0644);
}

/* "NAME does not run", and what does. */
static struct err *not_running(struct cli *cli, const char *base, const char *vm, const struct strv *vms)
{
	cleanup_strv struct strv alive = {};
	for (size_t i = 0; i < vms->n; i++)
		if (journal_alive(cli->root, base, vms->v[i]))
			strv_add(&alive, vms->v[i]);
	cleanup_free char *list = strv_join(&alive, ", ");
	struct err *e = err_exit(err_new("%s does not run", vm), EXIT_USAGE);
	return alive.n ? err_hint(e, "running: %s", list) : err_hint(e, "nothing runs: qlaunch %s", vm);
}

struct err *machine_find(struct cli *cli, const char *vm, json_t **ret_status)
{
	cleanup_free char *base = journal_base();
	cleanup_strv struct strv vms = {};
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	TRY(journal_list(cli->root, base, &vms));
	if (strv_has(&vms, vm))
		TRY(journal_read(&cli->env, base, vm, &steps, &info));
	if (info.dir && root_is_host(cli->root))
		TRY(journal_is_callers(&info));
	if (!info.dir || (!info.alive && root_is_host(cli->root)))
		return not_running(cli, base, vm, &vms);
	cleanup_free char *path = str_fmt("%s/status.json", info.dir), *text = root_read_or(cli->root, path, "{}");
	json_t *status = json_loads(text, 0, NULL);
	if (!json_object_get(status, "qemu")) { /* there is none before the guest runs */
		json_decref(status);
		return err_exit(err_new("%s has only just begun", vm), EXIT_USAGE);
	}
	*ret_status = status;
	return NULL;
}

struct err *machine_console(struct machine *m)
{
	json_t *list = NULL, *chardev;
	size_t i;
	if (!streq(m->plan->config->console.serial, "pty"))
		return NULL;
	TRY(qmp_call(m->qmp, "query-chardev", NULL, CONSOLE_LIMIT_MS, &list));
	json_array_foreach (list, i, chardev) {
		const char *name = json_string_value(json_object_get(chardev, "filename"));
		if (streq(json_string_value(json_object_get(chardev, "label")), "chr-serial") && name && str_starts(name, "pty:"))
			str_set(&m->console, name + strlen("pty:"));
	}
	json_decref(list);
	return m->console ? NULL : err_new("QEMU has no console \"chr-serial\"");
}
