/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader: the import's reader as a filter, for tests/rule/run, so that a thousand domains an hour are no thousand processes.
 * On standard input "import BYTES", then the text; or "known PATH VALUE", separated by tabs. Each answer is "BYTES", then the text: the
 * configuration and its notes ("times line last text"), or "error: …"; of a known one "inert", "told" or "unknown".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/import.h"
#include "launcher/import/xml.h"

static void answer(const char *text)
{
	printf("%zu\n%s", strlen(text), text);
	fflush(stdout);
}

static void read_domain(const char *text)
{
	cleanup_draft struct draft d = {};
	cleanup_free char *made = NULL;
	cleanup_sb struct sb out = {};
	cleanup_err struct err *e = import_read(text, "t", "/dir", NULL, &d);
	e = e ? e : import_compose(&d, &made);
	if (e)
		sb_addf(&out, "error: %s", err_text(e));
	else
		sb_add(&out, made);
	for (size_t i = 0; i < d.n_notes; i++)
		sb_addf(&out, "\x1e%zu\t%u\t%u\t%s", d.notes[i].times, d.notes[i].line, d.notes[i].last, d.notes[i].text);
	answer(out.s);
}

int main(void)
{
	cleanup_free char *line = NULL;
	size_t room = 0, size = 0;
	for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
		line[n - 1] = '\0';
		if (sscanf(line, "import %zu", &size) == 1 && size < (4 << 20)) {
			cleanup_free char *text = mem_new(size + 1);
			if (fread(text, 1, size, stdin) != size)
				return 1;
			read_domain(text);
		} else if (str_starts(line, "known ")) {
			char *tab = strchr(line, '\t');
			const struct xml_known *k = NULL;
			if (tab) {
				*tab = '\0';
				k = xml_known_find(line + strlen("known "), tab + 1);
			}
			answer(!k ? "unknown" : k->weight == XML_INERT ? "inert" : "told");
		} else {
			return 1;
		}
	}
	return 0;
}
