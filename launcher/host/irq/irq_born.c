/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * irq_born: the interrupts that are made while a guest runs begin on the host's CPUs alone, and keep that when the default has been put
 * back: a device that is plugged in meanwhile, the line interrupt of a card that vfio-pci used. This kind widens them, last of all that
 * irq.c does.
 *
 * Its value is which interrupts are on exactly the CPUs of `want`. Those that were before are not ours; all that were moved there by a
 * step are back by the time of its undo.
 */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/irq/irq.h"

#define DIR "/proc/irq"

/* The numbers of those on exactly `cpus`, as texts in order. */
static struct err *find_on(struct root *root, const char *cpus, struct strv *ret_numbers)
{
	cleanup_strv struct strv all = {};
	struct cpus want, has;
	TRY(cpus_parse(cpus, &want));
	struct err *e = root_list(root, DIR, &all);
	if (e && err_code(e) != ENOENT)
		return e;
	err_free(e); /* a captured tree may have none */
	for (size_t i = 0; i < all.n; i++) {
		char *end;
		unsigned long irq = strtoul(all.v[i], &end, 10);
		if (!*end && irq_affinity_read(root, (unsigned)irq, &has) && cpus_equal(&has, &want))
			strv_add(ret_numbers, all.v[i]);
	}
	return NULL;
}

static char *describe(const struct step *s)
{
	return tr_fmt("watch for interrupts that begin on CPUs %s", s->want);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_strv struct strv numbers = {};
	TRY(find_on(env->root, s->want, &numbers));
	cleanup_free char *list = strv_join(&numbers, " ");
	*ret_value = str_fmt("there: %s", numbers.n ? list : "none");
	return NULL;
}

/* It is the record that counts: which were there before. */
static struct err *apply(struct step_env *env, struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	cleanup_strv struct strv numbers = {}, before = {};
	cleanup_free char *everywhere = NULL;
	TRY(root_read(env->root, IRQ_DEFAULT_AFFINITY, &everywhere));
	TRY(find_on(env->root, s->want, &numbers));
	strv_split(&before, s->prior, " ");
	for (size_t i = 0; i < numbers.n; i++) {
		cleanup_free char *path = str_fmt(DIR "/%s/smp_affinity", numbers.v[i]);
		struct err *e = strv_has(&before, numbers.v[i]) ? NULL : root_write(env->root, path, everywhere);
		if (!irq_stays(e))
			return e;
		err_free(e);
	}
	return NULL;
}

static enum step_whose whose(const struct step *s, const char *now)
{
	return streq(now, s->prior) ? STEP_PRIOR : STEP_WANTED;
}

const struct step_kind irq_born_kind = {
	.name = "new-interrupts",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};
