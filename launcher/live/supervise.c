/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervise: the one event loop, from `cont` to the end of QEMU. It sleeps until a descriptor speaks; what it does of the host, it does by
 * steps. In this order:
 *
 *  1. The loop is made and watches the signals, the ends and words of QEMU, swtpm and the helpers, and the monitor (qmp_loop).
 *  2. The host's sleep is held off (host_sleep), the viewer begun (viewer), the monitors switched (ready).
 *  3. Interrupts and threads are put where they belong as they come; when the guest drives its devices, the `ready` hook runs (settling).
 *  4. Keyboards and mice are followed (inputs), USB devices come and go (usb_plug).
 *  5. It sleeps. Events of QEMU's are in a table below; the first signal presses the power button, the second asks QEMU to quit, the third
 *     kills it.
 *  6. QEMU's end ends the loop, and nothing else does: what 1 to 4 began is ended, last to first, and its end judged.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/trim.h"
#include "launcher/guest/args_disk.h"
#include "launcher/live/host_sleep.h"
#include "launcher/live/inputs.h"
#include "launcher/live/qmp_loop.h"
#include "launcher/live/nospace.h"
#include "launcher/live/nudge.h"
#include "launcher/live/ready.h"
#include "launcher/live/settling.h"
#include "launcher/live/shares.h"
#include "launcher/live/usb_plug.h"
#include "launcher/live/viewer.h"
#include "launcher/live/waiting.h"
#include "launcher/live/zones.h"

#define QMP_LIMIT_MS 10000

static void fail(struct machine *m, const char *words)
{
	if (!m->failure)
		m->failure = tr_dup(words);
}

static void sent(void *data, json_t *value, struct err *e)
{
	struct machine *m = data;
	(void)value;
	if (e && !qmp_closed(m->qmp))
		log_err(LOG_LEVEL_WARN, err_wrap(e, "%s", m->name));
	else
		err_free(e);
}

static void command(struct machine *m, const char *name)
{
	struct err *e = qmp_send(m->qmp, name, NULL, QMP_LIMIT_MS, sent, m);
	log_err(LOG_LEVEL_WARN, err_wrap(e, "%s", m->name));
}

/*
 * First: power button. Second: quit. Third: kill. `qlaunch stop` sends a signal of its own that says which it means; of the others those
 * that come close together are one. A guest that has not begun, or has stopped for good, hears no button.
 */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	struct machine *m = data;
	(void)source;
	bool stop = si->ssi_signo == (uint32_t)STOP_SIGNAL;
	const char *who = stop ? "qlaunch stop" : strsignal((int)si->ssi_signo);
	int meant = stop ? si->ssi_int : 0;
	m->signals = meant > m->signals ? meant : m->signals + 1;
	if (m->signals == 1 && streq(m->run_state, "running")) {
		log_info("%s: %s: pressing the guest's power button; once more to end QEMU", m->name, who);
		command(m, "system_powerdown");
		waiting_begin(m, "waiting for the guest to shut down");
	} else if (m->signals <= 2) {
		log_info("%s: %s: ending QEMU; once more to kill it", m->name, who);
		command(m, "quit");
		m->over = true;
		waiting_begin(m, "waiting for QEMU to end");
	} else {
		log_warn("%s: %s: killing QEMU", m->name, who);
		kill(m->qemu.id.pid, SIGKILL); /* our child, not yet reaped: the pid is its own */
	}
	return 0;
}

/* QEMU's run states that a person should hear of (qapi/run-state.json). A `fatal` one is the end: the guest cannot go on from it. */
static const struct {
	const char *state, *words;
	bool fatal;
} run_states[] = {
	{ "internal-error", N_("KVM or QEMU gave up on the guest (internal error)"), true },
	{ "io-error", N_("paused: its disk cannot be read or written"), false },
	{ "guest-panicked", N_("the guest's kernel panicked"), true },
	{ "watchdog", N_("the guest's watchdog ran out"), false },
	{ "shutdown", N_("shut down"), false },
	{ "paused", N_("paused"), false },
	{ "suspended", N_("the guest sleeps (wake it with its keyboard or: qlaunch stop)"), false },
	{ "running", NULL, false },
	{ "prelaunch", NULL, false },
};

static void enter_state(struct machine *m, const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(run_states); i++) {
		if (!streq(run_states[i].state, state) || streq(m->run_state, state))
			continue;
		bool resumed = !streq(m->run_state, "prelaunch") && streq(state, "running");
		m->run_state = run_states[i].state;
		if (run_states[i].fatal) {
			fail(m, run_states[i].words);
			command(m, "quit");
		} else if (run_states[i].words) {
			log_info("%s: %s", m->name, tr(run_states[i].words));
		} else if (resumed) {
			m->over = false; /* QEMU was told by its user to stay when a guest shuts down, and this one was reset */
			log_info("%s: goes on", m->name);
		}
		log_err(LOG_LEVEL_DEBUG, machine_status(m));
	}
}

static void on_state(void *data, json_t *value, struct err *e)
{
	struct machine *m = data;
	const char *state = json_string_value(json_object_get(value, "status"));
	err_free(e); /* a monitor that closed has its own end */
	if (state)
		enter_state(m, state);
}

static void on_stop_or_resume(struct machine *m, const json_t *event)
{
	(void)event;
	err_free(qmp_send(m->qmp, "query-status", NULL, QMP_LIMIT_MS, on_state, m));
}

static void on_panic(struct machine *m, const json_t *event)
{
	const char *action = json_string_value(json_object_get(event, "action"));
	log_warn("%s: the guest's kernel panicked (%s)", m->name, action ? action : "?");
	fail(m, N_("the guest's kernel panicked"));
}

static const struct disk *disk_of(const struct machine *m, const char *node)
{
	for (size_t i = 0; i < m->plan->disks.n_disks; i++) {
		cleanup_free char *name = disk_node_name(&m->plan->disks.v[i]);
		if (streq(name, node))
			return &m->plan->disks.v[i];
	}
	return NULL;
}

static void on_block_error(struct machine *m, const json_t *event)
{
	const char *node = json_string_value(json_object_get(event, "node-name")),
		   *op = json_string_value(json_object_get(event, "operation")),
		   *reason = json_string_value(json_object_get(event, "reason"));
	bool full = json_is_true(json_object_get(event, "nospace")),
	     stopped = streq(json_string_value(json_object_get(event, "action")), "stop");
	const struct disk *disk = disk_of(m, node);
	const char *why = full ? _("no space left on its file system") : reason ? reason : _("it cannot be written to");
	if (disk && stopped)
		nospace_wait(m, disk, why, full);
	else
		log_warn("%s: disk %s: a %s failed: %s%s", m->name, node && *node ? node : "?", op ? op : _("request"), why,
			 stopped ? _("; the guest is paused and loses nothing") : "");
}

static void on_shutdown(struct machine *m, const json_t *event)
{
	const char *reason = json_string_value(json_object_get(event, "reason"));
	log_debug("%s: shutdown: %s", m->name, reason ? reason : "?");
	m->over = true;
}

static void on_reset(struct machine *m, const json_t *event)
{
	(void)event;
	settling_again(m->settling);
}

static const struct {
	const char *name;
	void (*fn)(struct machine *m, const json_t *event);
} events[] = {
	{ "STOP", on_stop_or_resume },	      { "RESUME", on_stop_or_resume }, { "SUSPEND", on_stop_or_resume },
	{ "WAKEUP", on_stop_or_resume },      { "GUEST_PANICKED", on_panic }, { "GUEST_CRASHLOADED", on_panic },
	{ "BLOCK_IO_ERROR", on_block_error }, { "SHUTDOWN", on_shutdown },   { "RESET", on_reset },
};

static void on_event(void *data, const char *name, const json_t *event)
{
	log_debug("qemu: %s", name);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (streq(events[i].name, name))
			events[i].fn(data, event);
}

/* QEMU is the measure: when it has ended, so has the loop. */
static void on_qemu_end(struct process *qemu, void *data)
{
	struct machine *m = data;
	(void)qemu;
	monitor_drain(m);
	sd_event_exit(m->event, 0);
}

static void on_swtpm_end(struct process *swtpm, void *data)
{
	struct machine *m = data;
	if (swtpm->status == 0 || m->over || process_ended(&m->qemu))
		return;
	cleanup_free char *words = process_last_words(swtpm, 3);
	log_warn("%s: the TPM (swtpm) died; the guest runs on without it: %s", m->name, words);
}

static void on_broken(struct machine *m, struct err *e)
{
	log_err(LOG_LEVEL_ERROR, err_wrap(e, "%s: monitor", m->name));
	fail(m, N_("its monitor (QMP) broke"));
	kill(m->qemu.id.pid, SIGTERM);
}

static int watch(struct machine *m)
{
	const int ends[] = { SIGINT, SIGTERM, SIGHUP, STOP_SIGNAL };
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ends) && r >= 0; i++)
		r = sd_event_add_signal(m->event, NULL, ends[i], on_signal, m);
	if (r >= 0)
		r = process_watch(&m->qemu, m->event, 0, on_qemu_end, m);
	if (r >= 0)
		r = process_watch(&m->swtpm, m->event, 0, on_swtpm_end, m);
	if (r >= 0)
		r = helpers_watch(&m->net_helpers, m->event);
	if (r >= 0)
		r = helpers_watch(&m->share_helpers, m->event);
	return r;
}

/* What QEMU's end means. A crash of QEMU's own when the guest is over takes nothing from anybody but a word; an exit status is meant. */
static struct err *verdict(struct machine *m)
{
	process_listen(&m->qemu);
	if (m->failure)
		return err_exit(err_new("%s: %s", m->name, m->failure), EXIT_GUEST);
	if (m->qemu.status == 0 || m->signals >= 3)
		return NULL;
	cleanup_free char *how = process_status_text(m->qemu.status), *words = process_last_words(&m->qemu, 5);
	if (m->over && WIFSIGNALED(m->qemu.status)) {
		log_warn("%s: the guest was over, then QEMU itself crashed: %s%s%s", m->name, how, *words ? ": " : "", words);
		return NULL;
	}
	return err_exit(err_new("%s: QEMU ended with %s%s%s", m->name, how, *words ? ": " : "", words), EXIT_GUEST);
}

struct err *supervise(struct machine *m)
{
	qmp_on_event(m->qmp, on_event, m);
	/* not before the guest runs: this is what loads libsystemd, beside a QEMU that starts */
	int r = sd_event_new(&m->event);
	if (r >= 0)
		r = watch(m);
	if (r < 0)
		return err_errno(-r, "event loop");
	TRY(monitor_watch(m, on_broken));
	m->host_sleep = host_sleep_begin(m);
	viewer_begin(m);
	m->ready = ready_begin(m);
	m->settling = settling_begin(m);
	log_err(LOG_LEVEL_WARN, err_wrap(inputs_watch(m->inputs), "%s: input", m->name));
	m->nudge = nudge_begin(m);
	usb_begin(m);
	m->zones = zones_begin(m);
	trim_memory(); /* last of all: from here on it sleeps */
	r = sd_event_loop(m->event);
	waiting_end(m);
	zones_end(steal(m->zones));
	usb_end(steal(m->usb));
	nudge_end(steal(m->nudge));
	settling_end(steal(m->settling)); /* a RESET that comes on the way back finds none */
	ready_end(steal(m->ready));
	host_sleep_end(steal(m->host_sleep));
	return r < 0 ? err_errno(-r, "event loop") : verdict(m);
}
