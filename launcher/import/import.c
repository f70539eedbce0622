/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: see import.h. */
#include "launcher/import/import.h"

struct err *import_read(const char *text, const char *name, const char *dir, const struct import_host *host, struct draft *ret_draft)
{
	static const char bom[] = "\xef\xbb\xbf";
	cleanup_draft struct draft d = {};
	text += str_starts(text, bom) ? sizeof(bom) - 1 : 0;
	const char *first = text + strspn(text, " \t\r\n");
	bool xml = *first == '<';
	d.source = xml ? "libvirt's domain XML" : "quickemu";
	TRY(xml ? import_xml(text, name, host, &d) : import_quickemu(text, name, dir, &d));
	*ret_draft = d;
	d = (struct draft){};
	return NULL;
}

struct err *import_compose(struct draft *d, char **ret_text)
{
	cleanup_free char *head = str_fmt("Imported from %s. All keys: man qlaunch.conf", d->source);
	return draft_finish(d, head, ret_text);
}
