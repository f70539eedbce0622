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
	int n = sscanf(want, "0x%2x, then 0x%2x%c", ret_input, ret_back, &rest);
	if (n < 1 || n > 2 || !*ret_input)
		return err_new("\"%s\" is no input", want);
	return NULL;
}

static char *describe(const struct step *s)
{
	unsigned input, back;
	cleanup_err struct err *e = parse(s->want, &input, &back);
	const char *name = e ? NULL : monitor_input_name(input);
	return tr_fmt("switch monitor %s to input %.4s%s%s%s", s->target, s->want, name ? " (" : "", name ? name : "",
		      name ? ")" : "");
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

static struct err *apply(struct step_env *env, struct step *s)
{
	unsigned input, back;
	bool silent;
	TRY(parse(s->want, &input, &back));
	if (s->data) /* where the launcher, who has forked us, finds what was there before */
		snprintf(s->data, MONITOR_PRIOR_MAX, "%s", s->prior);
	if (streq(s->prior, SILENT) && !back)
		return err_hint(
			err_new("%s does not answer, so it is not known which input to come back to", s->target),
			"set host-input");
	TRY(monitor_switch(env->root, s->target, input, &silent));
	if (silent)
		log_info("monitor %s: silent since it shows the guest; it answers only on the input that it shows",
			 s->target);
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

/* A silent one shows another cable, and we are the ones who sent it there. */
static enum step_whose whose(const struct step *s, const char *now)
{
	unsigned input, back, other, value;
	cleanup_err struct err *bad = parse(s->want, &input, &back), *worse = bad ? NULL : goal(s, &back);
	if (bad || worse || streq(now, SILENT))
		return bad || worse ? STEP_FOREIGN : STEP_WANTED;
	cleanup_err struct err *odd = parse(now, &value, &other);
	if (odd)
		return STEP_FOREIGN;
	return value == back ? STEP_PRIOR : value == input ? STEP_WANTED : STEP_FOREIGN;
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
