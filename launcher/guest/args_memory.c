/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory: see machine.h. The guest's RAM, as one memory backend (qemu/qapi/qom.json, MemoryBackendProperties). */
#include "launcher/base/tr.h"
#include "launcher/guest/args_machine.h"
#include "launcher/host/memory/memory.h"

#define PREALLOC_THREADS_MAX 16 /* clearing pages is bound by the memory's bandwidth long before */

/* Page sizes that the shares of several nodes are multiples of. */
static uint64_t page_of(const struct config *c)
{
	return c->memory.hugepages == HUGEPAGES_1G ? UINT64_C(1) << 30 : UINT64_C(2) << 20;
}

static bool is_huge(const struct config *c)
{
	return c->memory.hugepages == HUGEPAGES_2M || c->memory.hugepages == HUGEPAGES_1G;
}

/* Pages in memory that other processes may map: virtiofsd must, and huge pages of a fixed size come from there. */
static void share_memory(json_t *o, const struct config *c, unsigned vcpus)
{
	unsigned threads = vcpus < PREALLOC_THREADS_MAX ? vcpus : PREALLOC_THREADS_MAX;
	json_object_set_new(o, "share", json_true());
	if (is_huge(c)) {
		json_object_set_new(o, "hugetlb", json_true());
		json_object_set_new(o, "hugetlbsize", json_integer((json_int_t)page_of(c)));
		json_object_set_new(o, "prealloc", json_true());
		json_object_set_new(o, "prealloc-threads", json_integer(threads ? threads : 1));
	}
}

/* `node` of the host, -1: anywhere. Takes over `id`. */
static void add_backend(struct args *a, const struct config *c, json_t *id, uint64_t size, int node, unsigned vcpus, const char *why)
{
	bool shared = is_huge(c) || c->n_shares;
	json_t *o = json_pack("{s:s, s:o, s:I}", "qom-type", shared ? "memory-backend-memfd" : "memory-backend-ram", "id", id, "size",
			      (json_int_t)size);
	if (shared)
		share_memory(o, c, vcpus);
	if (node >= 0) {
		json_object_set_new(o, "host-nodes", json_pack("[i]", node));
		/* fixed pages were reserved on that node; any others may come from elsewhere before there are none */
		json_object_set_new(o, "policy", json_string(is_huge(c) ? "bind" : "preferred"));
	}
	args_json(a, "-object", o, why);
}

/* A node of the guest for each of the host's that it is on: its system then keeps a program's memory near its CPU. */
static void add_nodes(struct args *a, const struct config *c, const struct guest_host *h, const char *why)
{
	cleanup_free unsigned *weights = mem_new(h->n_nodes * sizeof(*weights));
	cleanup_free uint64_t *shares = mem_new(h->n_nodes * sizeof(*shares));
	unsigned first = 0;
	for (size_t i = 0; i < h->n_nodes; i++)
		weights[i] = h->nodes[i].vcpus;
	memory_split(c->memory.size, page_of(c), weights, h->n_nodes, shares);
	for (size_t i = 0; i < h->n_nodes; first += h->nodes[i++].vcpus) {
		add_backend(a, c, json_sprintf("ram%zu", i), shares[i], h->nodes[i].id, weights[i], i ? NULL : why);
		cleanup_free char *node = str_fmt("node,nodeid=%zu,memdev=ram%zu,cpus=%u-%u", i, i, first, first + h->nodes[i].vcpus - 1),
				  *said = tr_fmt("NUMA node %d of the host, with its memory and the vCPUs that are there", h->nodes[i].id);
		args_add(a, "-numa", node, said);
	}
	for (size_t i = 0; i < h->n_nodes; i++) {
		for (size_t k = i + 1; k < h->n_nodes; k++) {
			cleanup_free char *dist = str_fmt("dist,src=%zu,dst=%zu,val=%u", i, k, h->nodes[i].distance[k]);
			args_add(a, "-numa", dist,
				 i == 0 && k == 1 ? N_("how far they are from each other, as the host's firmware has it") : NULL);
		}
	}
}

void guest_memory(struct args *a, const struct config *c, const struct guest_host *h)
{
	bool transparent = c->memory.hugepages == HUGEPAGES_TRANSPARENT;
	cleanup_free char *size = c->memory.size % (1 << 20) ? str_fmt("size=%lluB", (unsigned long long)c->memory.size)
							     : str_fmt("size=%lluM", (unsigned long long)(c->memory.size >> 20));
	const char *why = is_huge(c)
				  ? N_("in huge pages, all of them taken now: far fewer steps to walk for every access, and no wait later")
			  : transparent ? N_("the kernel joins pages to huge ones as it can")
					: N_("in ordinary pages");
	cleanup_free char *chosen = h->pages_why ? str_fmt("%s; hugepages = %s", _(why), h->pages_why) : NULL;
	if (chosen)
		why = chosen;
	args_add(a, "-m", size, "the guest's memory");
	if (h->n_nodes)
		add_nodes(a, c, h, why);
	else
		add_backend(a, c, json_string("ram"), c->memory.size, h->numa_node, h->n_vcpus, why);
}
