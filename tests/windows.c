/* SPDX-License-Identifier: GPL-2.0-or-later */
/* windows: the few functions of Windows that share/bench/guest.ps1 calls, so that Mono can run what is in it. A library, under two
 * names. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
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

/* One cache of the third level, as large as the first CPU says its own is. */
int GetLogicalProcessorInformation(unsigned char *to, int *size)
{
	int room = *size;
	uint32_t cache = 2, bytes = (uint32_t)sysconf(_SC_LEVEL3_CACHE_SIZE);
	*size = 32;
	if (room < 32)
		return 0;
	memset(to, 0, 32);
	memcpy(to + 8, &cache, sizeof(cache));
	to[16] = 3;
	memcpy(to + 20, &bytes, sizeof(bytes));
	return 1;
}

/* One timer at a time, due after some time from now; its handle is 1. */
static int64_t due_ns;

void *CreateWaitableTimerExW(void *security, void *name, unsigned flags, unsigned access)
{
	(void)security, (void)name;
	return flags == 2 && access == 0x1F0003 ? (void *)1 : NULL;
}

int SetWaitableTimer(void *timer, const int64_t *due, int period, void *done, void *data, int resume)
{
	(void)period, (void)done, (void)data, (void)resume;
	due_ns = -*due * 100;
	return timer == (void *)1 && *due < 0;
}

unsigned WaitForSingleObject(void *timer, unsigned ms)
{
	(void)timer, (void)ms;
	nanosleep(&(struct timespec){ .tv_nsec = due_ns }, NULL);
	return 0;
}

int CloseHandle(void *timer)
{
	return timer == (void *)1;
}

unsigned timeBeginPeriod(unsigned ms)
{
	return ms != 1;
}

unsigned timeEndPeriod(unsigned ms)
{
	return ms != 1;
}
