/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor_kind: a monitor's input as a step; see monitor.h. */
#include <stdio.h>
#include "launcher/base/log.h"
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/host/screen/monitor.h"

#define SILENT "silent"

/* "0x0f, then 0x12": where to, and where back to; the second is 0 where none is given. */
static struct err *parse(const char *want, unsigned *ret_input, unsigned *ret_back)
{
	char rest;
	*ret_back = 0;
	int n = sscanf(want, "0x%4x, then 0x%4x%c", ret_input, ret_back, &rest);
	if (n < 1 || n > 2 || !*ret_input)
		return err_new("\"%s\" is no input", want);
	return NULL;
}

static char *describe(const struct step *s)
{
	unsigned input, back;
	cleanup_err struct err *e = parse(s->want, &input, &back);
	const char *name = e ? NULL : monitor_input_name(input);
	cleanup_free char *value = str_ndup(s->want, strcspn(s->want, ","));
	return tr_fmt("switch monitor %s to input %s%s%s%s", s->target, value, name ? " (" : "", name ? name : "", name ? ")" : "");
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct monitors all = {};
	const struct monitor *m;
	TRY(monitors_read(env->root, false, &all));
	TRY(monitor_find(&all, s->target, &m));
	*ret_value = m->input < 0 ? str_dup(SILENT) : str_fmt("0x%02x", (unsigned)m->input);
	return NULL;
}

/* Whether the way back is known: by host-input, or by what it read before. */
static bool way_back(const struct step *s, unsigned back)
{
	unsigned prior, other;
	cleanup_err struct err *e = back ? NULL : parse(s->prior, &prior, &other);
	return back || (!e && monitor_input_usable((int)prior));
}

static struct err *apply(struct step_env *env, struct step *s)
{
	unsigned input, back;
	bool silent;
	TRY(parse(s->want, &input, &back));
	if (s->data) /* where the launcher, who has forked us, finds what was there before */
		snprintf(s->data, MONITOR_PRIOR_MAX, "%s", s->prior);
	if (!way_back(s, back))
		return err_hint(err_new("%s does not tell which input to come back to (it reads: %s)", s->target, s->prior),
				"set host-input");
	TRY(monitor_switch(env->root, s->target, input, &silent));
	if (silent)
		log_info("monitor %s: silent since it shows the guest; it answers only on the input that it shows", s->target);
	return NULL;
}

/* apply has read back what could be read back. */
static struct err *verify(struct step_env *env, const struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

static struct err *goal(const struct step *s, unsigned *ret_input)
{
	unsigned input;
	TRY(parse(s->want, &input, ret_input));
	if (!*ret_input)
		TRY(parse(s->prior, ret_input, &input));
	return NULL;
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	unsigned input;
	bool silent;
	TRY(goal(s, &input));
	TRY(monitor_switch(env->root, s->target, input, &silent));
	if (silent)
		return err_hint(err_new("%s does not answer since it was switched back", s->target),
				"press the button of its own that chooses the input");
	return NULL;
}

/* We sent it to the guest's cable, so we send it back, whatever it reads now: what it reads need not be what it shows. */
static enum step_whose whose(const struct step *s, const char *now)
{
	unsigned input, back;
	(void)now;
	cleanup_err struct err *bad = parse(s->want, &input, &back), *worse = bad ? NULL : goal(s, &back);
	return bad || worse ? STEP_FOREIGN : STEP_WANTED;
}

const struct step_kind monitor_kind = {
	.name = "monitor-input",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};

struct step *monitor_step(struct steps *out, const char *match, unsigned input, unsigned back)
{
	cleanup_free char *want = back ? str_fmt("0x%02x, then 0x%02x", input, back) : str_fmt("0x%02x", input);
	struct step *s = steps_add(out, &monitor_kind, match, want, "the guest's picture where the person looks");
	s->late = s->optional = true;
	return s;
}
