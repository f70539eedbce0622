/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure: see measure.h. */
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/bench/fingerprint.h"
#include "launcher/bench/measure.h"
#include "launcher/bench/measure_agent.h"
#include "launcher/bench/records.h"
#include "qmp/line.h"

static struct err *late(const struct bench_plan *p)
{
	return err_hint(err_new("not at its end within %u s", p->limit_s), "limit in [bench] is the time of one run");
}

/* Runs a program of this machine to its end; what it said is the caller's. */
static struct err *listen_to(const struct bench_plan *p, const struct strv *argv, char **ret_said)
{
	cleanup_program struct program program = PROGRAM_INIT;
	TRY(program_start(&program, (const char *const *)argv->v));
	if (!program_wait_end(&program, clock_ms() + (int64_t)p->limit_s * 1000))
		return err_wrap(late(p), "%s", argv->v[0]);
	TRY(err_wrap(program_result(&program), "%s", argv->v[0]));
	*ret_said = sb_steal(&program.said);
	return NULL;
}

static struct err *run_adapter(struct root *root, const struct bench_plan *p, const struct bench_workload *w, struct measured *m)
{
	cleanup_strv struct strv argv = {};
	cleanup_free char *said = NULL, *written = NULL;
	if (w->command) {
		TRY(adapter_words(w->command, (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &argv));
		TRY(err_hint(listen_to(p, &argv, &said), "%s", w->adapter->needs));
	}
	if (w->file)
		TRY(root_read(root, w->file, &written));
	struct adapter_job job = { w->name, w->program, m->metrics, m->about };
	if (w->command)
		adapter_about(&job, "command", w->command);
	return adapter_parse(w->adapter, &job, w->file ? written : said);
}

/* The words of bench-guest in one go, then the others. "boot" is of machines. */
static struct err *run_natively(struct root *root, const struct bench_plan *p, struct measured *m)
{
	cleanup_strv struct strv argv = {};
	cleanup_free char *said = NULL;
	json_t *metrics = NULL;
	strv_add(&argv, p->guest);
	for (size_t i = 0; i < p->n_workloads; i++)
		if (!p->workloads[i].adapter && !streq(p->workloads[i].name, "boot"))
			strv_add(&argv, p->workloads[i].name);
	if (argv.n > 1) {
		TRY(listen_to(p, &argv, &said));
		TRY(records_metrics(said, m->about, &metrics));
		measured_add(m, metrics);
	}
	for (size_t i = 0; i < p->n_workloads; i++)
		if (p->workloads[i].adapter)
			TRY(err_wrap(run_adapter(root, p, &p->workloads[i], m), "workload %s", p->workloads[i].name));
	json_decref(m->run);
	m->run = fingerprint_run(root, 0);
	return NULL;
}

/* The guest's "bench: boot.kernel ms less X": X ms ago its kernel began. */
static void boot_of_serial(struct bench_machine *b)
{
	static const char mark[] = "bench: boot.kernel ms less ";
	const char *at = b->launcher.said.s ? strstr(b->launcher.said.s, mark) : NULL;
	double ms = at && strchr(at, '\n') ? strtod(at + strlen(mark), NULL) : 0;
	if (ms > 0 && !json_object_get(b->m->metrics, "boot.kernel"))
		machine_boot(b, (double)clock_ms() - ms, "boot.kernel", ms);
}

/* Process 1 of the guest does what its command line says, says it, and powers off. */
static struct err *measure_by_serial(struct bench_machine *b, const struct bench_variant *v)
{
	cleanup_strv struct strv more = {};
	cleanup_free char *words = strv_join(&b->plan->words, ",");
	strv_add(&more, "--set=console.serial=stdio");
	strv_addf(&more, "--set=boot.cmdline=console=ttyS0 quiet bench=%s", words);
	TRY(machine_begin(b, v, &more));
	for (size_t heard = 0; !b->launcher.ended && clock_ms() < b->until;) {
		program_wait(&b->launcher, -1, b->until);
		if (b->launcher.said.len == heard)
			continue;
		heard = b->launcher.said.len;
		boot_of_serial(b);
		machine_look(b);
	}
	if (!b->launcher.ended)
		return late(b->plan);
	json_t *metrics = NULL;
	TRY(program_result(&b->launcher));
	TRY(records_metrics(b->launcher.said.s ? b->launcher.said.s : "", b->m->about, &metrics));
	measured_add(b->m, metrics);
	return NULL;
}

static struct err *run_machine(struct root *root, const struct bench_plan *p, const struct bench_variant *v, struct measured *m)
{
	cleanup_free char *name = str_fmt("bench-%d", (int)getpid());
	struct bench_machine b = { .root = root, .plan = p, .name = name, .launcher = PROGRAM_INIT, .m = m };
	struct err *e = p->agent ? measure_by_agent(&b, v) : measure_by_serial(&b, v);
	machine_end(&b);
	return e;
}

char *measure_hash(struct root *root, const struct bench_plan *p, const struct bench_variant *v)
{
	cleanup_free char *sets = strv_join(&v->sets, "\n"), *words = strv_join(&p->words, " ");
	cleanup_free char *real = p->config && !v->native ? realpath(p->config, NULL) : NULL;
	cleanup_free char *text = real ? root_read_or(root, real, "") : str_dup("");
	cleanup_free char *all = str_fmt("%s\n%s\n%s\n%d", text, sets, words, v->native);
	return fingerprint_hash(all);
}

struct err *measure(struct root *root, const struct bench_plan *p, const struct bench_variant *v, struct measured *ret)
{
	cleanup_measured struct measured m = { .metrics = json_object(), .run = json_object(), .about = json_object() };
	struct fingerprint_ticks before = fingerprint_ticks(root);
	unsigned long throttled = fingerprint_throttled(root);
	TRY(v->native ? run_natively(root, p, &m) : run_machine(root, p, v, &m));
	json_object_set_new(m.run, "steal", json_real(fingerprint_steal(before, fingerprint_ticks(root))));
	json_object_set_new(m.run, "throttled", json_integer((json_int_t)(fingerprint_throttled(root) - throttled)));
	cleanup_free char *hash = measure_hash(root, p, v);
	json_object_set_new(m.run, "configuration", json_string(hash));
	*ret = m;
	m = (struct measured){};
	return NULL;
}
