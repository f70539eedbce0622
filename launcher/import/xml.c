/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: reads a domain by the tables of rules, then says what nobody has read. See xml.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/keys.h"
#include "launcher/import/import.h"
#include "launcher/import/xml.h"

/* Elements that only hold others, each of which has a rule of its own. */
static const char *const containers[] = { "devices", "features", "os", "cpu", "cputune", "memoryBacking", "clock", "pm", NULL };

static bool is_container(const char *path)
{
	for (size_t i = 0; containers[i]; i++)
		if (streq(path, containers[i]))
			return true;
	return false;
}

static const struct xml_rule *find_rule(const char *path)
{
	static const struct xml_rule *const tables[] = { xml_machine_rules, xml_feature_rules, xml_cpu_rules, xml_disk_rules, xml_net_rules,
							 xml_host_rules,    xml_desk_rules,    xml_other_rules, xml_qemu_rules };
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct xml_rule *r = tables[i]; r->path; r++)
			if (streq(r->path, path))
				return r;
	return NULL;
}

static void read_node(struct xml_import *im, struct node *n, const char *path)
{
	const struct xml_rule *rule = find_rule(path);
	n->used |= rule || is_container(path);
	if (rule)
		rule->read(im, n);
	for (size_t i = 0; is_container(path) && i < n->n_children; i++) {
		cleanup_free char *below = str_fmt("%s/%s", path, n->children[i]->name);
		read_node(im, n->children[i], below);
	}
}

/* ---- what nobody has read ---- */

static void note_unread(struct xml_import *im, unsigned line, const char *path, const char *value, const char *what)
{
	const struct xml_known *k = xml_known_find(path, value);
	if (k && k->weight == XML_INERT)
		return;
	if (k)
		draft_note(im->d, (enum draft_weight)k->weight, line, "%s: %s", what, tr(k->why));
	else
		draft_note(im->d, NOTE_MACHINE, line, "%s: qlaunch does not know it, and the machine is without it", what);
}

/* The opening tag as a person would look for it: with its type, model or name, and its text. */
static char *describe(const struct node *n)
{
	static const char *const names[] = { "type", "model", "name", "policy", "device", "mode", "fallback" };
	struct sb out = {};
	sb_addf(&out, "<%s", n->name);
	for (size_t i = 0, told = 0; i < ARRAY_SIZE(names) && !told; i++)
		for (size_t k = 0; k < n->n_attrs && !told; k++)
			if (streq(n->attrs[k].name, names[i])) {
				sb_addf(&out, " %s='%.100s'", names[i], n->attrs[k].value);
				told = 1;
			}
	sb_addf(&out, ">%.200s", n->text);
	return sb_steal(&out);
}

static void sweep(struct xml_import *im, const struct node *n, const char *path)
{
	if (!n->used) {
		const struct xml_known *k = xml_known_find(path, n->text);
		cleanup_free char *what = describe(n);
		if (!k || k->weight != XML_INERT) {
			note_unread(im, n->line, path, n->text, what);
			return;
		}
		if (str_ends(k->path, "/**"))
			return;
	}
	for (size_t i = 0; i < n->n_attrs; i++) {
		const struct node_attr *a = &n->attrs[i];
		cleanup_free char *at = str_fmt("%s@%s", path, a->name), *what = str_fmt("<%s %s='%.200s'>", n->name, a->name, a->value);
		if (!a->used)
			note_unread(im, n->line, at, a->value, what);
	}
	if (n->used && !n->text_used && *n->text) {
		cleanup_free char *at = str_fmt("%s#", path), *what = str_fmt("<%s>%.200s", n->name, n->text);
		note_unread(im, n->line, at, n->text, what);
	}
	for (size_t i = 0; i < n->n_children; i++) {
		cleanup_free char *below = *path ? str_fmt("%s/%s", path, n->children[i]->name) : str_dup(n->children[i]->name);
		sweep(im, n->children[i], below);
	}
}

/* Where an element of a fragment would stand: the first place that a rule or the table of known ones has. */
static char *place_of(const char *name)
{
	if (find_rule(name) || is_container(name))
		return str_dup(name);
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; containers[i]; i++) {
			char *path = str_fmt("%s/%s", containers[i], name);
			if (pass ? xml_known_find(path, "") != NULL : find_rule(path) != NULL)
				return path;
			free(path);
		}
	return str_dup(name);
}

/* ---- what is known only when all has been read ---- */

static void finish_pins(struct xml_import *im)
{
	if (im->own_pins && !cpus_count(&im->emulator) && cpus_count(&im->all_threads)) {
		im->emulator = im->all_threads;
		im->emulator_line = im->pin_line;
	}
	cleanup_free char *place = cpus_format(&im->pinned), *emulator = cpus_format(&im->emulator);
	if (*place && !draft_get(im->d, "cpu", "threads")) /* of a fragment */
		draft_setf(im->d, im->pin_line, "cpu", "threads", "%d", cpus_count(&im->pinned));
	if (*place)
		draft_set(im->d, im->pin_line, "cpu", "place", place);
	if (*emulator)
		draft_set(im->d, im->emulator_line, "cpu", "emulator", emulator);
	if (im->fifo_line && (unsigned)cpus_count(&im->fifo) < im->vcpus)
		draft_note(im->d, NOTE_MINOR, im->fifo_line, "<vcpusched>: some vCPUs are real-time there; here all of them, or none");
}

static int compare_boot(const void *a, const void *b)
{
	const struct boot_device *x = a, *y = b;
	return (x->order > y->order) - (x->order < y->order);
}

/* <boot order=> of the devices, else the first device of each kind of <os>, in that order; libvirt's own is <boot dev='hd'/>. */
static void finish_boot(struct xml_import *im)
{
	cleanup_strv struct strv order = {};
	if (im->n_boot)
		qsort(im->boot, im->n_boot, sizeof(*im->boot), compare_boot);
	for (size_t i = 0; i < im->n_boot; i++)
		if (im->boot[i].order)
			strv_add(&order, im->boot[i].name);
	bool by_device = order.n;
	if (!im->boot_kinds.n && im->whole)
		strv_add(&im->boot_kinds, "hd");
	for (size_t k = 0; !by_device && k < im->boot_kinds.n; k++)
		for (size_t i = 0; i < im->n_boot; i++)
			if (streq(im->boot[i].kind, im->boot_kinds.v[k])) {
				strv_add(&order, im->boot[i].name);
				break;
			}
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

static void finish(struct xml_import *im)
{
	finish_pins(im);
	finish_boot(im);
	cleanup_free char *args = quote(&im->args), *flags = strv_join(&im->flags, " ");
	if (im->args.n)
		draft_set(im->d, im->args_line, "qemu", "args", args);
	if (im->flags.n)
		draft_set(im->d, im->flags_line, "cpu", "flags", flags);
	cleanup_free char *sets = quote(&im->sets);
	if (im->sets.n)
		draft_set(im->d, im->sets_line, "qemu", "set", sets);
	if (im->whole && !draft_get(im->d, "firmware", "type"))
		draft_set(im->d, im->boot_line, "firmware", "type", im->firmware ? "uefi" : "bios");
}

/* What qlaunch's own export wrote for what the XML has no word for: the last word. */
static void read_own(struct xml_import *im)
{
	struct node *own = node_child(node_child(im->root, "metadata"), "qlaunch:machine");
	for (size_t i = 0; own && i < own->n_children; i++) {
		struct node *n = own->children[i];
		const char *section = node_attr(n, "section"), *key = node_attr(n, "key"), *name = node_attr(n, "name");
		if (streq(n->name, "qlaunch:section") && name)
			draft_section(im->d, n->line, name);
		else if (streq(n->name, "qlaunch:set") && section && key)
			draft_replace(im->d, section, key, node_text(n));
		else if (streq(n->name, "qlaunch:unset") && section && key)
			draft_unset(im->d, section, key);
	}
}

static struct err *check_root(const struct xml_import *im)
{
	struct node *root = im->root;
	const char *type = im->whole ? node_attr(root, "type") : NULL;
	if (!im->whole && !streq(root->name, "fragment"))
		return err_exit(err_new("line %u: <%s> is no domain of libvirt's", root->line, root->name), EXIT_CONFIG);
	if (type && !streq(type, "kvm") && !streq(type, "qemu"))
		return err_exit(err_new("line %u: a domain of type %.40s: only kvm and qemu can be carried over", root->line, type),
				EXIT_CONFIG);
	if (type)
		draft_set(im->d, root->line, "vm", "accel", streq(type, "kvm") ? "kvm" : "tcg");
	return NULL;
}

static struct err *read_domain(struct xml_import *im)
{
	struct node *root = im->root;
	TRY(check_root(im));
	root->used = true;
	for (size_t i = 0; i < root->n_children; i++) {
		struct node *n = root->children[i];
		cleanup_free char *path = im->whole ? str_dup(n->name) : place_of(n->name);
		read_node(im, n, path);
	}
	xml_machine_defaults(im);
	finish(im);
	read_own(im);
	if (!im->whole && !im->d->n)
		return err_exit(err_new("line %u: <%s>: no part of a domain of libvirt's", root->n_children ? root->children[0]->line : 1,
					root->n_children ? root->children[0]->name : ""),
				EXIT_CONFIG);
	for (size_t i = 0; i < root->n_children; i++) {
		cleanup_free char *path = im->whole ? str_dup(root->children[i]->name) : place_of(root->children[i]->name);
		sweep(im, root->children[i], path);
	}
	for (size_t i = 0; i < root->n_attrs; i++) {
		cleanup_free char *at = str_fmt("@%s", root->attrs[i].name), *what = str_fmt("<%s %s>", root->name, root->attrs[i].name);
		if (!root->attrs[i].used)
			note_unread(im, root->line, at, root->attrs[i].value, what);
	}
	return NULL;
}

struct err *import_xml(const char *text, const char *name, const struct import_host *host, struct draft *d)
{
	cleanup_node struct node *root = NULL;
	const char *domain = strstr(text, "<domain");
	bool whole = domain && strchr(" \t\r\n>/", domain[7]) && domain[7];
	TRY(node_parse(text, strlen(text), !whole && !str_starts(text + strspn(text, " \t\r\n"), "<?xml"), &root));
	struct xml_import im = { .d = d, .host = host, .root = root, .whole = streq(root->name, "domain") };
	struct err *e = read_domain(&im);
	if (!e && !draft_get(d, "vm", "name")) {
		cleanup_free char *own = draft_name(name);
		draft_set(d, 1, "vm", "name", own);
	}
	for (size_t i = 0; i < im.n_boot; i++)
		free(im.boot[i].name);
	free(im.boot);
	strv_free(&im.boot_kinds);
	strv_free(&im.args);
	strv_free(&im.flags);
	strv_free(&im.sets);
	return e;
}
