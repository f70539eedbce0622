/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest: the part of `qlaunch bench` that is measured. One static program: as a machine's only one (process 1 of a direct-boot guest,
 * workloads from the kernel's `bench=` parameter), or as a command in any Linux, the host too (workloads as arguments). Windows has
 * guest.ps1.
 *
 * Each result is a line of its own, "bench: METRIC UNIT less|more|tails VALUE…": one value a pass, or with "tails" every sample, less being
 * better, of which the percentiles are what counts; "bench: about WORKLOAD KEY WORD…" says how it was measured. The last line is "bench:
 * done". It reads and writes nothing but memory, the clock, a temporary file, and, as process 1, /proc, /sys and /dev. Where fio is
 * installed the disk is measured by it, too.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
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

/*
 * Where the i-th cell is: in the i-th stride the line that a hash names (Fibonacci's), so that they spread over all sets of the caches also
 * where huge pages leave the address as it is. The same line of each page would share one set, the next one of each would use a few.
 */
static size_t cell(size_t i, size_t stride)
{
	return i * stride + (size_t)((i * 0x9e3779b97f4a7c15ull) >> 32) % (stride / LINE) * LINE;
}

/*
 * A chain through one line of each `stride` bytes of a block, in random order (Sattolo): no load can begin before the one before it has
 * ended. The block asks for huge pages, so that what is left of page walks is the host's.
 */
static double chase(size_t size, size_t stride)
{
	size_t n = size / stride;
	void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *order = malloc(n * sizeof(*order));
	uint64_t seed = 88172645463325252ull;
	if (block == MAP_FAILED || !order)
		return 0;
	madvise(block, size, MADV_HUGEPAGE);
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n - 1; i > 0; i--) {
		size_t k = roll(&seed) % i;
		uint32_t t = order[i];
		order[i] = order[k];
		order[k] = t;
	}
	for (size_t i = 0; i < n; i++)
		*(void **)((char *)block + cell(order[i], stride)) = (char *)block + cell(order[(i + 1) % n], stride);
	void **volatile at = (void **)((char *)block + cell(0, stride));
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

/* From the smallest cache to memory; "tlb" touches one line a page: 16384 pages are more than any TLB holds, unless they are huge. */
static void run_chase(void)
{
	static const struct { const char *name; size_t size, stride; } sizes[] = {
		{ "chase.16K", 16u << 10, LINE }, { "chase.256K", 256u << 10, LINE }, { "chase.1M", 1u << 20, LINE },
		{ "chase.4M", 4u << 20, LINE },	  { "chase.16M", 16u << 20, LINE },   { "chase.64M", 64u << 20, LINE },
		{ "chase.256M", 256u << 20, LINE }, { "chase.tlb", 64u << 20, 4096 },
	};
	struct sysinfo memory;
	sysinfo(&memory);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		double v[PASSES];
		if (sizes[s].size > (uint64_t)memory.freeram * memory.mem_unit / 2)
			continue; /* not to be measured while others are swapped out for it */
		for (int i = 0; i < PASSES; i++)
			v[i] = chase(sizes[s].size, sizes[s].stride);
		if (v[0] > 0)
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

/* `work` on every CPU at once, with the CPU's number; what it returned, CPU by CPU. How many CPUs. */
static int on_all_cpus(void *(*work)(void *), uintptr_t ret_did[CPUS])
{
	cpu_set_t all, one;
	pthread_t threads[CPUS];
	int n = 0;
	sched_getaffinity(0, sizeof(all), &all);
	pthread_barrier_init(&gate, NULL, (unsigned)(CPU_COUNT(&all) < CPUS ? CPU_COUNT(&all) : CPUS));
	for (int cpu = 0; cpu < CPU_SETSIZE && n < CPUS; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		pthread_create(&threads[n], NULL, work, (void *)(uintptr_t)cpu);
		pthread_setaffinity_np(threads[n++], sizeof(one), &one);
	}
	for (int i = 0; i < n; i++) {
		void *did;
		pthread_join(threads[i], &did);
		ret_did[i] = (uintptr_t)did;
	}
	pthread_barrier_destroy(&gate);
	return n;
}

static void run_throughput(void)
{
	static double rate[CPUS][PASSES];
	double sum[PASSES] = {}, least[PASSES];
	uintptr_t did[CPUS];
	int n = 0;
	for (int pass = 0; pass < PASSES; pass++) {
		n = on_all_cpus(spin, did);
		for (int i = 0; i < n; i++) {
			rate[i][pass] = (double)did[i] / 1e5; /* millions a second, of a tenth */
			sum[pass] += rate[i][pass];
			least[pass] = i == 0 || rate[i][pass] < least[pass] ? rate[i][pass] : least[pass];
		}
	}
	say("throughput.all", "Mop/s", "more", sum, PASSES);
	say("throughput.slowest-cpu", "Mop/s", "more", least, PASSES);
	for (int i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "throughput.cpu%d", i);
		say(name, "Mop/s", "more", rate[i], PASSES);
	}
}

/*
 * Bandwidth as STREAM counts it (McCalpin): bytes that the program reads and writes, in 10^9 a second, of arrays at least four times as
 * large as the largest L3, and beside them reading alone and writing alone.
 */
static struct {
	double *a, *b, *c;
	size_t n;
} arrays;

static void stream_copy(void)
{
	for (size_t i = 0; i < arrays.n; i++)
		arrays.c[i] = arrays.a[i];
}

static void stream_scale(void)
{
	for (size_t i = 0; i < arrays.n; i++)
		arrays.b[i] = 3 * arrays.c[i];
}

static void stream_add(void)
{
	for (size_t i = 0; i < arrays.n; i++)
		arrays.c[i] = arrays.a[i] + arrays.b[i];
}

static void stream_triad(void)
{
	for (size_t i = 0; i < arrays.n; i++)
		arrays.a[i] = arrays.b[i] + 3 * arrays.c[i];
}

static void read_memory(void)
{
	volatile uint64_t keep;
	uint64_t sum = 0;
	const uint64_t *v = (const uint64_t *)(const void *)arrays.a;
	for (size_t i = 0; i < arrays.n; i++)
		sum += v[i];
	keep = sum;
	(void)keep;
}

static void write_memory(void)
{
	memset(arrays.b, 0, arrays.n * sizeof(double));
}

/* The largest L3 of the machine in bytes; 0: it says none. */
static size_t largest_l3(void)
{
	size_t most = 0;
	for (int cpu = 0; cpu < CPUS; cpu++)
		for (int index = 0; index < 6; index++) {
			char path[96], level[16] = "", size[16] = "";
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cache/index%d/level", cpu, index);
			FILE *f = fopen(path, "re");
			if (!f)
				break;
			if (!fgets(level, sizeof(level), f))
				level[0] = '\0';
			fclose(f);
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cache/index%d/size", cpu, index);
			if (atoi(level) != 3 || !(f = fopen(path, "re")))
				continue;
			if (fgets(size, sizeof(size), f)) {
				size_t bytes = (size_t)strtoul(size, NULL, 10) << (strchr(size, 'M') ? 20 : 10);
				most = bytes > most ? bytes : most;
			}
			fclose(f);
		}
	return most;
}

enum { ARRAY_LEAST = 32 << 20, ARRAY_MOST = 512 << 20 };

/* Four times the L3, as far as an eighth of what is free and 512 MiB go: no L3 of a desktop is above 128. */
static size_t array_size(size_t l3)
{
	struct sysinfo memory;
	sysinfo(&memory);
	size_t size = 4 * l3 < ARRAY_LEAST ? ARRAY_LEAST : 4 * l3, eighth = (size_t)(memory.freeram / 8 * memory.mem_unit);
	size = size > ARRAY_MOST ? ARRAY_MOST : size;
	return (size > eighth ? eighth : size) >> 20 << 20;
}

static void run_bandwidth(void)
{
	static const struct { const char *name; void (*work)(void); int bytes; } works[] = { /* bytes: of an element, that count */
		{ "bandwidth.stream-copy", stream_copy, 16 }, { "bandwidth.stream-scale", stream_scale, 16 },
		{ "bandwidth.stream-add", stream_add, 24 },   { "bandwidth.stream-triad", stream_triad, 24 },
		{ "bandwidth.read-memory", read_memory, 8 },  { "bandwidth.write-memory", write_memory, 8 },
	};
	size_t l3 = largest_l3(), size = array_size(l3);
	arrays.n = size / sizeof(double);
	arrays.a = malloc(size);
	arrays.b = malloc(size);
	arrays.c = malloc(size);
	double v[PASSES];
	printf("bench: about bandwidth arrays %zu MiB each, L3 %zu MiB\n", size >> 20, l3 >> 20);
	if (arrays.a && arrays.b && arrays.c) {
		for (size_t i = 0; i < arrays.n; i++) {
			arrays.a[i] = 1;
			arrays.b[i] = 2;
			arrays.c[i] = 0;
		}
		for (size_t w = 0; w < sizeof(works) / sizeof(*works); w++) {
			for (int i = 0; i < PASSES; i++) {
				uint64_t began = now_ns();
				works[w].work();
				__asm__ volatile("" : : "r"(arrays.a), "r"(arrays.b), "r"(arrays.c) : "memory");
				v[i] = (double)works[w].bytes * (double)arrays.n / (double)(now_ns() - began);
			}
			say(works[w].name, "GB/s", "more", v, PASSES);
		}
	}
	free(arrays.a);
	free(arrays.b);
	free(arrays.c);
}

enum { SAMPLES = 1000 };

static uint64_t ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

/* How late a timer of 1 ms wakes a sleeping thread. The next one is due 1 ms after the wake-up where that was late: one stop is one
 * event. */
static void time_timers(double *late)
{
	const uint64_t period = 1000000;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int n = 0; n < SAMPLES; n++) {
		uint64_t due = ns_of(&next) + period, now = now_ns();
		due = due < now ? now + period : due;
		next = (struct timespec){ .tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000) };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		late[n] = (double)(now_ns() - due) / 1000;
	}
}

/*
 * How long a thread on one CPU takes to run after one on another CPU has woken it, both asleep in between: the way of an interrupt from CPU
 * to CPU. Of the CPUs that may be used the first wakes the last.
 */
static struct {
	sem_t ping, pong;
	uint64_t woken;
	double *took;
	int waker, sleeper;
} pair;

static void stay_on(int cpu)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void *wait_for_ping(void *data)
{
	stay_on(pair.sleeper);
	for (int n = 0; n < SAMPLES; n++) {
		while (sem_wait(&pair.ping) < 0)
			;
		pair.took[n] = (double)(now_ns() - pair.woken) / 1000;
		sem_post(&pair.pong);
	}
	return data;
}

static void time_wakeups(double *took)
{
	cpu_set_t all;
	pthread_t other;
	sched_getaffinity(0, sizeof(all), &all);
	pair.waker = pair.sleeper = -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all)) {
			pair.waker = pair.waker < 0 ? cpu : pair.waker;
			pair.sleeper = cpu;
		}
	pair.took = took;
	sem_init(&pair.ping, 0, 0);
	sem_init(&pair.pong, 0, 0);
	stay_on(pair.waker);
	pthread_create(&other, NULL, wait_for_ping, NULL);
	for (int n = 0; n < SAMPLES; n++) {
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		pair.woken = now_ns();
		sem_post(&pair.ping);
		while (sem_wait(&pair.pong) < 0)
			;
	}
	pthread_join(other, NULL);
	sched_setaffinity(0, sizeof(all), &all);
}

/* The kernel may let a timer wait for others, by 50 us if nothing else is asked for: with 1 ns what is left is the machine's. */
static void run_jitter(void)
{
	static double samples[SAMPLES];
	time_timers(samples);
	say("jitter.timer", "us", "tails", samples, SAMPLES);
	prctl(PR_SET_TIMERSLACK, 1);
	time_timers(samples);
	say("jitter.timer-precise", "us", "tails", samples, SAMPLES);
	time_wakeups(samples);
	prctl(PR_SET_TIMERSLACK, 0); /* the default again */
	printf("bench: about jitter wakeup cpu%d cpu%d\n", pair.waker, pair.sleeper);
	say(pair.waker == pair.sleeper ? "jitter.wakeup-same-cpu" : "jitter.wakeup", "us", "tails", samples, SAMPLES);
}

/* Random reads of 4 KiB past the page cache: of the machine's first disk, or of a file in the working directory. */
static void read_disk(void)
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
	if (fd >= 0)
		close(fd);
}

/* What fio says with --minimal (its terse version 3): fields by ";", IOPS of reads the 8th, percentiles of latency from the 18th on. */
static void say_fio(char *line)
{
	double v;
	int at = 1;
	for (char *rest = line, *field; (field = strsep(&rest, ";")); at++) {
		if (at == 8 && (v = strtod(field, NULL)) > 0)
			say("disk.fio-iops", "1/s", "more", &v, 1);
		if (at >= 18 && at <= 37 && sscanf(field, "99.000000%%=%lf", &v) == 1)
			say("disk.fio-p99", "us", "less", &v, 1);
		if (at >= 18 && at <= 37 && sscanf(field, "99.900000%%=%lf", &v) == 1)
			say("disk.fio-p99.9", "us", "less", &v, 1);
	}
}

/* Eight reads of 4 KiB in flight, for two seconds, by fio where it is installed. */
static void run_fio(void)
{
	static char said[8192];
	char path[] = "./qlaunch-fio.XXXXXX", name[64];
	int fd = mkstemp(path), ends[2];
	if (fd < 0)
		return;
	snprintf(name, sizeof(name), "--filename=%s", path);
	const char *argv[] = { "fio",	     "--name=qlaunch", "--minimal",    name,	       "--size=64M",   "--rw=randread", "--bs=4k",
			 "--direct=1", "--iodepth=8",	 "--ioengine=libaio", "--runtime=2", "--time_based", NULL };
	posix_spawn_file_actions_t to;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) == 0) {
		posix_spawn_file_actions_init(&to);
		posix_spawn_file_actions_adddup2(&to, ends[1], 1);
		bool begun = posix_spawnp(&pid, "fio", &to, NULL, (char *const *)argv, environ) == 0;
		close(ends[1]);
		size_t n = 0;
		for (ssize_t got; n < sizeof(said) - 1 && (got = read(ends[0], said + n, sizeof(said) - 1 - n)) > 0;)
			n += (size_t)got;
		close(ends[0]);
		if (begun && waitpid(pid, NULL, 0) == pid)
			say_fio(said);
		posix_spawn_file_actions_destroy(&to);
	}
	unlink(path);
	close(fd);
}

static void run_disk(void)
{
	read_disk();
	if (getpid() != 1)
		run_fio();
}

/* As process 1: from the kernel's first tick to here. Else how long the kernel has run: who asks knows the rest. */
static void run_boot(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	double ms = (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
	say(getpid() == 1 ? "boot.kernel" : "boot.uptime", "ms", "less", &ms, 1);
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
	mkdir("/sys", 0755);
	mount("sys", "/sys", "sysfs", 0, NULL);
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
