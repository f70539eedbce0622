/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node: XML as a tree in bounded memory: no document type, so no entities, no network, at most NODES_MAX elements and
 * NODE_DEPTH_MAX levels. Whoever reads a node marks what they took: what is left unmarked was not understood.
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
	bool used;  /* the element, not what is in it */
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
/* The first child of the name, marked with its text; NULL. */
struct node *node_child(struct node *n, const char *name);
/* The whole of it, marked: there is nothing in it to carry over. */
void node_take(struct node *n);
