/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure_agent: a run through the guest's agent. The guest needs nothing but qemu-ga: bench-guest (in Windows its script) is put there by
 * guest-file-write, workloads are run by guest-exec, and files that they write are fetched by guest-file-read. Commands of QEMU's
 * docs/interop/qemu-ga-ref.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/bench/measure_agent.h"
#include "launcher/bench/meeting.h"
#include "launcher/bench/records.h"
#include "launcher/config/config.h"
#include "qmp/agent.h"
#include "qmp/line.h"

#define CALL_LIMIT_MS 20000
#define PING_FIRST_MS 250
#define PING_LAST_MS 4000
#define FILE_MAX ((size_t)64 << 20)
#define PROGRAM_MAX ((size_t)8 << 20)

/* How this kind of guest is spoken to. */
struct guest_kind {
	const char *program;     /* where ours is put */
	const char *const *call; /* before the workload's name */
};
static const char *const linux_call[] = { "/tmp/qlaunch-bench-guest", NULL };
static const char *const windows_call[] = { "powershell.exe", "-NoProfile",	"-NonInteractive", "-ExecutionPolicy",
					    "Bypass",	      "-File", "C:\\Windows\\Temp\\qlaunch-bench.ps1", NULL };
static const struct guest_kind linux_guest = { "/tmp/qlaunch-bench-guest", linux_call };
static const struct guest_kind windows_guest = { "C:\\Windows\\Temp\\qlaunch-bench.ps1", windows_call };

/* QEMU runs as the user of the configuration. */
static struct err *meet(struct bench_machine *b, const struct bench_variant *v, struct meeting *m)
{
	cleanup_config struct config *c = NULL;
	cleanup_user struct user user = {};
	TRY(config_load(b->plan->config, &v->sets, &c));
	TRY(user_find(c->vm.user, &user));
	return meeting_begin(m, &user, b->name);
}

static struct err *late(const struct bench_machine *b, const char *what)
{
	return err_hint(err_new("%s within %u s", what, b->plan->limit_s), "is qemu-ga in the guest, and does it start at boot? limit in [bench]");
}

static int left_ms(const struct bench_machine *b, int most)
{
	int64_t left = b->until - clock_ms();
	return left <= 0 ? 1 : left < most ? (int)left : most;
}

static struct err *await_qemu(struct bench_machine *b, int listening, int *ret_fd)
{
	while (!b->launcher.ended && clock_ms() < b->until) {
		if (!program_wait(&b->launcher, listening, b->until))
			continue;
		*ret_fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		return *ret_fd < 0 ? err_errno(errno, "accept") : NULL;
	}
	if (!b->launcher.ended)
		return late(b, "QEMU did not come");
	struct err *e = program_result(&b->launcher);
	return e ? e : err_new("the guest ended before its agent came");
}

/* Until the agent answers, or the launcher ends. */
static struct err *await_agent(struct bench_machine *b, struct agent *agent)
{
	int limit = PING_FIRST_MS;
	while (!b->launcher.ended && clock_ms() < b->until) {
		cleanup_err struct err *e = agent_ping(agent, left_ms(b, limit));
		if (!e)
			return NULL;
		program_wait(&b->launcher, -1, clock_ms() + (err_code(e) == ETIMEDOUT ? 0 : PING_FIRST_MS));
		limit = limit * 2 < PING_LAST_MS ? limit * 2 : PING_LAST_MS;
	}
	if (!b->launcher.ended)
		return late(b, "the guest's agent did not answer");
	struct err *e = program_result(&b->launcher);
	return e ? e : err_new("the guest ended before its agent answered");
}

static struct err *exec_in(struct bench_machine *b, struct agent *agent, const struct strv *argv, struct sb *ret_said)
{
	cleanup_agent_output struct agent_output o = {};
	TRY(agent_exec(agent, (const char *const *)argv->v, left_ms(b, INT32_MAX), &o));
	cleanup_free char *why = str_printable(o.err.s ? str_trim(o.err.s) : "");
	if (o.status || o.signal)
		return err_new("%s in the guest: exit status %d, signal %d: %.400s", argv->v[0], o.status, o.signal, why);
	if (o.truncated)
		return err_hint(err_new("%s in the guest says too much", argv->v[0]), "let it write a file, and name that: file = PATH");
	*ret_said = o.out;
	o.out = (struct sb){};
	return NULL;
}

/* Whether it is Windows: guest-get-osinfo is of qemu-ga 2.10. */
static struct err *kind_of(struct agent *agent, const struct guest_kind **ret_kind)
{
	json_t *value = NULL;
	TRY(agent_call(agent, "guest-get-osinfo", NULL, CALL_LIMIT_MS, &value));
	const char *id = json_string_value(json_object_get(value, "id"));
	*ret_kind = streq(id, "mswindows") ? &windows_guest : &linux_guest;
	json_decref(value);
	return NULL;
}

static struct err *put_program(struct bench_machine *b, struct agent *agent, const struct guest_kind *kind)
{
	cleanup_strv struct strv argv = {};
	cleanup_sb struct sb bytes = {}, said = {};
	cleanup_free char *path = kind == &windows_guest ? str_fmt("%s.ps1", b->plan->guest) : str_dup(b->plan->guest);
	cleanup_fd int fd = -1;
	TRY(root_open_fd(b->root, path, O_RDONLY | O_NONBLOCK, &fd));
	char buf[65536];
	for (ssize_t n; (n = read(fd, buf, sizeof(buf))) != 0;) {
		if (n < 0 || bytes.len > PROGRAM_MAX)
			return err_errno(n < 0 ? errno : EFBIG, "%s", path);
		sb_addn(&bytes, buf, (size_t)n);
	}
	TRY(agent_write(agent, kind->program, bytes.s, bytes.len, left_ms(b, INT32_MAX)));
	if (kind == &windows_guest)
		return NULL;
	strv_add(&argv, "chmod");
	strv_add(&argv, "0700");
	strv_add(&argv, kind->program);
	return exec_in(b, agent, &argv, &said);
}

static struct err *run_own(struct bench_machine *b, struct agent *agent, const struct guest_kind *kind, const char *workload)
{
	cleanup_strv struct strv argv = {};
	cleanup_sb struct sb said = {};
	json_t *metrics = NULL;
	for (size_t i = 0; kind->call[i]; i++)
		strv_add(&argv, kind->call[i]);
	strv_add(&argv, workload);
	TRY(exec_in(b, agent, &argv, &said));
	TRY(records_metrics(said.s ? said.s : "", b->m->about, &metrics));
	measured_add(b->m, metrics);
	return NULL;
}

static unsigned cpus_of(struct agent *agent)
{
	json_t *vcpus = NULL;
	cleanup_err struct err *none = agent_call(agent, "guest-get-vcpus", NULL, CALL_LIMIT_MS, &vcpus);
	unsigned n = none ? 1 : (unsigned)json_array_size(vcpus);
	json_decref(vcpus);
	return n ? n : 1;
}

static struct err *run_other(struct bench_machine *b, struct agent *agent, const struct bench_workload *w)
{
	cleanup_strv struct strv argv = {};
	cleanup_sb struct sb said = {}, written = {};
	if (w->command) {
		TRY(adapter_words(w->command, cpus_of(agent), &argv));
		TRY(err_hint(exec_in(b, agent, &argv, &said), "in the guest: %s", w->adapter->needs));
	}
	if (w->file)
		TRY(agent_read(agent, w->file, FILE_MAX, left_ms(b, INT32_MAX), &written));
	const struct sb *text = w->file ? &written : &said;
	struct adapter_job job = { w->name, w->program, b->m->metrics, b->m->about };
	if (w->command)
		adapter_about(&job, "command", w->command);
	return adapter_parse(w->adapter, &job, text->s ? text->s : "");
}

/* The kernel's clock is in the answer, how long ago it answered is in ours. */
static struct err *measure_boot(struct bench_machine *b, struct agent *agent, const struct guest_kind *kind, double answered)
{
	TRY(run_own(b, agent, kind, "boot"));
	double up = json_number_value(json_array_get(json_object_get(json_object_get(b->m->metrics, "boot.uptime"), "v"), 0));
	double kernel = (double)clock_ms() - up;
	json_object_del(b->m->metrics, "boot.uptime");
	machine_boot(b, kernel, "boot.system", answered - kernel);
	return NULL;
}

static struct err *run_workloads(struct bench_machine *b, struct agent *agent)
{
	const struct guest_kind *kind;
	double answered = (double)clock_ms();
	TRY(kind_of(agent, &kind));
	TRY(err_wrap(put_program(b, agent, kind), "bench-guest"));
	if (strv_has(&b->plan->words, "boot"))
		TRY(measure_boot(b, agent, kind, answered));
	for (size_t i = 0; i < b->plan->n_workloads; i++) {
		const struct bench_workload *w = &b->plan->workloads[i];
		if (streq(w->name, "boot"))
			continue;
		progress_tick();
		TRY(err_wrap(w->adapter ? run_other(b, agent, w) : run_own(b, agent, kind, w->name), "workload %s", w->name));
		machine_look(b);
	}
	return NULL;
}

struct err *measure_by_agent(struct bench_machine *b, const struct bench_variant *v)
{
	cleanup_meeting struct meeting meeting = MEETING_INIT(b->root);
	cleanup_strv struct strv more = {};
	cleanup_agent struct agent *agent = NULL;
	int fd = -1;
	TRY(meet(b, v, &meeting));
	strv_addf(&more, "--set=console.agent=%s", meeting.path);
	strv_add(&more, "--set=console.serial=none"); /* nobody here reads it */
	TRY(machine_begin(b, v, &more));
	TRY(await_qemu(b, meeting.fd, &fd));
	agent = agent_new(fd);
	TRY(await_agent(b, agent));
	TRY(run_workloads(b, agent));
	machine_look(b);
	/* it has no answer: the guest goes down */
	err_free(agent_call(agent, "guest-shutdown", json_pack("{s:s}", "mode", "powerdown"), 1000, NULL));
	if (!program_wait_end(&b->launcher, b->until))
		return late(b, "the guest did not power off");
	return program_result(&b->launcher);
}
