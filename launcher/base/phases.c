/* SPDX-License-Identifier: GPL-2.0-or-later */
/* phases: see phases.h. */
#include "launcher/base/clock.h"
#include "launcher/base/clock.h"
#include "launcher/base/phases.h"
#include "launcher/base/str.h"

void phase_end(struct phases *p, const char *name)
{
	uint64_t last = p->begun_us;
	for (size_t i = 0; i < p->n; i++)
		last += p->v[i].us;
	if (p->n < PHASES_MAX)
		p->v[p->n++] = (struct phase){ name, clock_us() - last };
}

json_t *phases_json(const struct phases *p)
{
	json_t *o = json_object();
	for (size_t i = 0; i < p->n; i++)
		json_object_set_new(o, p->v[i].name, json_real((double)p->v[i].us / 1000));
	return o;
}

char *phases_text(const struct phases *p)
{
	cleanup_strv struct strv words = {};
	for (size_t i = 0; i < p->n; i++)
		strv_addf(&words, "%s %.1f", p->v[i].name, (double)p->v[i].us / 1000);
	return strv_join(&words, ", ");
}
