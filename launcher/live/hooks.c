/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks: see hooks.h. */
#include <poll.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/live/hooks.h"

#define GRACE_MS 2000

/* What a script may want to know; the names are a contract. */
static void facts(const struct machine *m, const char *name, struct strv *env)
{
	const struct plan *p = m->plan;
	cleanup_free char *guest = cpus_format(&p->cpu.guest), *host = cpus_format(&p->cpu.host);
	cleanup_strv struct strv devices = {};
	for (size_t i = 0; i < p->pci.n_picks; i++)
		for (size_t k = 0; k < p->pci.picks[i].n; k++)
			strv_add(&devices, pci_addr_text(p->pci.picks[i].v[k].addr).s);
	cleanup_free char *pci = strv_join(&devices, " ");
	strv_addf(env, "QLAUNCH_HOOK=%s", name);
	strv_addf(env, "QLAUNCH_VM=%s", m->name);
	strv_addf(env, "QLAUNCH_CONFIG=%s", p->config->path);
	strv_addf(env, "QLAUNCH_GUEST_CPUS=%s", guest);
	strv_addf(env, "QLAUNCH_HOST_CPUS=%s", host);
	strv_addf(env, "QLAUNCH_PCI=%s", pci);
	strv_addf(env, "QLAUNCH_QEMU_PID=%d", m->qemu.ended ? 0 : (int)m->qemu.id.pid);
	strv_addf(env, "QLAUNCH_RESULT=%s", m->failure ? m->failure : "");
}

struct err *hook_start(struct machine *m, const char *name, const char *path, struct hook *hook)
{
	if (!path)
		return NULL;
	*hook = (struct hook){ .process = PROCESS_INIT, .name = name };
	strv_add(&hook->argv, path);
	user_env(&m->plan->user, &hook->env);
	facts(m, name, &hook->env);
	hook->process.name = name;
	hook->process.argv = hook->argv.v;
	hook->process.env = hook->env.v;
	hook->process.become = geteuid() == 0 ? user_become_data : NULL;
	hook->process.become_data = &m->plan->user;
	struct err *e = process_hold(&hook->process);
	return err_wrap(e ? e : process_release(&hook->process), "hook %s: %s", name, path);
}

struct err *hook_result(struct machine *m, struct hook *hook)
{
	struct process *p = &hook->process;
	const char *path = hook->argv.v[0];
	bool late = p->late || !process_ended(p);
	if (!process_ended(p))
		err_free(process_end(p, GRACE_MS));
	process_listen(p);
	cleanup_free char *words = process_last_words(p, 3), *status = process_status_text(p->status);
	if (late)
		return err_hint(err_new("hook %s: %s did not end within %u s", hook->name, path, m->plan->config->hooks.timeout),
				"hooks.timeout gives it longer");
	if (p->status == 0)
		return NULL;
	return err_new("hook %s: %s ended with %s%s%s", hook->name, path, status, *words ? ": " : "", words);
}

struct err *hook_run(struct machine *m, const char *name, const char *path)
{
	struct hook hook = {};
	bool stopped = false;
	struct err *e = hook_start(m, name, path, &hook);
	if (hook.name && !e) {
		struct pollfd stop = { m->stop_fd, POLLIN, 0 };
		stopped = !process_await(&hook.process, (int)m->plan->config->hooks.timeout * 1000, m->stop_fd) && poll(&stop, 1, 0) > 0;
		e = hook_result(m, &hook);
	}
	hook_close(&hook);
	if (stopped) {
		err_free(e);
		return engine_stopped();
	}
	if (!e || m->plan->config->hooks.failure == HOOK_ABORT)
		return e;
	log_err(LOG_LEVEL_WARN, e);
	return NULL;
}

void hook_close(struct hook *hook)
{
	if (hook->name)
		process_close(&hook->process);
	strv_free(&hook->argv);
	strv_free(&hook->env);
	*hook = (struct hook){};
}
