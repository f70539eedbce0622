/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch plan CONFIG: what run would do, for people or (--json) for scripts. Changes nothing. */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/base/tr.h"
#include "launcher/plan/plan.h"
#include "launcher/verbs/pager.h"

/* The terminal's way to say: heading, detail, obstacle. Empty strings where it takes no colours. */
struct ink {
	const char *bold, *dim, *bad, *off;
};
static struct ink ink(void)
{
	return log_colours(STDOUT_FILENO) ? (struct ink){ "\033[1m", "\033[2m", "\033[31m", "\033[0m" } : (struct ink){ "", "", "", "" };
}

/* A step's value, for people: bytes have a unit. Owned by the caller. */
static char *shown(const struct step *s, const char *value)
{
	uint64_t bytes = 0;
	cleanup_err struct err *odd = value && s->kind == &memlock_kind ? num_parse(value, UINT64_MAX, &bytes) : err_new("no number");
	return !odd ? size_rounded(bytes) : str_dup(!value ? "?" : *value ? value : _("none"));
}

static void print_folded(const char *first, const char *text, const char *on, const char *off)
{
	fputs(on, stdout);
	page_wrap(first, strlen(first), text);
	fputs(off, stdout);
}

static void print_cpus(const struct plan *p, struct ink k)
{
	cleanup_free char *guest = cpus_format(&p->cpu.guest), *emulator = cpus_format(&p->cpu.emulator), *host = cpus_format(&p->cpu.host);
	printf(_(N_("\n%sCPUs%s\n")), k.bold, k.off);
	cleanup_free char *dies = str_fmt(tr_n("%u die", "%u dies", p->cpu.dies), p->cpu.dies);
	cleanup_free char *threads = str_fmt(tr_n("%u thread", "%u threads", p->cpu.threads), p->cpu.threads);
	cleanup_free char *vcpus = tr_fmt("%u vCPUs on %s: %s, %u cores, %s", p->cpu.n_vcpus, guest, dies, p->cpu.cores, threads);
	cleanup_free char *others = tr_fmt("emulator and I/O threads on %s, the host keeps %s", *emulator ? emulator : _("any"), host);
	page_wrap("  ", 2, vcpus);
	page_wrap("  ", 2, others);
	if (p->cpu.why)
		print_folded("  ", p->cpu.why, k.dim, k.off);
}

static void print_obstacle(const char *obstacle, struct ink k)
{
	cleanup_free char *text = tr_fmt("not here: %s", obstacle);
	print_folded("      ", text, k.bad, k.off);
}

static void print_steps(const struct plan *p, struct ink k)
{
	printf(_(N_("\n%sSteps%s, undone in the opposite order\n")), k.bold, k.off);
	for (size_t i = 0; i < p->steps.n; i++) {
		const struct step *s = &p->steps.v[i];
		cleanup_free char *what = s->kind->describe(s);
		cleanup_free char *number = str_fmt("%3zu ", i + 1);
		cleanup_free char *all = str_fmt("%s%s", what, s->now && streq(s->now, s->want) ? _(" (is so already)") : "");
		page_wrap(number, page_width(number), all);
		cleanup_free char *now = shown(s, s->now), *want = shown(s, s->want);
		cleanup_free char *change = str_fmt("      %s → %s   ", now, want);
		if (!page_columns() || page_width(change) + page_width(s->why ? tr(s->why) : "") <= page_columns()) {
			printf("%s%s%s%s\n", change, k.dim, s->why ? tr(s->why) : "", k.off);
		} else { /* a line for each */
			cleanup_free char *both = str_fmt("%s → %s", now, want);
			page_wrap("      ", 6, both);
			print_folded("        ", s->why ? tr(s->why) : "", k.dim, k.off);
		}
		if (s->obstacle)
			print_obstacle(s->obstacle, k);
	}
}

static void print_args(const char *title, const char *binary, const struct args *a, struct ink k)
{
	printf("\n%s%s%s %s\n", k.bold, title, k.off, binary);
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].why)
			print_folded("  # ", tr(a->v[i].why), k.dim, k.off);
		printf("  %s%s%s\n", a->v[i].option, a->v[i].value ? " " : "", a->v[i].value ? a->v[i].value : "");
	}
}

/* "cannot run here: …", the words in colour. */
static void print_bad(const char *text, struct ink k)
{
	const char *words = _("cannot run here:");
	cleanup_free char *first = str_fmt("\n%s%s%s ", k.bad, words, k.off);
	page_wrap_after(first, page_width(words) + 1, 2, text);
}

static void print_plan(const struct plan *p)
{
	struct ink k = ink();
	const char *name = p->config->vm.name, *about = p->config->vm.description;
	cleanup_free char *title = str_fmt("%s%s%s%s", k.bold, name, k.off, about ? ": " : "");
	page_wrap_after(title, page_width(name) + (about ? 2 : 0), 2, about ? about : "");
	cleanup_free char *slow = p->accel_why ? tr_fmt("no KVM: %s; the guest is emulated, slowly", p->accel_why) : NULL;
	if (slow)
		print_folded("  ", slow, k.bad, k.off);
	print_cpus(p, k);
	print_steps(p, k);
	if (p->tpm_dir)
		print_args("swtpm", p->swtpm_argv.v[0], &p->swtpm, k);
	print_args("QEMU", p->qemu_argv.v[0], &p->qemu, k);
	for (size_t i = 0; i < p->findings.n; i++)
		if (p->findings.v[i].verdict == FINDING_BAD)
			print_bad(p->findings.v[i].text, k);
}

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *cpu_list(const struct cpus *set)
{
	cleanup_free char *list = cpus_format(set);
	return json_string(list);
}

static json_t *argv_json(const struct strv *v)
{
	json_t *list = json_array();
	for (size_t i = 0; i < v->n; i++)
		json_array_append_new(list, text(v->v[i]));
	return list;
}

static json_t *steps_json(const struct steps *steps)
{
	json_t *list = json_array();
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *s = &steps->v[i];
		json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:o}", "kind", s->kind->name, "target", s->target, "now", text(s->now), "want",
				      s->want, "why", text(s->why));
		if (s->obstacle)
			json_object_set_new(o, "obstacle", json_string(s->obstacle));
		json_array_append_new(list, o);
	}
	return list;
}

/* The contract of DESIGN: scripts rely on these names. */
static json_t *plan_json(const struct plan *p)
{
	json_t *vcpus = json_array();
	for (unsigned i = 0; i < p->cpu.n_vcpus; i++)
		json_array_append_new(vcpus, json_pack("{s:i, s:i}", "vcpu", (int)i, "cpu", p->cpu.vcpus[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "vm", p->config->vm.name, "accel",
			 p->accel == ACCEL_KVM ? "kvm" : "tcg", "vcpus", vcpus, "emulator_cpus", cpu_list(&p->cpu.emulator),
			 "iothread_cpus", cpu_list(&p->cpu.iothread), "host_cpus", cpu_list(&p->cpu.host), "steps", steps_json(&p->steps),
			 "qemu", argv_json(&p->qemu_argv), "swtpm", argv_json(&p->swtpm_argv));
}

struct err *verb_plan(struct cli *cli, const struct verb_args *args)
{
	cleanup_plan struct plan p = {};
	TRY(verb_words(args, 1, 1, "plan [--json] CONFIG"));
	TRY(plan_make(cli, args->words.v[0], &p));
	p.findings.terse = true;
	plan_check(cli, &p);
	steps_probe(&cli->env, &p.steps);
	if (!cli->json) {
		print_plan(&p);
		return NULL;
	}
	json_t *object = plan_json(&p);
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
	return NULL;
}
