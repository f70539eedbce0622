/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory: is there enough of it, and in huge pages where they are wanted
 * (Documentation/admin-guide/mm/hugetlbpage.rst).
 *
 * Huge pages are taken per NUMA node, where the guest's CPUs are, and as many as it has CPUs there. The counter is everybody's: a step adds
 * its pages to it and takes as many away again, whatever others did meanwhile. Pages that are there and free are used first.
 * Writes nr_hugepages, and, where the kernel grants fewer than asked, drop_caches and compact_memory, which keep
 * nothing. Locks and allocates nothing itself.
 */
#pragma once
#include "launcher/base/num.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

enum { MEMORY_2M, MEMORY_1G, MEMORY_SIZES };

struct memory_node {
	int id;               /* -1: this kernel knows no nodes */
	struct cpus cpus;     /* empty with -1: all */
	uint64_t total, free; /* bytes */
	struct {
		bool there; /* the CPU and the kernel have pages of this size */
		uint64_t pages, free;
	} huge[MEMORY_SIZES];
};

struct memory_facts {
	struct memory_node *nodes; /* nothing but their ids where no huge pages are asked for */
	size_t n_nodes;
	uint64_t total, available; /* bytes, of the whole host */
	char *transparent;         /* "always", "madvise" or "never"; NULL where the kernel has none */
	uint64_t default_page;     /* bytes, of the huge pages that the kernel takes where none are said; 0 without any */
};

/* Shares out `size` bytes in whole pages of `page` bytes (the last share takes what is no whole page), by weights: ret_shares[i] is of
 * weights[i], and all of them together are `size`. */
void memory_split(uint64_t size, uint64_t page, const unsigned *weights, size_t n, uint64_t *ret_shares);

/* Nodes, pools of huge pages (pages, not bytes) and what is free. Owned by the caller. */
struct err *memory_facts_read(struct root *root, const struct config *c, struct memory_facts *ret_facts);
void memory_facts_free(struct memory_facts *f);
#define cleanup_memory_facts cleanup(memory_facts_free)

/*
 * What `c` comes to on this host for a guest on the CPUs `guest`: HUGEPAGES_AUTO and HUGEPAGES_DEFAULT become one of the others, those stay
 * as they are. ret_why: why, in a few words, for who asked for AUTO; else NULL; owned by the caller.
 */
enum hugepages memory_pages_choose(const struct config *c, const struct memory_facts *f, const struct cpus *guest, char **ret_why);

/* The steps that take huge pages on the nodes of `guest`; and what speaks against them, as findings. */
void memory_steps(struct steps *out, const struct config *c, const struct memory_facts *f, const struct cpus *guest);
void memory_check(struct findings *out, const struct config *c, const struct memory_facts *f, const struct cpus *guest);

/*
 * ".../nr_hugepages", the number of pages, wanted as "+16". More than asked for is somebody else's and stays; short
 * grants are released before the error returns.
 */
extern const struct step_kind hugepages_kind;
