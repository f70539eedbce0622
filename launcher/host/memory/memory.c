/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory: see memory.h. What there is, and what is to be done; reads only. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/memory/memory.h"

#define NODES "/sys/devices/system/node"
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"

static const struct {
	uint64_t bytes;
	const char *dir, *name;
} sizes[MEMORY_SIZES] = {
	[MEMORY_2M] = { UINT64_C(2) << 20, "hugepages-2048kB", "2M" },
	[MEMORY_1G] = { UINT64_C(1) << 30, "hugepages-1048576kB", "1G" },
};

/* The value of "Key:   123 kB" in bytes, 0 where it is not; a node's lines begin with "Node 0 ". */
static uint64_t meminfo(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	unsigned long long kib = 0;
	return at && sscanf(at + strlen(key), ": %llu", &kib) == 1 ? (uint64_t)kib << 10 : 0;
}

static uint64_t number(struct root *root, const char *dir, const char *file)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, file), *text = root_read_or(root, path, "");
	uint64_t value = 0;
	err_free(num_parse(text, UINT64_MAX, &value));
	return value;
}

static char *huge_dir(int node, int size)
{
	return node < 0 ? str_fmt("/sys/kernel/mm/hugepages/%s", sizes[size].dir)
			: str_fmt(NODES "/node%d/hugepages/%s", node, sizes[size].dir);
}

static void node_read(struct root *root, struct memory_node *node)
{
	cleanup_free char *path = str_fmt(NODES "/node%d/cpulist", node->id), *list = root_read_or(root, path, "");
	err_free(cpus_parse(list, &node->cpus));
	for (int size = 0; size < MEMORY_SIZES; size++) {
		cleanup_free char *dir = huge_dir(node->id, size);
		node->huge[size].there = root_exists(root, dir);
		node->huge[size].pages = number(root, dir, "nr_hugepages");
		node->huge[size].free = number(root, dir, "free_hugepages");
	}
}

static struct memory_node *node_add(struct memory_facts *f, int id)
{
	f->nodes = mem_grow(f->nodes, f->n_nodes, sizeof(*f->nodes));
	f->nodes[f->n_nodes].id = id;
	return &f->nodes[f->n_nodes++];
}

/* Which there are; and, for huge pages, what eight files say of each. */
static void read_nodes(struct root *root, const char *host, bool huge, struct memory_facts *f)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, NODES, &names)); /* a kernel without NUMA has none */
	for (size_t i = 0; i < names.n; i++) {
		int id;
		char end;
		if (sscanf(names.v[i], "node%d%c", &id, &end) != 1 || id < 0)
			continue;
		struct memory_node *node = node_add(f, id);
		if (!huge)
			continue;
		cleanup_free char *path = str_fmt(NODES "/%s/meminfo", names.v[i]), *info = root_read_or(root, path, "");
		node->total = meminfo(info, "MemTotal");
		node->free = meminfo(info, "MemFree");
		node_read(root, node);
	}
	if (f->n_nodes)
		return;
	struct memory_node *all = node_add(f, -1);
	all->total = f->total;
	all->free = meminfo(host, "MemFree");
	if (huge)
		node_read(root, all);
}

struct err *memory_facts_read(struct root *root, const struct config *c, struct memory_facts *ret_facts)
{
	struct memory_facts f = {};
	cleanup_free char *text = root_read_or(root, "/proc/meminfo", ""), *thp = root_read_or(root, THP, "");
	f.total = meminfo(text, "MemTotal");
	f.available = meminfo(text, "MemAvailable");
	f.default_page = meminfo(text, "Hugepagesize");
	read_nodes(root, text, !c || (c->memory.hugepages != HUGEPAGES_OFF && c->memory.hugepages != HUGEPAGES_TRANSPARENT), &f);
	const char *open = strchr(thp, '[');
	f.transparent = open ? str_ndup(open + 1, strcspn(open + 1, "]")) : NULL;
	*ret_facts = f;
	return NULL;
}

void memory_facts_free(struct memory_facts *f)
{
	free(f->nodes);
	free(f->transparent);
	*f = (struct memory_facts){};
}

void memory_split(uint64_t size, uint64_t page, const unsigned *weights, size_t n, uint64_t *ret_shares)
{
	uint64_t pages = size / page, given = 0, weight = 0, all = 0;
	for (size_t i = 0; i < n; i++)
		all += weights[i];
	for (size_t i = 0; i < n; i++) {
		weight += weights[i];
		uint64_t until = i + 1 == n ? pages : all ? (pages * weight + all - 1) / all : 0;
		ret_shares[i] = (until - given) * page;
		given = until;
	}
	if (n)
		ret_shares[n - 1] += size % page;
}

/* What one node is to give: its share of the pages, and how many of them are not there and free yet. */
struct share {
	const struct memory_node *node;
	uint64_t pages, missing;
};

/* Fills in `shares` (room for n_nodes) and returns how many there are; none where no node has CPUs of the guest. */
static size_t share_out(const struct config *c, const struct memory_facts *f, const struct cpus *guest, int size, struct share *shares)
{
	size_t n = 0;
	cleanup_free unsigned *weights = mem_new((f->n_nodes + 1) * sizeof(*weights));
	cleanup_free uint64_t *bytes = mem_new((f->n_nodes + 1) * sizeof(*bytes));
	for (size_t i = 0; i < f->n_nodes; i++) {
		struct cpus both = cpus_and(&f->nodes[i].cpus, guest);
		weights[n] = f->nodes[i].id < 0 ? 1 : (unsigned)cpus_count(&both);
		if (weights[n])
			shares[n++].node = &f->nodes[i];
	}
	memory_split(c->memory.size, sizes[size].bytes, weights, n, bytes);
	for (size_t i = 0; i < n; i++) {
		uint64_t own = bytes[i] / sizes[size].bytes, there = shares[i].node->huge[size].free;
		shares[i].pages = own;
		shares[i].missing = own > there ? own - there : 0;
	}
	return n;
}

static int huge_size(const struct config *c)
{
	return c->memory.hugepages == HUGEPAGES_1G ? MEMORY_1G : c->memory.hugepages == HUGEPAGES_2M ? MEMORY_2M : -1;
}

static char *share_obstacle(const struct config *c, const struct share *s, int size)
{
	if (c->memory.size % sizes[size].bytes)
		return tr_fmt("memory.size is no multiple of %s", sizes[size].name);
	if (!s->node->huge[size].there)
		return tr_fmt("this host has no huge pages of %s%s", sizes[size].name,
			      size == MEMORY_1G ? _(" (its CPU has no pdpe1gb): choose 2M") : "");
	if (s->missing * sizes[size].bytes > s->node->total)
		return tr_fmt("node %d has %" PRIu64 " MiB of memory in all", s->node->id, s->node->total >> 20);
	return NULL;
}

/* What keeps a guest from pages of this size here and now, NULL for nothing. Of 1 GiB as many are to be free already: a kernel that has run
 * for a while finds none. */
static char *pages_missing(const struct config *c, const struct memory_facts *f, const struct cpus *guest, int size)
{
	cleanup_free struct share *shares = mem_new((f->n_nodes + 1) * sizeof(*shares));
	size_t n = share_out(c, f, guest, size, shares);
	uint64_t missing = 0;
	for (size_t i = 0; i < n; i++) {
		char *obstacle = share_obstacle(c, &shares[i], size);
		if (obstacle)
			return obstacle;
		missing += shares[i].missing;
	}
	if (missing && size == MEMORY_1G)
		return tr_fmt("free pages of 1G are missing: %" PRIu64, missing);
	if (missing * sizes[size].bytes > f->available)
		return tr_fmt("%" PRIu64 " MiB are available", f->available >> 20);
	return n ? NULL : tr_dup("no memory is where the guest's CPUs are");
}

enum hugepages memory_pages_choose(const struct config *c, const struct memory_facts *f, const struct cpus *guest, char **ret_why)
{
	*ret_why = NULL;
	if (c->memory.hugepages == HUGEPAGES_DEFAULT)
		return f->default_page == sizes[MEMORY_1G].bytes ? HUGEPAGES_1G : HUGEPAGES_2M;
	if (c->memory.hugepages != HUGEPAGES_AUTO)
		return c->memory.hugepages;
	cleanup_free char *no_1g = pages_missing(c, f, guest, MEMORY_1G);
	if (!no_1g)
		return HUGEPAGES_1G;
	cleanup_free char *no_2m = pages_missing(c, f, guest, MEMORY_2M);
	*ret_why = no_2m ? tr_fmt("not 1G: %s; not 2M: %s", no_1g, no_2m) : tr_fmt("not 1G: %s", no_1g);
	return no_2m ? HUGEPAGES_TRANSPARENT : HUGEPAGES_2M;
}

void memory_steps(struct steps *out, const struct config *c, const struct memory_facts *f, const struct cpus *guest)
{
	int size = huge_size(c);
	if (c->memory.hugepages == HUGEPAGES_TRANSPARENT && streq(f->transparent, "never"))
		steps_add(out, &attr_kind, THP, "madvise", "QEMU asks for huge pages for the guest's memory")->optional = true;
	if (size < 0)
		return;
	cleanup_free struct share *shares = mem_new((f->n_nodes + 1) * sizeof(*shares));
	size_t n = share_out(c, f, guest, size, shares);
	for (size_t i = 0; i < n; i++) {
		if (!shares[i].missing)
			continue;
		cleanup_free char *dir = huge_dir(shares[i].node->id, size), *path = str_fmt("%s/nr_hugepages", dir);
		cleanup_free char *want = str_fmt("+%" PRIu64, shares[i].missing);
		struct step *s = steps_add(out, &hugepages_kind, path, want, "fewer TLB misses in the guest, no swapping of it");
		s->obstacle = share_obstacle(c, &shares[i], size);
	}
}

/* Huge pages: what is missing must at least be free now, or be made free of caches. */
static void check_huge(struct findings *out, const struct config *c, const struct memory_facts *f, const struct cpus *guest, int size)
{
	cleanup_free struct share *shares = mem_new((f->n_nodes + 1) * sizeof(*shares));
	size_t n = share_out(c, f, guest, size, shares);
	uint64_t missing = 0;
	for (size_t i = 0; i < n; i++) {
		char *obstacle = share_obstacle(c, &shares[i], size);
		missing += shares[i].missing;
		if (obstacle) {
			findings_add(out, FINDING_BAD, "memory", obstacle, tr_dup("change memory.hugepages or memory.size"));
			return;
		}
	}
	if (missing * sizes[size].bytes > f->available)
		findings_add(out, FINDING_BAD, "memory",
			     tr_fmt("%" PRIu64 " huge pages of %s are missing, and %" PRIu64 " MiB are available", missing,
				    sizes[size].name, f->available >> 20),
			     tr_dup("end programs, or choose a smaller memory.size"));
	else if (missing && size == MEMORY_1G)
		findings_add(out, FINDING_WARN, "memory", tr_fmt("%" PRIu64 " huge pages of 1G are to be found in one piece each", missing),
			     tr_fmt("reserve them at boot if the kernel cannot: hugepagesz=1G hugepages=%" PRIu64,
				    c->memory.size / sizes[size].bytes));
	else
		findings_add(out, FINDING_OK, "memory", tr_fmt("huge pages of %s: %" PRIu64 " are to be made", sizes[size].name, missing),
			     NULL);
}

void memory_check(struct findings *out, const struct config *c, const struct memory_facts *f, const struct cpus *guest)
{
	int size = huge_size(c);
	cleanup_free char *wanted = size_format(c->memory.size);
	if (!f->total)
		return;
	if (size >= 0) {
		check_huge(out, c, f, guest, size);
		return;
	}
	/* what a device can write to is locked, whatever the pages: all of it is taken before the guest's first instruction */
	bool locked = c->n_pci || c->n_mdevs;
	char *text = tr_fmt("the guest wants %s; %" PRIu64 " of %" PRIu64 " MiB are available", wanted, f->available >> 20, f->total >> 20);
	bool fits = c->memory.size <= f->available, ever = c->memory.size < f->total;
	findings_add(
		out,
		fits              ? FINDING_OK
		: ever && !locked ? FINDING_WARN
				  : FINDING_BAD,
		"memory", text,
		fits     ? NULL
		: locked ? tr_dup("all of it is locked for the passed device from the start: end programs, or choose a smaller memory.size")
			 : tr_dup("end programs, or choose a smaller memory.size"));
}
