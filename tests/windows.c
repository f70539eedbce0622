/* SPDX-License-Identifier: GPL-2.0-or-later */
/* windows: the few functions of Windows that share/bench/guest.ps1 calls, so that Mono can run what is in it. A library, under two names. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

uint64_t GetTickCount64(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct memory {
	uint32_t length, load;
	uint64_t total, free, rest[5];
};

int GlobalMemoryStatusEx(struct memory *memory)
{
	if (memory->length != sizeof(*memory))
		return 0;
	memory->free = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	return 1;
}

void *GetCurrentThread(void)
{
	return (void *)-2; /* the number that means it */
}

uintptr_t SetThreadAffinityMask(void *thread, uintptr_t mask)
{
	cpu_set_t set;
	(void)thread;
	CPU_ZERO(&set);
	for (int cpu = 0; cpu < 64; cpu++)
		if (mask >> cpu & 1)
			CPU_SET(cpu, &set);
	return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

struct overlapped {
	uintptr_t internal[2];
	uint32_t offset, offset_high;
	void *event;
};

/* Mono's handle of a file is its descriptor. */
int ReadFile(intptr_t file, void *to, int size, int *got, const struct overlapped *at)
{
	*got = (int)pread((int)file, to, (size_t)size, (off_t)((uint64_t)at->offset_high << 32 | at->offset));
	return *got >= 0;
}

unsigned timeBeginPeriod(unsigned ms)
{
	return ms != 1;
}

unsigned timeEndPeriod(unsigned ms)
{
	return ms != 1;
}
