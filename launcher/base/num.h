/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * num: the numbers people write. CPU lists ("0-7,16-23"), sizes ("16G"), PCI addresses ("01:00.0").
 * Values only: nothing here opens, prints or allocates more than it returns.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "launcher/base/err.h"

/* A set of logical CPUs. Linux's NR_CPUS is at most 8192 on x86-64 (arch/x86/Kconfig, MAXSMP). A value: copy it freely. */
#define CPUS_MAX 8192
struct cpus {
	uint64_t bits[CPUS_MAX / 64];
};
/* Kernel list format (Documentation/admin-guide/kernel-parameters.rst, "CPU lists"): numbers and ranges by commas; "" is the empty set. */
struct err *cpus_parse(const char *text, struct cpus *ret_set);
/* Kernel mask format: comma-separated 32-bit hexadecimal words, the highest first (smp_affinity, workqueue cpumask). */
struct err *cpus_parse_mask(const char *text, struct cpus *ret_set);
char *cpus_format(const struct cpus *set);      /* list, owned by the caller; "" for the empty set */
char *cpus_format_mask(const struct cpus *set); /* mask, owned by the caller; "0" for the empty set */
void cpus_add(struct cpus *set, int cpu);       /* 0 <= cpu < CPUS_MAX, else ignored */
void cpus_del(struct cpus *set, int cpu);
bool cpus_has(const struct cpus *set, int cpu);
int cpus_count(const struct cpus *set);
int cpus_next(const struct cpus *set, int after); /* the lowest above `after`, or -1; begin with after = -1 */
bool cpus_equal(const struct cpus *a, const struct cpus *b);
bool cpus_empty(const struct cpus *set);
bool cpus_subset(const struct cpus *part, const struct cpus *whole);
struct cpus cpus_or(const struct cpus *a, const struct cpus *b);
struct cpus cpus_and(const struct cpus *a, const struct cpus *b);
struct cpus cpus_minus(const struct cpus *a, const struct cpus *b);

/* Decimal without sign, white space or rest; at most `max`. */
struct err *num_parse(const char *text, uint64_t max, uint64_t *ret_value);
/* Bytes: a number with K, M, G or T (powers of 1024; "KiB", "MB" and lower case too), or plain bytes. Never 0, at most 2^60. */
struct err *size_parse(const char *text, uint64_t *ret_bytes);
char *size_format(uint64_t bytes);  /* shortest exact form: 16G, 1536M, 4096K, 4097; owned by the caller */
char *size_rounded(uint64_t bytes); /* to read: 16.6G, 512M, 0; owned by the caller */

struct pci_addr {
	uint32_t domain;
	uint8_t bus, dev, fn;
};
/* "01:00.0" or "0000:01:00.0". */
struct err *pci_addr_parse(const char *text, struct pci_addr *ret_addr);
bool pci_addr_equal(struct pci_addr a, struct pci_addr b);
int pci_addr_compare(struct pci_addr a, struct pci_addr b); /* as for qsort */
/* The kernel's name, "0000:01:00.0", in a buffer of the struct returned: `pci_addr_text(a).s`. */
struct pci_addr_text {
	char s[24];
} pci_addr_text(struct pci_addr addr);
