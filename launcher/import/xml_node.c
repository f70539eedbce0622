/* SPDX-License-Identifier: GPL-2.0-or-later */
/* node: see node.h. The only file that knows libxml2. */
#include <libxml/xmlreader.h>
#include <stdlib.h>
#include "launcher/base/late.h"
#include "launcher/base/libxml2.h"
#include "launcher/import/xml_node.h"

#define NODES_MAX 10000
#define EQUALS_MAX 2000 /* in a tag: the parser compares each attribute with every other */
#define NODE_DEPTH_MAX 32
#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error; /* its handler's argument */
#else
typedef xmlErrorPtr xml_error;
#endif
#define XML_FUNCTIONS(X) \
	X(xmlReaderForMemory) X(xmlFreeTextReader) X(xmlTextReaderSetStructuredErrorHandler) X(xmlTextReaderRead) X(xmlTextReaderDepth) \
	X(xmlTextReaderNodeType) X(xmlTextReaderConstName) X(xmlTextReaderConstValue) X(xmlTextReaderIsEmptyElement) \
	X(xmlTextReaderMoveToNextAttribute) X(xmlTextReaderMoveToElement) X(xmlTextReaderCurrentNode) X(xmlGetLineNo)

static struct LATE_TABLE(XML_FUNCTIONS) xml;

struct reading {
	struct node *root, *at;
	size_t n_nodes;
	struct err *error; /* the first one of the parser */
};

void node_free(struct node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n_attrs; i++) {
		free(n->attrs[i].name);
		free(n->attrs[i].value);
	}
	for (size_t i = 0; i < n->n_children; i++)
		node_free(n->children[i]);
	free(n->attrs);
	free(n->children);
	free(n->name);
	free(n->text);
	free(n);
}

void node_freep(struct node **n)
{
	node_free(*n);
}

/* A namespace that is not declared is no mistake: libvirt's own fragments do without. */
static void complain(void *data, xml_error e)
{
	struct reading *r = data;
	if (r->error || e->level < XML_ERR_ERROR || e->domain == XML_FROM_NAMESPACE)
		return;
	cleanup_free char *text = str_printable(e->message ? e->message : "not XML");
	char *end = strstr(text, "\\x0a");
	if (end)
		*end = '\0';
	r->error = err_new("line %d: %s", e->line, text);
}

static void add_attrs(xmlTextReaderPtr reader, struct node *n)
{
	while (xml.xmlTextReaderMoveToNextAttribute(reader) == 1) {
		const char *name = (const char *)xml.xmlTextReaderConstName(reader);
		const char *value = (const char *)xml.xmlTextReaderConstValue(reader);
		if (!name || str_starts(name, "xmlns"))
			continue;
		n->attrs = mem_grow(n->attrs, n->n_attrs, sizeof(*n->attrs));
		n->attrs[n->n_attrs++] = (struct node_attr){ .name = str_dup(name), .value = str_dup(value ? value : "") };
	}
	xml.xmlTextReaderMoveToElement(reader);
}

static struct err *begin(xmlTextReaderPtr reader, struct reading *r)
{
	const char *name = (const char *)xml.xmlTextReaderConstName(reader);
	bool empty = xml.xmlTextReaderIsEmptyElement(reader);
	if (++r->n_nodes > NODES_MAX)
		return err_new("more than %d elements: that is no machine", NODES_MAX);
	if (xml.xmlTextReaderDepth(reader) >= NODE_DEPTH_MAX)
		return err_new("elements nested deeper than %d: that is no machine", NODE_DEPTH_MAX);
	struct node *n = mem_new(sizeof(*n)), *p = r->at;
	n->name = str_dup(name ? name : "");
	n->line = (unsigned)xml.xmlGetLineNo(xml.xmlTextReaderCurrentNode(reader));
	n->parent = p;
	if (p) {
		p->children = mem_grow(p->children, p->n_children, sizeof(struct node *));
		p->children[p->n_children++] = n;
	} else {
		r->root = n;
	}
	add_attrs(reader, n);
	r->at = empty ? p : n;
	if (empty)
		n->text = str_dup("");
	return NULL;
}

static void add_text(xmlTextReaderPtr reader, struct reading *r)
{
	const char *value = (const char *)xml.xmlTextReaderConstValue(reader);
	if (!r->at || !value)
		return;
	char *joined = str_fmt("%s%s", r->at->text ? r->at->text : "", value);
	free(r->at->text);
	r->at->text = joined;
}

static void end(struct reading *r)
{
	struct node *n = r->at;
	cleanup_free char *raw = n->text ? n->text : str_dup("");
	n->text = str_dup(str_trim(raw));
	r->at = n->parent;
}

static struct err *take(xmlTextReaderPtr reader, struct reading *r)
{
	switch (xml.xmlTextReaderNodeType(reader)) {
	case XML_READER_TYPE_ELEMENT:
		return begin(reader, r);
	case XML_READER_TYPE_END_ELEMENT:
		end(r);
		return NULL;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
		add_text(reader, r);
		return NULL;
	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
		return err_new("a document type or an entity: not of a machine's description, and not followed");
	default:
		return NULL;
	}
}

static void close_all(struct reading *r)
{
	while (r->at)
		end(r);
}

static struct err *read_all(xmlTextReaderPtr reader, struct reading *r)
{
	int more;
	struct err *e = NULL;
	while (!e && !r->error && (more = xml.xmlTextReaderRead(reader)) == 1)
		e = take(reader, r);
	close_all(r);
	if (e || r->error) {
		struct err *first = steal(r->error);
		if (e)
			err_free(first);
		return e ? e : first;
	}
	return r->root && more == 0 ? NULL : err_new("it is not XML to its end");
}

/* Whether a tag has more attributes than any machine's: "<" cannot be in an attribute, "=" is in each. */
static bool swollen(const char *text, size_t length)
{
	size_t equals = 0;
	for (size_t i = 0; i < length && equals <= EQUALS_MAX; i++)
		equals = text[i] == '<' ? 0 : equals + (text[i] == '=');
	return equals > EQUALS_MAX;
}

struct err *node_parse(const char *text, size_t length, bool wrap, struct node **ret_root)
{
	static const char *const functions[] = LATE_NAMES(XML_FUNCTIONS);
	struct reading r = {};
	cleanup_sb struct sb all = {};
	/* Refused before it is parsed; what expands is declared there. A text in another encoding has no such bytes, and is
	 * refused for its own: it is read as UTF-8. */
	if (memmem(text, length, "<!DOCTYPE", 9) || memmem(text, length, "<!ENTITY", 8))
		return err_exit(err_new("it has a document type: no machine's description has one, and entities are not followed"),
				EXIT_CONFIG);
	if (swollen(text, length))
		return err_exit(err_new("an element with thousands of attributes: that is no machine"), EXIT_CONFIG);
	if (wrap)
		sb_add(&all, "<fragment>");
	sb_addn(&all, text, length);
	if (wrap)
		sb_add(&all, "</fragment>");
	if (all.len > INT32_MAX)
		return err_exit(err_new("it is too large"), EXIT_CONFIG);
	TRY(late_load(LIBXML2, functions, &xml));
	xmlTextReaderPtr reader =
		xml.xmlReaderForMemory(all.s ? all.s : "", (int)all.len, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_NOWARNING);
	if (!reader)
		return err_new("no XML reader");
	xml.xmlTextReaderSetStructuredErrorHandler(reader, complain, &r);
	struct err *e = read_all(reader, &r);
	xml.xmlFreeTextReader(reader);
	if (e)
		node_free(r.root);
	else
		*ret_root = r.root;
	return err_exit(e, EXIT_CONFIG);
}

const char *node_attr(struct node *n, const char *name)
{
	for (size_t i = 0; n && i < n->n_attrs; i++) {
		if (!streq(n->attrs[i].name, name))
			continue;
		n->attrs[i].used = true;
		return n->attrs[i].value;
	}
	return NULL;
}

bool node_is(struct node *n, const char *name, const char *value)
{
	const char *have = node_attr(n, name);
	return have && streq(have, value);
}

struct node *node_child(struct node *n, const char *name)
{
	for (size_t i = 0; n && i < n->n_children; i++) {
		if (!streq(n->children[i]->name, name))
			continue;
		n->children[i]->used = true;
		return n->children[i];
	}
	return NULL;
}

const char *node_text(struct node *n)
{
	if (!n)
		return "";
	n->used = n->text_used = true;
	return n->text;
}

void node_take(struct node *n)
{
	n->used = n->text_used = true;
	for (size_t i = 0; i < n->n_attrs; i++)
		n->attrs[i].used = true;
	for (size_t i = 0; i < n->n_children; i++)
		node_take(n->children[i]);
}
