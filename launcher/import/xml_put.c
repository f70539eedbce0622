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

static bool same_slot(struct pci_addr a, struct pci_addr b)
{
	a.fn = b.fn = 0;
	return pci_addr_equal(a, b);
}

/* Whether the domain passes the function 0 and another of the slot, in its devices or by arguments: so come graphics cards with their sound. */
static bool is_card(struct xml_import *im, struct pci_addr slot)
{
	struct node *devices = im->whole ? node_child(im->root, "devices") : im->root, *args = node_child(im->root, "qemu:commandline");
	bool has[8] = {};
	for (size_t i = 0; devices && i < devices->n_children; i++) {
		struct node *n = devices->children[i];
		struct pci_addr addr;
		if (streq(n->name, "hostdev") && node_is(n, "type", "pci") &&
		    xml_address(node_child(node_child(n, "source"), "address"), &addr) && same_slot(addr, slot))
			has[addr.fn] = true;
	}
	for (size_t i = 0; args && i < args->n_children; i++) {
		const char *value = streq(args->children[i]->name, "qemu:arg") ? node_attr(args->children[i], "value") : NULL;
		for (unsigned fn = 0; value && fn < ARRAY_SIZE(has); fn++) {
			slot.fn = (uint8_t)fn;
			has[fn] |= strstr(value, pci_addr_text(slot).s + strlen("0000:")) != NULL;
		}
	}
	return has[0] && (has[1] || has[2] || has[3]);
}

struct draft_section *xml_pci_section(struct xml_import *im, struct pci_addr addr)
{
	for (size_t i = 0; i < im->d->n; i++) {
		struct draft_section *s = &im->d->v[i];
		if (str_starts(s->title, "pci ") && streq(draft_get(im->d, s->title, "address"), pci_addr_text(addr).s))
			return s;
	}
	return NULL;
}

/* Each function has a section: IOMMU groups, which this text does not tell of, may part them. */
char *xml_pci(struct xml_import *im, unsigned line, struct pci_addr addr, const char *name, const char *guess)
{
	if (xml_pci_section(im, addr)) {
		draft_note(im->d, NOTE_MINOR, line, "%s is there twice", pci_addr_text(addr).s);
		return NULL;
	}
	const char *known = name ? name : im->host ? im->host->kind(im->host->data, addr) : NULL;
	const char *base = guess ? guess : is_card(im, addr) ? "gpu" : "device";
	cleanup_free char *wish = known ? str_dup(known) : addr.fn && !guess ? str_fmt("%s-fn%u", base, addr.fn) : str_dup(base);
	im->passed = true;
	char *title = draft_title(im->d, "pci", wish);
	draft_set(im->d, line, title, "address", pci_addr_text(addr).s);
	return title;
}
