/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan: see plan.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/bench/bench_plan.h"
#include "launcher/bench/stats.h"
#include "launcher/config/lines.h"

#define ROUNDS_MAX 1000
#define LIMIT_MAX_S 86400
#define VARIANTS_MAX 32
#define MACHINES_MAX 100000
#define NAME_MAX_BYTES 64 /* of a variant or a workload: any text of one line */
#define GUEST "bench-guest"

void bench_plan_free(struct bench_plan *p)
{
	for (size_t i = 0; i < p->n_variants; i++) {
		free(p->variants[i].name);
		strv_free(&p->variants[i].sets);
	}
	free(p->variants);
	for (size_t i = 0; i < p->n_workloads; i++) {
		free(p->workloads[i].name);
		free(p->workloads[i].command);
		free(p->workloads[i].file);
		free(p->workloads[i].program);
	}
	free(p->workloads);
	free(p->path);
	free(p->config);
	free(p->guest);
	free(p->output);
	strv_free(&p->words);
	strv_free(&p->sbatch);
	*p = (struct bench_plan){};
}

struct reading {
	struct root *root;
	struct bench_plan *plan;
	const char *dir, *program;
	char *kind, *name; /* of the section: "variant", "huge pages"; NULL before the first */
	json_t *seen;      /* lines of sections and keys */
};

static struct bench_variant *variant_of(struct bench_plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_variants; i++)
		if (streq(p->variants[i].name, name))
			return &p->variants[i];
	p->variants = mem_grow(p->variants, p->n_variants, sizeof(*p->variants));
	p->variants[p->n_variants].name = str_dup(name);
	return &p->variants[p->n_variants++];
}

__attribute__((nonnull)) static struct err *read_number(const char *value, unsigned max, unsigned *ret_number)
{
	uint64_t n = 0;
	TRY(num_parse(value, max, &n));
	if (!n)
		return err_new("0 is none");
	*ret_number = (unsigned)n;
	return NULL;
}

static struct err *read_yes(const char *value, bool *ret_yes)
{
	if (!streq(value, "yes") && !streq(value, "no"))
		return err_new("\"%s\" is neither yes nor no", value);
	*ret_yes = streq(value, "yes");
	return NULL;
}

/* "1", "0.5 %": per cent, 0 to 50. */
static struct err *read_part(const char *value, double *ret_part)
{
	char *end;
	double v = strtod(value, &end);
	end += strspn(end, " ");
	end += *end == '%';
	if (end == value || *end || !(v >= 0) || v > 50)
		return err_new("\"%s\" is not per cent from 0 to 50", value);
	*ret_part = v / 100;
	return NULL;
}

static struct err *bench_key(struct reading *r, const char *key, const char *value)
{
	struct bench_plan *p = r->plan;
	if (!*value)
		return err_new("%s: the value is missing", key);
	if (streq(key, "rounds"))
		return err_wrap(read_number(value, ROUNDS_MAX, &p->rounds), "rounds");
	if (streq(key, "limit"))
		return err_wrap(read_number(value, LIMIT_MAX_S, &p->limit_s), "limit (seconds)");
	if (streq(key, "margin"))
		return err_hint(err_wrap(read_part(value, &p->margin), "margin"), "margin = 1 %%");
	if (streq(key, "effect"))
		return err_hint(err_wrap(read_part(value, &p->effect), "effect"), "effect = 5 %%");
	if (streq(key, "early"))
		return read_yes(value, &p->early);
	if (streq(key, "uploads"))
		return read_yes(value, &p->uploads);
	if (streq(key, "via")) {
		p->agent = streq(value, "agent");
		return p->agent || streq(value, "serial") ? NULL : err_hint(err_new("via \"%s\"", value), "serial, agent");
	}
	char **path = streq(key, "config") ? &p->config : streq(key, "guest") ? &p->guest : streq(key, "output") ? &p->output : NULL;
	if (path) {
		free(*path);
		*path = *value == '/' ? str_dup(value) : str_fmt("%s/%s", r->dir, value);
		return NULL;
	}
	if (streq(key, "workloads")) {
		strv_free(&p->words);
		strv_split(&p->words, value, ", ");
		return NULL;
	}
	return err_hint(err_new("unknown key \"%s\" in [bench]", key),
			"config, via, guest, output, workloads, rounds, limit, uploads, margin, effect, early");
}

static struct bench_workload *workload_of(struct bench_plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_workloads; i++)
		if (streq(p->workloads[i].name, name))
			return &p->workloads[i];
	p->workloads = mem_grow(p->workloads, p->n_workloads, sizeof(*p->workloads));
	p->workloads[p->n_workloads].name = str_dup(name);
	p->workloads[p->n_workloads].adapter = adapter_find(name);
	return &p->workloads[p->n_workloads++];
}

static struct err *unknown_parser(const char *name)
{
	cleanup_free char *names = adapter_names();
	return err_hint(err_new("unknown parser \"%s\"", name), "%s", names);
}

static struct err *workload_key(struct reading *r, const char *name, const char *key, const char *value)
{
	struct bench_workload *w = workload_of(r->plan, name);
	if (streq(key, "command"))
		str_set(&w->command, value);
	else if (streq(key, "file"))
		str_set(&w->file, value);
	else if (streq(key, "program"))
		str_set(&w->program, value);
	else if (streq(key, "parser"))
		return (w->adapter = adapter_find(value)) ? NULL : unknown_parser(value);
	else
		return err_hint(err_new("unknown key \"%s\" in [workload %s]", key, name), "command, file, parser, program");
	return NULL;
}

/* Any option of sbatch but those that the job array itself is made of. */
static struct err *slurm_key(struct reading *r, const char *key, const char *value)
{
	static const char *const ours[] = { "array", "wait", "parsable", "output", "error", "wrap", "chdir" };
	if (streq(key, "machines"))
		return err_wrap(read_number(value, MACHINES_MAX, &r->plan->machines), "machines");
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (streq(key, ours[i]))
			return err_new("\"%s\" in [slurm] is set by qlaunch", key);
	if (streq(value, "yes"))
		strv_addf(&r->plan->sbatch, "--%s", key);
	else
		strv_addf(&r->plan->sbatch, "--%s=%s", key, value);
	return NULL;
}

static struct err *variant_key(struct reading *r, const char *name, const char *key, const char *value)
{
	struct bench_variant *v = variant_of(r->plan, name);
	if (streq(key, "native"))
		return read_yes(value, &v->native);
	else if (strchr(key, '.'))
		strv_addf(&v->sets, "%s=%s", key, value);
	else
		return err_hint(err_new("\"%s\" in [variant %s] is no key of a machine", key, name),
				"write section.key = value: cpu.threads = 4");
	return NULL;
}

/* Sections are entered by their line alone: an empty [variant base] is one. */
static struct err *enter_section(struct reading *r, const char *title)
{
	cleanup_free char *copy = str_dup(title);
	char *name = copy + strcspn(copy, " \t");
	if (*name)
		*name++ = '\0';
	name = str_trim(name);
	bool named = streq(copy, "variant") || streq(copy, "workload");
	if (!named && !streq(copy, "bench") && !streq(copy, "slurm"))
		return err_hint(err_new("unknown section [%s]", title), "[bench], [variant NAME], [workload NAME], [slurm]");
	if (named != (*name != '\0'))
		return err_new(named ? "[%s] needs a name: [%s NAME]" : "[%s] takes no name", copy, copy);
	if (strlen(name) > NAME_MAX_BYTES)
		return err_new("\"%s\" is too long for a name: at most %d characters", name, NAME_MAX_BYTES);
	str_set(&r->kind, copy);
	str_set(&r->name, name);
	if (streq(copy, "workload"))
		workload_of(r->plan, name);
	else if (streq(copy, "variant"))
		variant_of(r->plan, name);
	return r->plan->n_variants > VARIANTS_MAX ? err_new("more than %d variants", VARIANTS_MAX) : NULL;
}

static struct err *take_key(struct reading *r, const struct lines_line *line)
{
	if (!r->kind)
		return err_new("\"%s\" stands before the first [section]", line->name);
	return streq(r->kind, "bench")      ? bench_key(r, line->name, line->value)
	       : streq(r->kind, "variant")  ? variant_key(r, r->name, line->name, line->value)
	       : streq(r->kind, "workload") ? workload_key(r, r->name, line->name, line->value)
					    : slurm_key(r, line->name, line->value);
}

/* A section or a key stands once. */
static struct err *once(struct reading *r, const struct lines_line *line)
{
	bool key = line->kind == LINES_KEY;
	cleanup_free char *what = key ? str_fmt("%s %s\n%s", r->kind, r->name, line->name) : str_fmt("%s %s", r->kind, r->name);
	const json_t *before = json_object_get(r->seen, what);
	if (before && key)
		return err_new("\"%s\" stands at line %u already", line->name, (unsigned)json_integer_value(before));
	if (before)
		return err_new("[%s] stands at line %u already", line->name, (unsigned)json_integer_value(before));
	json_object_set_new(r->seen, what, json_integer(line->number));
	return NULL;
}

static struct err *take_line(struct reading *r, const struct lines_line *line)
{
	if (line->wrong)
		return err_new("%s", line->wrong);
	TRY(line->kind == LINES_SECTION ? enter_section(r, line->name) : take_key(r, line));
	return once(r, line);
}

static struct err *read_lines(struct reading *r, const char *path, const char *text)
{
	cleanup_lines struct lines lines = lines_begin(text, strlen(text));
	struct lines_line line;
	struct err *e = NULL;
	r->seen = json_object();
	while (!e && lines_next(&lines, &line))
		e = err_wrap(take_line(r, &line), "%s:%u", path, line.number);
	json_decref(r->seen);
	free(r->kind);
	free(r->name);
	return e;
}

static bool guest_has(const char *name)
{
	static const char *const names[] = { "boot", "chase", "throughput", "bandwidth", "jitter", "disk" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i], name))
			return true;
	return false;
}

static struct err *complete_workload(const struct bench_plan *p, struct bench_workload *w)
{
	const struct adapter *a = w->adapter;
	if (!a) {
		cleanup_free char *names = adapter_names();
		if (guest_has(w->name) && !w->command && !w->file)
			return NULL;
		return err_hint(err_new("workload \"%s\" is neither built in nor an adapter", w->name),
				"boot, chase, throughput, bandwidth, jitter, disk; %s; or a [workload %s] with command and parser", names,
				w->name);
	}
	if (!w->command && a->command)
		str_set(&w->command, a->command);
	if (!w->file && a->file)
		str_set(&w->file, a->file);
	if (!w->command && !w->file)
		return err_hint(err_new("workload \"%s\" has no command", w->name), "[workload %s] with command, or file, of the guest",
				w->name);
	if (a->uploads && !p->uploads)
		return err_hint(err_new("%s sends its results to its makers", a->name), "uploads = yes in [bench] allows it");
	for (size_t i = 0; i < p->n_variants; i++)
		if (!p->agent && !p->variants[i].native)
			return err_hint(err_new("workload \"%s\" wants the guest's agent", w->name), "via = agent in [bench]");
	return NULL;
}

/* In the order of `workloads`; a section that is not named there does not run. */
static struct err *complete_workloads(struct bench_plan *p)
{
	if (!p->words.n)
		strv_split(&p->words, "boot chase throughput bandwidth jitter disk", " ");
	for (size_t i = 0; i < p->words.n; i++) {
		size_t at = (size_t)(workload_of(p, p->words.v[i]) - p->workloads);
		struct bench_workload w = p->workloads[at];
		if (at < i)
			return err_new("%s: workload \"%s\" is named twice", p->path, w.name);
		p->workloads[at] = p->workloads[i];
		p->workloads[i] = w;
		TRY(err_wrap(complete_workload(p, &p->workloads[i]), "%s", p->path));
	}
	for (size_t i = p->words.n; i < p->n_workloads; i++) {
		struct err *e = err_new("%s: [workload %s] is not among the workloads of [bench]", p->path, p->workloads[i].name);
		return err_hint(e, "workloads = … %s", p->workloads[i].name);
	}
	return NULL;
}

static void add_control(struct bench_plan *p)
{
	struct bench_variant *control = variant_of(p, "control");
	control->control = true;
	control->native = p->variants[0].native;
	for (size_t i = 0; i < p->variants[0].sets.n; i++)
		strv_add(&control->sets, p->variants[0].sets.v[i]);
}

/* Beside the program, in the source's tree, or where `make install` puts it. */
static void find_guest(struct reading *r)
{
	static const char *const places[] = { "", "/../lib/qlaunch" };
	const char *slash = strrchr(r->program, '/');
	for (size_t i = 0; slash && !r->plan->guest && i < ARRAY_SIZE(places); i++) {
		cleanup_free char *path = str_fmt("%.*s%s/" GUEST, (int)(slash - r->program), r->program, places[i]);
		if (root_exists(r->root, path))
			r->plan->guest = steal(path);
	}
}

static struct err *complete(struct reading *r)
{
	struct bench_plan *p = r->plan;
	bool machine = !p->n_variants;
	for (size_t i = 0; i < p->n_variants; i++) {
		machine = machine || !p->variants[i].native;
		if (streq(p->variants[i].name, "control"))
			return err_new("%s: \"control\" is the first variant once more: choose another name", p->path);
	}
	if (!p->config && machine)
		return err_hint(err_new("%s: [bench] has no config", p->path), "config = win11.conf");
	if (p->early && p->rounds < STATS_LOOKS_ROUNDS_MIN)
		return err_hint(err_new("%s: early = yes with %u rounds: half of them could tell nothing", p->path, p->rounds),
				"rounds = %d at least: it ends after half of them where nothing is left to tell", STATS_LOOKS_ROUNDS_MIN);
	if (!p->n_variants)
		variant_of(p, "base");
	if (!p->output)
		p->output = str_fmt("%s/bench.jsonl", r->dir);
	find_guest(r);
	TRY(complete_workloads(p));
	add_control(p);
	for (size_t i = 0; i < p->n_variants; i++)
		if ((p->variants[i].native || p->agent) && !p->guest)
			return err_hint(err_new("%s: [bench] has no guest, and it is not beside qlaunch", p->path),
					"make build/bench-guest");
	return NULL;
}

static struct err *read_plan(struct root *root, const char *path, const char *program, struct bench_plan *p)
{
	cleanup_free char *real = realpath(path, NULL), *text = NULL;
	if (!real)
		return err_hint(err_errno(errno, "%s", path), "what a plan says: man qlaunch, BENCHMARKS");
	TRY(root_read(root, real, &text));
	cleanup_free char *dir = str_dir(real);
	p->path = str_dup(path);
	p->rounds = 10;
	p->limit_s = 600;
	p->machines = 1;
	p->margin = STATS_MARGIN;
	p->effect = STATS_EFFECT;
	struct reading r = { .root = root, .plan = p, .dir = dir, .program = program };
	TRY(read_lines(&r, path, text));
	return complete(&r);
}

struct err *bench_plan_read(struct root *root, const char *path, const char *program, struct bench_plan *ret_plan)
{
	cleanup_bench_plan struct bench_plan p = {};
	TRY(err_exit(read_plan(root, path, program, &p), EXIT_CONFIG));
	*ret_plan = p;
	p = (struct bench_plan){};
	return NULL;
}
