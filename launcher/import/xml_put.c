/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: where what was read is put: keys, arguments of QEMU's, flags of the CPU, sections. What the readers share; see xml.h. */
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/xml.h"

uint64_t xml_size(struct xml_import *im, struct node *n, const char *unit)
{
	const char *given = node_attr(n, "unit"), *size = node_attr(n, "size");
	const char *text = size ? size : node_text(n), *used = given ? given : unit;
	uint64_t value = 0;
	if (!xml_scale(text, used, &value) || !value)
		draft_note(im->d, NOTE_MACHINE, n->line, "<%s>: no size that makes sense: %.100s %s", n->name, text, used);
	return value;
}

static void add_line(unsigned *line, unsigned now)
{
	*line = *line ? *line : now;
}

void xml_arg(struct xml_import *im, unsigned line, const char *option, const char *fmt, ...)
{
	va_list ap;
	struct sb text = {};
	va_start(ap, fmt);
	sb_vaddf(&text, fmt, ap);
	va_end(ap);
	cleanup_free char *value = sb_steal(&text);
	strv_add(&im->args, option);
	strv_add(&im->args, value);
	add_line(&im->args_line, line);
}

bool xml_key(struct xml_import *im, unsigned line, const char *section, const char *key, const char *value)
{
	cleanup_free char *kind = str_ndup(section, strcspn(section, " "));
	if (!conf_key_find(kind, key))
		return false;
	draft_set(im->d, line, section, key, value);
	return true;
}

void xml_flag(struct xml_import *im, unsigned line, const char *fmt, ...)
{
	va_list ap;
	struct sb text = {};
	va_start(ap, fmt);
	sb_vaddf(&text, fmt, ap);
	va_end(ap);
	cleanup_free char *flag = sb_steal(&text);
	char *end = strrchr(flag, '=');
	bool on = str_ends(flag, "=on"), off = str_ends(flag, "=off");
	if (conf_key_find("cpu", "flags"))
		strv_addf(&im->flags, "%s%.*s", on ? "+" : off ? "-" : "", (int)(on || off ? end - flag : (ptrdiff_t)strlen(flag)), flag);
	else
		draft_note(im->d, NOTE_MACHINE, line, "the flag %.100s of the CPU is not carried over", flag);
	add_line(&im->flags_line, line);
}

const char *xml_name(struct node *n, const char *otherwise)
{
	const char *alias = node_attr(node_child(n, "alias"), "name");
	return alias && str_starts(alias, "ua-") && alias[3] ? alias + 3 : otherwise;
}

bool xml_address(struct node *address, struct pci_addr *ret_addr)
{
	static const char *const parts[] = { "domain", "bus", "slot", "function" };
	static const unsigned long most[] = { 0xffffffff, 0xff, 0x1f, 7 };
	unsigned long v[4] = {};
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *text = node_attr(address, parts[i]);
		any |= text != NULL;
		if (text && !xml_uint(text, most[i], &v[i]))
			return false;
	}
	*ret_addr = (struct pci_addr){ (uint32_t)v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3] };
	return any;
}

void xml_boot(struct xml_import *im, struct node *n, const char *kind, const char *title)
{
	struct node *boot = node_child(n, "boot");
	unsigned long order = 0;
	if (boot && xml_decimal(node_attr(boot, "order"), 100000, &order))
		im->boot_line = boot->line;
	im->boot = mem_grow(im->boot, im->n_boot, sizeof(*im->boot));
	im->boot[im->n_boot++] = (struct boot_device){ (unsigned)order, kind, str_dup(strchr(title, ' ') + 1) };
}

/* Each function has a section: IOMMU groups, which this text does not tell of, may part them. */
char *xml_pci(struct xml_import *im, unsigned line, struct pci_addr addr, const char *name)
{
	cleanup_free char *slot = str_fmt("%04x:%02x:%02x", addr.domain, addr.bus, addr.dev);
	cleanup_free char *first = im->slots.n ? str_dup(im->slots.v[0]) : NULL;
	bool card = !first || streq(first, slot);
	cleanup_free char *wish = name ? str_dup(name) : card ? addr.fn ? str_fmt("gpu-fn%u", addr.fn) : str_dup("gpu") : str_dup("device");
	for (size_t i = 0; i < im->d->n; i++) {
		const char *have = str_starts(im->d->v[i].title, "pci ") ? draft_get(im->d, im->d->v[i].title, "address") : NULL;
		if (streq(have, pci_addr_text(addr).s)) {
			draft_note(im->d, NOTE_MINOR, line, "%s is there twice", have);
			return NULL;
		}
	}
	if (!strv_has(&im->slots, slot))
		strv_add(&im->slots, slot);
	char *title = draft_title(im->d, "pci", wish);
	draft_set(im->d, line, title, "address", pci_addr_text(addr).s);
	return title;
}
