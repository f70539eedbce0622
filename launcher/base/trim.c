/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trim: see trim.h. */
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#include "launcher/base/trim.h"

/* One loaded object. Only segments that were never writable: to drop another's pages would lose what was written to them. */
static int drop_object(struct dl_phdr_info *info, size_t size, void *page)
{
	(void)size;
	uintptr_t mask = ~(*(uintptr_t *)page - 1);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			madvise((void *)(start & mask), end - (start & mask), MADV_DONTNEED);
	}
	return 0;
}

void trim_memory(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	malloc_trim(0);
	dl_iterate_phdr(drop_object, &page);
}
