/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory: see machine.h. The guest's RAM, as one memory backend (qemu/qapi/qom.json, MemoryBackendProperties). */
#include "launcher/base/tr.h"
#include "launcher/guest/args_machine.h"

#define PREALLOC_THREADS_MAX 16 /* clearing pages is bound by the memory's bandwidth long before */

/* Pages in memory that other processes may map: virtiofsd must, and huge pages of a fixed size come from there. */
static json_t *memfd(const struct config *c, bool huge)
{
	unsigned threads = c->cpu.threads < PREALLOC_THREADS_MAX ? c->cpu.threads : PREALLOC_THREADS_MAX;
	json_t *o = json_pack("{s:s, s:s, s:I, s:b}", "qom-type", "memory-backend-memfd", "id", "ram", "size", (json_int_t)c->memory.size,
			      "share", 1);
	if (huge) {
		json_object_set_new(o, "hugetlb", json_true());
		json_object_set_new(o, "hugetlbsize", json_integer(c->memory.hugepages == HUGEPAGES_1G ? 1 << 30 : 2 << 20));
		json_object_set_new(o, "prealloc", json_true());
		json_object_set_new(o, "prealloc-threads", json_integer(threads ? threads : 1));
	}
	return o;
}

void guest_memory(struct args *a, const struct config *c, const struct guest_host *h)
{
	bool huge = c->memory.hugepages == HUGEPAGES_2M || c->memory.hugepages == HUGEPAGES_1G;
	bool transparent = c->memory.hugepages == HUGEPAGES_TRANSPARENT;
	cleanup_free char *size = c->memory.size % (1 << 20) ? str_fmt("size=%lluB", (unsigned long long)c->memory.size)
							     : str_fmt("size=%lluM", (unsigned long long)(c->memory.size >> 20));
	args_add(a, "-m", size, "the guest's memory");
	json_t *o = huge || c->n_shares ? memfd(c, huge)
					: json_pack("{s:s, s:s, s:I}", "qom-type", "memory-backend-ram", "id", "ram", "size",
						    (json_int_t)c->memory.size);
	if (h->numa_node >= 0) {
		json_object_set_new(o, "host-nodes", json_pack("[i]", h->numa_node));
		/* fixed pages were reserved on that node; any others may come from elsewhere before there are none */
		json_object_set_new(o, "policy", json_string(huge ? "bind" : "preferred"));
	}
	args_json(a, "-object", o,
		  huge		? "in huge pages, all of them taken now: far fewer steps to walk for every access, and no wait later"
		  : transparent ? N_("the kernel joins pages to huge ones as it can")
				: N_("in ordinary pages"));
}
