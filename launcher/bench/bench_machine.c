/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_machine: see bench_machine.h. */
#include <stdlib.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/tree.h"
#include "launcher/bench/bench_machine.h"
#include "launcher/bench/fingerprint.h"
#include "launcher/step/journal.h"

#define SELF "/proc/self/exe"
#define RESTORE_LIMIT_MS 60000
#define STOP_GRACE_MS 30000

void measured_add(struct measured *m, json_t *from)
{
	json_object_update(m->metrics, from);
	json_decref(from);
}

/* status.json of the machine, or NULL while it is not there. Owned. */
static json_t *status_of(const struct bench_machine *b)
{
	cleanup_free char *base = journal_base(), *path = str_fmt("%s/%s/status.json", base, b->name);
	cleanup_free char *text = root_read_or(b->root, path, "");
	return json_loads(text, 0, NULL);
}

struct err *machine_begin(struct bench_machine *b, const struct bench_variant *v, const struct strv *more)
{
	cleanup_strv struct strv argv = {};
	strv_add(&argv, SELF);
	strv_add(&argv, "run");
	strv_add(&argv, "--quiet");
	strv_addf(&argv, "--set=vm.name=%s", b->name);
	for (size_t i = 0; i < more->n; i++)
		strv_add(&argv, more->v[i]);
	for (size_t i = 0; i < v->sets.n; i++)
		strv_addf(&argv, "--set=%s", v->sets.v[i]);
	strv_add(&argv, b->plan->config);
	b->launcher.launcher = true;
	b->begun = clock_ms();
	b->until = b->begun + (int64_t)b->plan->limit_s * 1000;
	return program_start(&b->launcher, (const char *const *)argv.v);
}

void machine_look(struct bench_machine *b)
{
	json_t *status = status_of(b);
	pid_t qemu = (pid_t)json_integer_value(json_object_get(status, "qemu"));
	if (qemu > 0) {
		json_decref(b->m->run);
		b->m->run = fingerprint_run(b->root, qemu);
	}
	json_decref(status);
}

static void add_ms(struct bench_machine *b, const char *name, double ms)
{
	if (ms > 0)
		json_object_set_new(b->m->metrics, name, json_pack("{s:s, s:s, s:[f]}", "unit", "ms", "better", "less", "v", ms));
}

void machine_boot(struct bench_machine *b, double kernel_ms, const char *phase, double phase_ms)
{
	json_t *status = status_of(b);
	double launch = json_number_value(json_object_get(status, "running_ms"));
	json_decref(status);
	add_ms(b, "boot.launch", launch);
	if (launch > 0)
		add_ms(b, "boot.firmware", kernel_ms - (double)b->begun - launch);
	add_ms(b, phase, phase_ms);
}

/* Its board, UEFI variables and log are of no use to anybody: the next one has another name. */
static void forget(const struct bench_machine *b)
{
	cleanup_free char *home = program_data_dir() ? str_fmt("%s/qlaunch/%s", program_data_dir(), b->name) : NULL;
	if (home)
		log_err(LOG_LEVEL_WARN, tree_remove(b->root, home));
}

static void end(struct bench_machine *b)
{
	const char *const argv[] = { SELF, "restore", "--quiet", b->name, NULL };
	cleanup_program struct program restore = PROGRAM_INIT;
	bool killed = !program_stop(&b->launcher, STOP_GRACE_MS);
	program_close(&b->launcher);
	if (!killed)
		return;
	restore.launcher = true;
	struct err *e = program_start(&restore, argv);
	if (!e && program_wait_end(&restore, clock_ms() + RESTORE_LIMIT_MS))
		e = program_result(&restore);
	log_err(LOG_LEVEL_WARN, err_wrap(e, "%s", b->name));
}

void machine_end(struct bench_machine *b)
{
	end(b);
	forget(b);
}

void measured_free(struct measured *m)
{
	json_decref(m->metrics);
	json_decref(m->run);
	json_decref(m->about);
	*m = (struct measured){};
}
