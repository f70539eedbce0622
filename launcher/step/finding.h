/* SPDX-License-Identifier: GPL-2.0-or-later */
/* finding: what `check` says of this host: one judgement, what was seen, and what to do about it. Pure data. */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/str.h"

enum verdict { FINDING_OK, FINDING_WARN, FINDING_BAD }; /* BAD: the machine cannot run here; exit status 4 */

struct finding {
	enum verdict verdict;
	char *topic;  /* one word: "iommu", "group", "disk": stable, in `check --json` */
	char *text;   /* what was seen, one line */
	char *remedy; /* what to do, one line, commands where there are any; NULL where there is nothing to do */
};
struct findings {
	struct finding *v;
	size_t n;
	bool terse; /* nobody reads what is fine: FINDING_OK is not kept, and who asks looks up nothing for it alone */
};

/* Appends one; takes over `text` and `remedy` (from str_fmt), copies `topic`. */
void findings_add(struct findings *f, enum verdict verdict, const char *topic, char *text, char *remedy);
/* A FINDING_BAD of an error and its remedy; takes over `e`, NULL adds nothing. */
void findings_add_err(struct findings *f, const char *topic, struct err *e);
enum verdict findings_worst(const struct findings *f);
void findings_free(struct findings *f);
#define cleanup_findings cleanup(findings_free)
