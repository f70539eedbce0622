/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what /proc, /sys and a monitor say: the first one chooses the reader. What has a text form must survive it. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/host/disk/disk.h"
#include "launcher/host/irq/irq.h"
#include "launcher/host/screen/monitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/dev/shm/fuzz-host.XXXXXX";
static struct root *root;

static void clean(void)
{
	static const char *const files[] = { "proc/interrupts", "proc/self/mountinfo", "proc/swaps", "proc/irq/7/smp_affinity_list" };
	static const char *const dirs[] = { "proc/irq/7", "proc/irq", "proc/self", "proc" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		err_free(root_unlink(root, files[i]));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		err_free(root_rmdir(root, dirs[i]));
	root_close(root);
	rmdir(dir);
}

static void host(const char *path, const char *text)
{
	if (!root) {
		if (!mkdtemp(dir) || root_open(dir, &root) || root_mkdirs(root, "/proc/irq/7", 0700) ||
		    root_mkdirs(root, "/proc/self", 0700))
			abort();
		atexit(clean);
	}
	struct err *e = root_put(root, path, text, 0600);
	if (e)
		abort();
}

static void cpu_list(const char *text)
{
	struct cpus set, again;
	cleanup_err struct err *e = cpus_parse(text, &set);
	if (e)
		return;
	cleanup_free char *list = cpus_format(&set), *mask = cpus_format_mask(&set);
	if (cpus_parse(list, &again) || !cpus_equal(&set, &again) || cpus_parse_mask(mask, &again) || !cpus_equal(&set, &again))
		abort();
}

static void cpu_mask(const char *text)
{
	struct cpus set;
	cleanup_err struct err *e = cpus_parse_mask(text, &set);
	if (!e) {
		cleanup_free char *list = cpus_format(&set);
		cpu_list(list);
	}
}

static void numbers(const char *text)
{
	uint64_t bytes, again;
	struct pci_addr addr, same;
	cleanup_err struct err *e = size_parse(text, &bytes), *f = pci_addr_parse(text, &addr);
	if (!e) {
		cleanup_free char *form = size_format(bytes);
		if (size_parse(form, &again) || again != bytes)
			abort();
	}
	if (!f && (pci_addr_parse(pci_addr_text(addr).s, &same) || !pci_addr_equal(addr, same)))
		abort();
}

static void interrupts(const char *text)
{
	cleanup_irq_facts struct irq_facts facts = {};
	struct config c = {};
	host("/proc/irq/7/smp_affinity_list", "0-3\n");
	host("/proc/interrupts", text);
	err_free(irq_facts_read(root, &c, &facts));
}

static void mounts(const char *text)
{
	cleanup_strv struct strv uses = {};
	host("/proc/self/mountinfo", text);
	host("/proc/swaps", text);
	disk_uses(root, "sda", &uses);
}

static void capabilities(const char *text)
{
	struct monitor m = {};
	monitor_parse_inputs(text, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const char *) = { cpu_list, cpu_mask, numbers, interrupts, mounts, capabilities };
	if (size < 1)
		return 0;
	cleanup_free char *text = str_ndup((const char *)data + 1, size - 1);
	readers[*data % ARRAY_SIZE(readers)](text);
	return 0;
}
