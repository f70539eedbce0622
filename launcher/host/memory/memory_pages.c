/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory, the kind that makes huge pages and gives them back: hugepages_kind of memory.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/host/memory/memory.h"

/* Finding one page of 1G can move a gigabyte of other memory; the kernel stops at a signal. */
#define WRITE_LIMIT_MS 120000

static struct err *pages_read(struct root *root, const char *path, uint64_t *ret)
{
	cleanup_free char *text = NULL;
	TRY(root_read(root, path, &text));
	return err_wrap(num_parse(text, INT64_MAX, ret), "%s", path);
}

/* "+16" */
static struct err *delta_parse(const struct step *s, uint64_t *ret)
{
	return *s->want == '+' ? num_parse(s->want + 1, INT64_MAX, ret) : err_new("\"%s\" is not \"+PAGES\"", s->want);
}

struct write_call {
	struct root *root;
	const char *path;
	char *value;
};

static struct err *write_call(void *data)
{
	struct write_call *w = data;
	return root_write(w->root, w->path, w->value);
}

/* Sets the number of pages and reads what it became. */
static struct err *pages_set(struct root *root, const char *path, uint64_t pages, uint64_t *ret_now)
{
	cleanup_free char *value = str_fmt("%" PRIu64, pages);
	struct write_call w = { root, path, value };
	TRY(child_call(write_call, &w, WRITE_LIMIT_MS));
	return pages_read(root, path, ret_now);
}

static char *describe(const struct step *s)
{
	const char *node = strstr(s->target, "/node/node"), *size = strstr(s->target, "hugepages-");
	uint64_t kib = 0;
	cleanup_free char *digits = size ? str_ndup(size + strlen("hugepages-"), strspn(size + strlen("hugepages-"), "0123456789")) : NULL;
	if (digits)
		err_free(num_parse(digits, UINT64_MAX >> 10, &kib));
	cleanup_free char *bytes = size_format(kib << 10);
	const char *pages = s->want + (*s->want == '+'); /* a journal's, which may be anything */
	if (!node)
		return tr_fmt("make %s huge pages of %s", pages, bytes);
	node += strlen("/node/");
	return tr_fmt("make %s huge pages of %s on %.*s", pages, bytes, (int)strcspn(node, "/"), node);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	uint64_t pages;
	TRY(pages_read(env->root, s->target, &pages));
	*ret_value = str_fmt("%" PRIu64, pages);
	return NULL;
}

static struct err *too_few(const struct step *s, uint64_t got, uint64_t delta)
{
	cleanup_free char *what = describe(s);
	struct err *e = err_new("the kernel granted %" PRIu64 " of %" PRIu64 ", which were released", got, delta);
	return err_hint(e,
			"memory is in too small pieces: restart the host, or reserve the pages at boot (hugepagesz=%s "
			"hugepages=%" PRIu64 " on the kernel's command line), or choose memory.hugepages = %s",
			strstr(what, "of 1G") ? "1G" : "2M", delta, strstr(what, "of 1G") ? "2M" : "transparent");
}

struct growth {
	struct root *root;
	const struct step *step;
	uint64_t prior, delta;
};

/* How many are there while the kernel still looks for others. Newer ones count them at the end only: then the line says what is done. */
static void say_growth(void *data)
{
	const struct growth *g = data;
	uint64_t now = 0;
	err_free(pages_read(g->root, g->step->target, &now));
	cleanup_free char *what = describe(g->step);
	if (now > g->prior)
		progress_update(now - g->prior, g->delta, what);
}

static struct err *grow(struct step_env *env, const struct step *s, uint64_t prior, uint64_t delta)
{
	uint64_t now, unused;
	TRY(pages_set(env->root, s->target, prior + delta, &now));
	if (now < prior + delta) {
		/* frees what is only cached and moves the rest together: nothing of it lasts, and a kernel without it still has pages */
		err_free(root_write(env->root, "/proc/sys/vm/drop_caches", "3"));
		err_free(root_write(env->root, "/proc/sys/vm/compact_memory", "1"));
		TRY(pages_set(env->root, s->target, prior + delta, &now));
	}
	if (now < prior + delta) {
		TRY(pages_set(env->root, s->target, prior, &unused));
		return too_few(s, now > prior ? now - prior : 0, delta);
	}
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct growth g = { .root = env->root, .step = s };
	TRY(delta_parse(s, &g.delta));
	TRY(num_parse(s->prior, INT64_MAX, &g.prior));
	progress_watch(say_growth, &g);
	struct err *e = grow(env, s, g.prior, g.delta);
	progress_watch(NULL, NULL);
	return e;
}

/* They are there, and nobody else has taken them meanwhile. */
static struct err *verify(struct step_env *env, const struct step *s)
{
	uint64_t delta, unused_pages;
	cleanup_free char *path = str_fmt("%.*s/free_hugepages", (int)(strrchr(s->target, '/') - s->target), s->target);
	TRY(delta_parse(s, &delta));
	TRY(pages_read(env->root, path, &unused_pages));
	if (unused_pages < delta)
		return err_new("only %" PRIu64 " of %" PRIu64 " are free: another program has taken them", unused_pages, delta);
	return NULL;
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	uint64_t prior, delta, now, then;
	TRY(delta_parse(s, &delta));
	TRY(num_parse(s->prior, INT64_MAX, &prior));
	TRY(pages_read(env->root, s->target, &now));
	uint64_t wanted = now >= prior + delta ? now - delta : prior;
	TRY(pages_set(env->root, s->target, wanted, &then));
	if (then > wanted)
		return err_hint(err_new("%" PRIu64 " huge pages are in use still", then - wanted),
				"end who uses them (grep Huge /proc/*/smaps_rollup), then: qlaunch restore");
	return NULL;
}

/* Fewer than before: somebody has taken more away than we brought. */
static enum step_whose whose(const struct step *s, const char *now)
{
	uint64_t prior = 0, delta = 0, pages = 0;
	cleanup_err struct err *bad = delta_parse(s, &delta);
	if (!bad)
		bad = num_parse(s->prior, INT64_MAX, &prior);
	if (!bad)
		bad = num_parse(now, INT64_MAX, &pages);
	if (bad || pages < prior)
		return STEP_FOREIGN;
	return pages == prior ? STEP_PRIOR : pages >= prior + delta ? STEP_WANTED : STEP_BETWEEN;
}

const struct step_kind hugepages_kind = {
	.name = "hugepages",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};
