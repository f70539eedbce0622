/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scrub: takes out of texts and paths what says whose they are. What is a secret is told by who found it (a serial number that a file
 * holds), or known by its form (a MAC, a UUID, an address). One secret has one stand-in wherever it stands, so that what belonged together
 * still does. Pure.
 */
#pragma once
#include "launcher/base/str.h"

enum scrub_kind { SCRUB_HOST, SCRUB_USER, SCRUB_SERIAL, SCRUB_DISK, SCRUB_PLACE, SCRUB_MAC, SCRUB_UUID, SCRUB_ADDRESS, SCRUB_KINDS };

struct scrub {
	struct scrub_pair {
		enum scrub_kind kind;
		char *secret, *stand_in;
		size_t len;
	} * v;
	size_t n;
	size_t count[SCRUB_KINDS]; /* different ones that were told or found */
	bool sorted;
};
void scrub_free(struct scrub *s);
#define cleanup_scrub cleanup(scrub_free)

/*
 * Tells a secret; nothing happens for one that says nothing ("Default string", all the same character, a PCI address) or that is too short
 * to be looked for in texts. The stand-in is made of its kind ("serial3"), or `stand_in` where that is not NULL.
 */
void scrub_tell(struct scrub *s, enum scrub_kind kind, const char *secret, const char *stand_in);
/* Whether a value is one that firmware and drivers put where they know none. */
bool scrub_says_nothing(const char *value);

/* Where a text is from. */
enum scrub_where {
	SCRUB_KERNEL, /* /sys, /usr: names of people do not stand there, and words like them do */
	SCRUB_TEXT,   /* everything else */
};
/* Replaced by all that is known and by form. Owned by the caller. */
char *scrub_text(struct scrub *s, const char *text, enum scrub_where where);
/* What such a name says of its own: "usb-Maker_Model_0123456789AB-event-kbd" ends its stem in a serial number. Tells it. */
void scrub_tell_by_id(struct scrub *s, const char *name, bool disk);
