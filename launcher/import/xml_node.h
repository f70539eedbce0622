/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node: XML as a tree in bounded memory: no document type, so no entities, no network, at most NODES_MAX elements and
 * NODE_DEPTH_MAX levels. Whoever reads an element, an attribute or a text marks it by that alone: what is left unmarked was not read.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct node_attr {
	char *name, *value;
	bool used;
};
struct node {
	char *name; /* with its prefix: "qemu:arg" */
	char *text; /* its own, trimmed; never NULL */
	unsigned line;
	bool used; /* the element, not what is in it */
	bool text_used;
	struct node_attr *attrs;
	size_t n_attrs;
	struct node *parent, **children;
	size_t n_children;
};

/* The root is the document's element; where `wrap` is set, an element "fragment" with all elements of the text in it. */
struct err *node_parse(const char *text, size_t length, bool wrap, struct node **ret_root);
void node_free(struct node *n);
void node_freep(struct node **n);
#define cleanup_node cleanup(node_freep)

/* The attribute's value, marked; NULL where there is none, or no node. */
const char *node_attr(struct node *n, const char *name);
/* Whether the attribute, marked, has that value. */
bool node_is(struct node *n, const char *name, const char *value);
/* The first child of the name, marked, but not its text; NULL. */
struct node *node_child(struct node *n, const char *name);
/* The element and its text, marked; "" where it has none, or where there is no node. */
const char *node_text(struct node *n);
/* The whole of it, marked: for who has said of all of it what becomes of it. */
void node_take(struct node *n);
