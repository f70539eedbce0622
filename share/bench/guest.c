/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest: the part of `qlaunch bench` that is measured. One static program: as a machine's only one (process 1 of a direct-boot guest, workloads
 * from the kernel's `bench=` parameter), or as a command in any Linux, the host too (workloads as arguments).
 *
 * Each result is a line of its own, "bench: METRIC UNIT less|more VALUE…", one value a pass; the last line is "bench: done". It reads and
 * writes nothing but memory, the clock, a temporary file, and, as process 1, /proc, /sys and /dev.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PASSES 3
#define CPUS 256
#define LINE 64 /* bytes of a cache line */

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void say(const char *metric, const char *unit, const char *better, const double *v, int n)
{
	printf("bench: %s %s %s", metric, unit, better);
	for (int i = 0; i < n; i++)
		printf(" %.6g", v[i]);
	putchar('\n');
	fflush(stdout);
}

static uint64_t roll(uint64_t *state) /* xorshift64 (Marsaglia) */
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* A chain through all lines of a block in random order (Sattolo): no load can begin before the one before it has ended. */
static double chase(size_t size)
{
	size_t n = size / LINE;
	void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint32_t *order = malloc(n * sizeof(*order));
	uint64_t seed = 88172645463325252ull;
	if (block == MAP_FAILED || !order)
		return 0;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n - 1; i > 0; i--) {
		size_t k = roll(&seed) % i;
		uint32_t t = order[i];
		order[i] = order[k];
		order[k] = t;
	}
	for (size_t i = 0; i < n; i++)
		*(void **)((char *)block + (size_t)order[i] * LINE) = (char *)block + (size_t)order[(i + 1) % n] * LINE;
	void **volatile at = block;
	void **p = at;
	uint64_t began = now_ns(), took = 0, steps = 0;
	for (; took < 50000000; took = now_ns() - began, steps += 16384)
		for (int i = 0; i < 16384; i++)
			p = *p;
	at = p;
	munmap(block, size);
	free(order);
	return (double)took / (double)steps;
}

static void run_chase(void)
{
	static const struct { const char *name; size_t size; } sizes[] = {
		{ "chase.16K", 16u << 10 }, { "chase.256K", 256u << 10 }, { "chase.4M", 4u << 20 }, { "chase.64M", 64u << 20 },
	};
	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		double v[PASSES];
		for (int i = 0; i < PASSES; i++)
			v[i] = chase(sizes[s].size);
		say(sizes[s].name, "ns", "less", v, PASSES);
	}
}

/* Integer work without memory, for a tenth of a second; what each CPU did while all of them worked. */
static pthread_barrier_t gate;
static void *spin(void *data)
{
	uint64_t state = 1 + (uintptr_t)data, did = 0;
	pthread_barrier_wait(&gate);
	uint64_t end = now_ns() + 100000000;
	for (; now_ns() < end; did += 4096)
		for (int i = 0; i < 4096; i++)
			roll(&state);
	volatile uint64_t keep = state;
	(void)keep;
	return (void *)(uintptr_t)did;
}

static void run_throughput(void)
{
	cpu_set_t all, one;
	pthread_t threads[CPUS];
	double sum[PASSES], least[PASSES];
	sched_getaffinity(0, sizeof(all), &all);
	for (int pass = 0; pass < PASSES; pass++) {
		int n = 0;
		pthread_barrier_init(&gate, NULL, (unsigned)(CPU_COUNT(&all) < CPUS ? CPU_COUNT(&all) : CPUS));
		for (int cpu = 0; cpu < CPU_SETSIZE && n < CPUS; cpu++) {
			if (!CPU_ISSET(cpu, &all))
				continue;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			pthread_create(&threads[n], NULL, spin, (void *)(uintptr_t)cpu);
			pthread_setaffinity_np(threads[n++], sizeof(one), &one);
		}
		sum[pass] = least[pass] = 0;
		for (int i = 0; i < n; i++) {
			void *did;
			pthread_join(threads[i], &did);
			double rate = (double)(uintptr_t)did / 1e5; /* millions a second, of a tenth */
			sum[pass] += rate;
			least[pass] = i == 0 || rate < least[pass] ? rate : least[pass];
		}
		pthread_barrier_destroy(&gate);
	}
	say("throughput.all", "Mop/s", "more", sum, PASSES);
	say("throughput.slowest-cpu", "Mop/s", "more", least, PASSES);
}

static void run_bandwidth(void)
{
	enum { SIZE = 32 << 20, TIMES = 4 };
	char *a = malloc(SIZE), *b = malloc(SIZE);
	double v[PASSES];
	if (!a || !b)
		return;
	memset(a, 1, SIZE);
	memset(b, 2, SIZE);
	for (int i = 0; i < PASSES; i++) {
		uint64_t began = now_ns();
		for (int k = 0; k < TIMES; k++) {
			memcpy(b, a, SIZE);
			__asm__ volatile("" : : "r"(a), "r"(b) : "memory");
		}
		v[i] = (double)SIZE * TIMES / (double)(now_ns() - began);
	}
	say("bandwidth.copy", "GB/s", "more", v, PASSES);
	free(a);
	free(b);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* How late a timer of 1 ms wakes a sleeping thread. */
static void run_jitter(void)
{
	enum { N = 1000 };
	static double late[N];
	static const struct { const char *name; int at; } tails[] = {
		{ "jitter.p50", 500 }, { "jitter.p99", 990 }, { "jitter.p99.9", N - 2 }, { "jitter.max", N - 1 },
	};
	int n = 0;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (; n < N; n++) {
		next.tv_nsec += 1000000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		uint64_t due = (uint64_t)next.tv_sec * 1000000000 + (uint64_t)next.tv_nsec;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		late[n] = (double)(now_ns() - due) / 1000;
	}
	qsort(late, N, sizeof(*late), by_value);
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		say(tails[i].name, "us", "less", &late[tails[i].at], 1);
}

/* Random reads of 4 KiB past the page cache: of the machine's first disk, or of a file in the working directory. */
static void run_disk(void)
{
	static const char *const disks[] = { "/dev/vda", "/dev/nvme0n1", "/dev/sda" };
	int fd = -1;
	void *block = NULL;
	if (posix_memalign(&block, 4096, 4096))
		return;
	for (size_t i = 0; getpid() == 1 && fd < 0 && i < 3; i++)
		fd = open(disks[i], O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (getpid() != 1 && (fd = open(".", O_TMPFILE | O_RDWR | O_DIRECT, 0600)) >= 0) {
		memset(block, 7, 4096);
		for (off_t at = 0; at < 16 << 20; at += 4096)
			if (pwrite(fd, block, 4096, at) != 4096)
				return;
	}
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	double v[PASSES] = {};
	uint64_t seed = 42;
	for (int i = 0; size >= 4096 && i < PASSES; i++) {
		uint64_t began = now_ns(), took = 0, reads = 0;
		for (; took < 200000000; took = now_ns() - began, reads++)
			if (pread(fd, block, 4096, (off_t)(roll(&seed) % (uint64_t)(size / 4096)) * 4096) != 4096)
				return;
		v[i] = (double)took / (double)reads / 1000;
	}
	if (size >= 4096)
		say("disk.read-4K", "us", "less", v, PASSES);
	free(block);
}

/* As process 1: from the kernel's first tick to here. */
static void run_boot(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	double ms = (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
	if (getpid() == 1)
		say("boot.kernel", "ms", "less", &ms, 1);
}

static const struct { const char *name; void (*run)(void); } workloads[] = {
	{ "boot", run_boot }, { "chase", run_chase }, { "throughput", run_throughput }, { "bandwidth", run_bandwidth },
	{ "jitter", run_jitter }, { "disk", run_disk },
};

static bool run(const char *name)
{
	bool found = false;
	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
		if (strcmp(workloads[i].name, name) != 0)
			continue;
		workloads[i].run();
		found = true;
	}
	return found;
}

static void become_init(char *list, size_t size)
{
	char text[4096] = "";
	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	char *at = strstr(text, "bench=");
	if (at)
		snprintf(list, size, "%.*s", (int)strcspn(at + 6, " \n"), at + 6);
}

int main(int argc, char **argv)
{
	char list[512] = "boot,chase,throughput,bandwidth,jitter,disk";
	int bad = 0;
	if (getpid() == 1)
		become_init(list, sizeof(list));
	for (char *word = strtok(list, ","); word && (argc == 1 || getpid() == 1); word = strtok(NULL, ","))
		bad += !run(word);
	for (int i = 1; i < argc && getpid() != 1; i++)
		bad += !run(argv[i]);
	printf("bench: done\n");
	fflush(stdout);
	if (getpid() == 1) {
		reboot(RB_POWER_OFF);
		for (;;)
			pause();
	}
	return bad ? 2 : 0;
}
