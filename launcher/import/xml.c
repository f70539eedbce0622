/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: walks a domain by the tables of rules; what no rule takes is a note. See import.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/import.h"
#include "launcher/import/xml.h"

/* Elements that only hold others. */
static const char *const containers[] = { "devices", "features", "os", "cpu", "cputune", "memoryBacking", "clock", "pm",
					  "qemu:commandline", NULL };

static bool is_container(const char *path)
{
	for (size_t i = 0; containers[i]; i++)
		if (streq(path, containers[i]))
			return true;
	return false;
}

static const struct xml_rule *find_rule(const char *path)
{
	static const struct xml_rule *const tables[] = { xml_machine_rules, xml_cpu_rules, xml_device_rules, xml_desk_rules };
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct xml_rule *r = tables[i]; r->path; r++)
			if (streq(r->path, path))
				return r;
	return NULL;
}

/* What a rule has read of an element and left over. */
static void note_rest(struct xml_import *im, const struct node *n)
{
	for (size_t i = 0; i < n->n_attrs; i++)
		if (!n->attrs[i].used)
			draft_note(im->d, n->line, "<%s %s='%.200s'>", n->name, n->attrs[i].name, n->attrs[i].value);
	for (size_t i = 0; i < n->n_children; i++) {
		const struct node *child = n->children[i];
		if (child->used)
			note_rest(im, child);
		else if (*child->text)
			draft_note(im->d, child->line, "<%s> in <%s>: %.200s", child->name, n->name, child->text);
		else
			draft_note(im->d, child->line, "<%s> in <%s>", child->name, n->name);
	}
}

static void walk(struct xml_import *im, struct node *n, const char *path)
{
	const struct xml_rule *rule = find_rule(path);
	if (rule && !rule->read) {
		node_take(n);
	} else if (rule) {
		n->used = true;
		rule->read(im, n);
		if (!is_container(path))
			note_rest(im, n);
	} else if (!is_container(path)) {
		const char *type = node_attr(n, "type");
		draft_note(im->d, n->line, "<%s%s%s%s>%s%.200s", n->name, type ? " type='" : "", type ? type : "", type ? "'" : "",
			   *n->text ? " " : "", n->text);
		return;
	}
	for (size_t i = 0; is_container(path) && i < n->n_children; i++) {
		cleanup_free char *below = str_fmt("%s/%s", path, n->children[i]->name);
		if (!n->children[i]->used)
			walk(im, n->children[i], below);
	}
	for (size_t i = 0; is_container(path) && i < n->n_attrs; i++)
		if (!n->attrs[i].used)
			draft_note(im->d, n->line, "<%s %s='%.200s'>", n->name, n->attrs[i].name, n->attrs[i].value);
}

/* Where an element of a fragment would stand: the first place that a rule knows. */
static void walk_fragment(struct xml_import *im, struct node *n)
{
	if (find_rule(n->name) || is_container(n->name)) {
		walk(im, n, n->name);
		return;
	}
	for (size_t i = 0; containers[i]; i++) {
		cleanup_free char *path = str_fmt("%s/%s", containers[i], n->name);
		if (find_rule(path)) {
			walk(im, n, path);
			return;
		}
	}
	walk(im, n, n->name);
}

uint64_t xml_size(struct xml_import *im, struct node *n, const char *unit)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = { { "b", 1 }, { "bytes", 1 }, { "KB", 1000 }, { "k", 1 << 10 }, { "KiB", 1 << 10 }, { "MB", 1000000 },
		      { "M", 1 << 20 }, { "MiB", 1 << 20 }, { "GB", 1000000000 }, { "G", 1 << 30 }, { "GiB", 1 << 30 },
		      { "TB", UINT64_C(1000000000000) }, { "T", UINT64_C(1) << 40 }, { "TiB", UINT64_C(1) << 40 } };
	const char *given = node_attr(n, "unit"), *size = node_attr(n, "size");
	const char *text = size ? size : n->text;
	uint64_t value = 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!streq(units[i].unit, given ? given : unit))
			continue;
		err_free(num_parse(text, (UINT64_C(1) << 50) / units[i].bytes, &value));
		value *= units[i].bytes;
	}
	if (!value)
		draft_note(im->d, n->line, "<%s>: no size that makes sense: %.100s %s", n->name, text, given ? given : unit);
	return value;
}

/* ---- what is known only when all has been read ---- */

static void finish_pins(struct xml_import *im)
{
	cleanup_free char *place = cpus_format(&im->pinned), *emulator = cpus_format(&im->emulator);
	if (*place && !draft_get(im->d, "cpu", "threads")) /* of a fragment */
		draft_setf(im->d, im->pin_line, "cpu", "threads", "%d", cpus_count(&im->pinned));
	if (*place)
		draft_set(im->d, im->pin_line, "cpu", "place", place);
	if (*emulator)
		draft_set(im->d, im->emulator_line, "cpu", "emulator", emulator);
}

static int compare_boot(const void *a, const void *b)
{
	const struct boot_device *x = a, *y = b;
	return (x->order > y->order) - (x->order < y->order);
}

/* <boot order=> of the devices, else all devices of the first kind of <os>, then of the second, … */
static void finish_boot(struct xml_import *im)
{
	cleanup_strv struct strv order = {};
	if (im->n_boot)
		qsort(im->boot, im->n_boot, sizeof(*im->boot), compare_boot);
	for (size_t i = 0; i < im->n_boot; i++)
		if (im->boot[i].order)
			strv_add(&order, im->boot[i].name);
	bool by_device = order.n;
	for (size_t k = 0; !by_device && k < im->boot_kinds.n; k++)
		for (size_t i = 0; i < im->n_boot; i++)
			if (streq(im->boot[i].kind, im->boot_kinds.v[k]))
				strv_add(&order, im->boot[i].name);
	cleanup_free char *joined = strv_join(&order, " ");
	if (order.n)
		draft_set(im->d, im->boot_line, "boot", "order", joined);
}

/* Words as [qemu] args splits them again. */
static char *quote(const struct strv *args)
{
	struct sb out = {};
	for (size_t i = 0; i < args->n; i++) {
		const char *word = args->v[i];
		bool plain = *word && !strpbrk(word, " \t\"'\\#");
		sb_add(&out, i ? " " : "");
		if (plain) {
			sb_add(&out, word);
			continue;
		}
		sb_addc(&out, '"');
		for (; *word; word++) {
			if (strchr("\"\\", *word))
				sb_addc(&out, '\\');
			sb_addc(&out, *word);
		}
		sb_addc(&out, '"');
	}
	return sb_steal(&out);
}

static void finish(struct xml_import *im, bool whole)
{
	cleanup_free char *args = quote(&im->args);
	finish_pins(im);
	finish_boot(im);
	if (im->args.n)
		draft_set(im->d, im->args_line, "qemu", "args", args);
	if (whole && !draft_get(im->d, "firmware", "type"))
		draft_set(im->d, im->boot_line, "firmware", "type", im->firmware ? "uefi" : "bios");
}

static struct err *read_domain(struct xml_import *im, struct node *root)
{
	bool whole = streq(root->name, "domain");
	const char *type = whole ? node_attr(root, "type") : NULL;
	if (!whole && !streq(root->name, "fragment"))
		return err_exit(err_new("line %u: <%s> is no domain of libvirt's", root->line, root->name), EXIT_CONFIG);
	if (type && !streq(type, "kvm") && !streq(type, "qemu"))
		return err_exit(err_new("line %u: a domain of type %.40s: only kvm and qemu can be carried over", root->line, type),
				EXIT_CONFIG);
	if (type)
		draft_set(im->d, root->line, "vm", "accel", streq(type, "kvm") ? "kvm" : "tcg");
	node_attr(root, "id");
	for (size_t i = 0; i < root->n_children; i++)
		whole ? walk(im, root->children[i], root->children[i]->name) : walk_fragment(im, root->children[i]);
	for (size_t i = 0; i < root->n_attrs; i++)
		if (!root->attrs[i].used)
			draft_note(im->d, root->line, "<%s %s='%.200s'>", root->name, root->attrs[i].name, root->attrs[i].value);
	finish(im, whole);
	return NULL;
}

struct err *import_xml(const char *text, const char *name, struct draft *d)
{
	cleanup_node struct node *root = NULL;
	struct xml_import im = { .d = d };
	const char *domain = strstr(text, "<domain");
	bool whole = domain && strchr(" \t\r\n>/", domain[7]) && domain[7];
	TRY(node_parse(text, strlen(text), !whole && !str_starts(text + strspn(text, " \t\r\n"), "<?xml"), &root));
	struct err *e = read_domain(&im, root);
	if (!e && !whole && !d->n)
		e = err_exit(err_new("line %u: <%s>: no part of a domain of libvirt's", root->n_children ? root->children[0]->line : 1,
				     root->n_children ? root->children[0]->name : ""),
			     EXIT_CONFIG);
	if (!e && !draft_get(d, "vm", "name")) {
		cleanup_free char *own = import_name(name);
		draft_set(d, 1, "vm", "name", own);
	}
	for (size_t i = 0; i < im.n_boot; i++)
		free(im.boot[i].name);
	free(im.boot);
	strv_free(&im.boot_kinds);
	strv_free(&im.args);
	strv_free(&im.slots);
	return e;
}
