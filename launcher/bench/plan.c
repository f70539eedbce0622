/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan: see plan.h. */
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/bench/plan.h"

#define ROUNDS_MAX 1000
#define LIMIT_MAX_S 86400
#define VARIANTS_MAX 32

void bench_plan_free(struct bench_plan *p)
{
	for (size_t i = 0; i < p->n_variants; i++) {
		free(p->variants[i].name);
		strv_free(&p->variants[i].sets);
	}
	free(p->variants);
	free(p->path);
	free(p->config);
	free(p->guest);
	free(p->output);
	strv_free(&p->workloads);
	*p = (struct bench_plan){};
}

struct reading {
	struct bench_plan *plan;
	const char *dir;
	struct err *error; /* of the line that stopped it */
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

static struct err *bench_key(struct reading *r, const char *key, const char *value)
{
	struct bench_plan *p = r->plan;
	if (streq(key, "rounds"))
		return err_wrap(read_number(value, ROUNDS_MAX, &p->rounds), "rounds");
	if (streq(key, "limit"))
		return err_wrap(read_number(value, LIMIT_MAX_S, &p->limit_s), "limit (seconds)");
	char **path = streq(key, "config") ? &p->config : streq(key, "guest") ? &p->guest : streq(key, "output") ? &p->output : NULL;
	if (path) {
		free(*path);
		*path = *value == '/' ? str_dup(value) : str_fmt("%s/%s", r->dir, value);
		return NULL;
	}
	if (streq(key, "workloads")) {
		strv_free(&p->workloads);
		strv_split(&p->workloads, value, ", ");
		return NULL;
	}
	return err_hint(err_new("unknown key \"%s\" in [bench]", key), "config, guest, output, workloads, rounds, limit");
}

static struct err *variant_key(struct reading *r, const char *name, const char *key, const char *value)
{
	struct bench_variant *v = variant_of(r->plan, name);
	if (r->plan->n_variants > VARIANTS_MAX)
		return err_new("more than %d variants", VARIANTS_MAX);
	if (streq(key, "native"))
		v->native = streq(value, "yes");
	else if (strchr(key, '.'))
		strv_addf(&v->sets, "--set=%s=%s", key, value);
	else
		return err_hint(err_new("\"%s\" in [variant %s] is no key of a machine", key, name), "write section.key = value: cpu.threads = 4");
	return NULL;
}

static int on_key(void *data, const char *section, const char *key, const char *value)
{
	struct reading *r = data;
	if (r->error)
		return 1;
	if (streq(section, "bench"))
		r->error = bench_key(r, key, value);
	else if (str_starts(section, "variant ") && section[8])
		r->error = variant_key(r, section + 8, key, value);
	else
		r->error = err_hint(err_new("unknown section [%s]", section), "[bench], [variant NAME]");
	return !r->error;
}

static struct err *complete(struct bench_plan *p, const char *dir)
{
	if (!p->config)
		return err_hint(err_new("%s: [bench] has no config", p->path), "config = win11.conf");
	if (!p->n_variants)
		variant_of(p, "base");
	if (!p->output)
		p->output = str_fmt("%s/bench.jsonl", dir);
	if (!p->workloads.n)
		strv_split(&p->workloads, "boot chase throughput bandwidth jitter disk", " ");
	struct bench_variant *control = variant_of(p, "control");
	if (control->sets.n || control->native)
		return err_new("%s: \"control\" is the first variant once more: choose another name", p->path);
	control->control = true;
	control->native = p->variants[0].native;
	for (size_t i = 0; i < p->variants[0].sets.n; i++)
		strv_add(&control->sets, p->variants[0].sets.v[i]);
	for (size_t i = 0; i < p->n_variants; i++)
		if (p->variants[i].native && !p->guest)
			return err_hint(err_new("%s: [variant %s] is native, and [bench] has no guest", p->path, p->variants[i].name),
					"guest = /usr/lib/qlaunch/bench-guest");
	return NULL;
}

static struct err *read_plan(struct root *root, const char *path, struct bench_plan *p)
{
	cleanup_free char *real = realpath(path, NULL), *text = NULL;
	if (!real)
		return err_errno(errno, "%s", path);
	TRY(root_read(root, real, &text));
	cleanup_free char *dir = str_ndup(real, (size_t)(strrchr(real, '/') - real));
	p->path = str_dup(path);
	p->rounds = 10;
	p->limit_s = 600;
	struct reading r = { p, dir, NULL };
	int line = ini_parse_string(text, on_key, &r);
	if (line || r.error)
		return err_wrap(r.error ? r.error : err_new("not [section], key = value or # comment"), "%s:%d", path, line);
	return complete(p, dir);
}

struct err *bench_plan_read(struct root *root, const char *path, struct bench_plan *ret_plan)
{
	cleanup_bench_plan struct bench_plan p = {};
	TRY(err_exit(read_plan(root, path, &p), EXIT_CONFIG));
	*ret_plan = p;
	p = (struct bench_plan){};
	return NULL;
}
