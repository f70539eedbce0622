/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpus: see vcpus.h. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/live/vcpus.h"

#define QUERY_LIMIT_MS 10000
/*
 * Threads may begin while the others are looked at; those inherit what their makers have, so that the second look is
 * the last but by accident.
 */
#define LOOKS_MAX 8
/* Of a kernel's own worker that keeps its mask, such as io_uring's (include/linux/sched.h). */
#define PF_NO_SETAFFINITY 0x04000000

_Static_assert(sizeof(long) == sizeof(uint64_t), "struct cpus has the layout of the kernel's mask");

void vcpus_free(struct vcpus *v)
{
	if (!v)
		return;
	free(v->v);
	free(v->iothreads);
	free(v);
}

void vcpus_freep(struct vcpus **v)
{
	vcpus_free(*v);
}

static char *task_file(const struct vcpus *v, pid_t thread, const char *name)
{
	return str_fmt("/proc/%d/task/%d/%s", (int)v->pid, (int)thread, name);
}

/* "thread 1234 (CPU 3/KVM), to CPU 11" before an error. */
static struct err *of_thread(struct err *e, const struct vcpus *v, pid_t thread, const struct cpus *cpus)
{
	if (!e)
		return NULL;
	cleanup_free char *path = task_file(v, thread, "comm"), *comm = root_read_or(v->root, path, "?");
	cleanup_free char *list = cpus_format(cpus);
	return err_wrap(e, "thread %d (%s), to CPU %s", (int)thread, comm, list);
}

/* Whether the kernel refuses an affinity for this thread, whatever it is. */
static bool keeps_mask(const struct vcpus *v, pid_t thread)
{
	cleanup_free char *path = task_file(v, thread, "stat"), *stat = root_read_or(v->root, path, "");
	const char *rest = strrchr(stat, ')'); /* proc(5): state is field 3, flags field 9 */
	unsigned flags = 0;
	return rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & PF_NO_SETAFFINITY);
}

static struct err *read_back(pid_t thread, const struct cpus *want)
{
	struct cpus got = {};
	if (sched_getaffinity(thread, sizeof(got.bits), (cpu_set_t *)got.bits) < 0)
		return err_errno(errno, "sched_getaffinity");
	if (cpus_equal(&got, want))
		return NULL;
	cleanup_free char *list = cpus_format(&got);
	return err_new("the kernel allows %s", list);
}

/* Sets and reads back. ESRCH is the thread's end. */
static struct err *pin(const struct vcpus *v, pid_t thread, const struct cpus *cpus)
{
	if (sched_setaffinity(thread, sizeof(cpus->bits), (const cpu_set_t *)cpus->bits) < 0)
		return of_thread(err_errno(errno, "sched_setaffinity"), v, thread, cpus);
	return of_thread(read_back(thread, cpus), v, thread, cpus);
}

/* QEMU is the user's, and so is what it says: a thread that it names is its own, or root lays no hand on it. */
static struct err *check_its_own(const struct vcpus *v, pid_t thread)
{
	cleanup_free char *path = task_file(v, thread, "stat");
	return root_exists(v->root, path) ? NULL : err_new("QEMU names thread %d, which is none of its own", (int)thread);
}

static struct err *make_fifo(const struct vcpus *v, pid_t thread, const struct cpus *cpus)
{
	struct sched_param param = { .sched_priority = 1 };
	if (sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0)
		return NULL;
	return err_hint(of_thread(err_errno(errno, "SCHED_FIFO"), v, thread, cpus),
			"it needs root, and RT time for QEMU's control group; or set cpu.fifo = no");
}

static bool is_iothread(const struct vcpus *v, pid_t thread)
{
	for (size_t i = 0; i < v->n_iothreads; i++)
		if (v->iothreads[i] == thread)
			return true;
	return false;
}

static const struct vcpu_thread *vcpu_of(const struct vcpus *v, pid_t thread)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].thread == thread)
			return &v->v[i];
	return NULL;
}

/* Which thread each vCPU is; v->v gets an element for each that is wanted. */
static struct err *ask_vcpus(struct vcpus *v, struct qmp *q, const struct vcpus_want *want)
{
	json_t *list = NULL, *cpu;
	size_t i;
	struct err *e = qmp_call(q, "query-cpus-fast", NULL, want->limit_ms ? want->limit_ms : QUERY_LIMIT_MS, &list);
	if (!e && json_array_size(list) != want->n_cpus)
		e = err_new("QEMU has %zu vCPUs, not %zu", json_array_size(list), want->n_cpus);
	v->v = mem_new(want->n_cpus * sizeof(*v->v));
	v->n = e ? 0 : want->n_cpus;
	json_array_foreach (list, i, cpu) {
		json_int_t index = -1, thread = 0;
		if (e || json_unpack(cpu, "{s:I, s:I}", "cpu-index", &index, "thread-id", &thread) < 0 || index < 0 ||
		    index >= (json_int_t)v->n)
			continue;
		const struct vcpu_thread *other = vcpu_of(v, (pid_t)thread);
		if (other)
			e = err_new("vCPU %d and vCPU %d are one thread: QEMU's accelerator must have a thread for each", other->vcpu,
				    (int)index);
		v->v[index] = (struct vcpu_thread){ (int)index, (pid_t)thread, want->cpus[index] };
	}
	for (i = 0; !e && i < v->n; i++)
		if (v->v[i].thread <= 0)
			e = err_new("QEMU did not tell the thread of vCPU %zu", i);
	json_decref(list);
	return e;
}

static struct err *ask_iothreads(struct vcpus *v, struct qmp *q)
{
	json_t *list = NULL, *iothread;
	size_t i;
	TRY(qmp_call(q, "query-iothreads", NULL, QUERY_LIMIT_MS, &list));
	v->iothreads = mem_new(json_array_size(list) * sizeof(pid_t));
	json_array_foreach (list, i, iothread)
		v->iothreads[v->n_iothreads++] = (pid_t)json_integer_value(json_object_get(iothread, "thread-id"));
	json_decref(list);
	return NULL;
}

/* CPU number `turn` of a set, counted round and round. */
static struct cpus one_of(const struct cpus *set, size_t turn)
{
	struct cpus one = {};
	int cpu = -1;
	for (size_t i = 0; i <= turn % (size_t)cpus_count(set); i++)
		cpu = cpus_next(set, cpu);
	cpus_add(&one, cpu);
	return one;
}

/*
 * One thread of the emulator: moved if it is outside. One that has ended meanwhile, or whose mask the kernel keeps, is
 * none of ours.
 */
static struct err *pin_other(const struct vcpus *v, pid_t thread, bool *ret_moved)
{
	struct cpus now = {};
	*ret_moved = false;
	if (sched_getaffinity(thread, sizeof(now.bits), (cpu_set_t *)now.bits) < 0)
		return errno == ESRCH ? NULL : err_errno(errno, "thread %d: sched_getaffinity", (int)thread);
	if (v->unbalanced ? cpus_count(&now) == 1 && cpus_subset(&now, &v->emulator) : cpus_equal(&now, &v->emulator))
		return NULL;
	struct cpus cpus = v->unbalanced ? one_of(&v->emulator, (size_t)(thread - v->pid)) : v->emulator;
	struct err *e = pin(v, thread, &cpus);
	int code = err_code(e);
	*ret_moved = !e;
	if (code == ESRCH || code == ENOENT || (code == EINVAL && keeps_mask(v, thread))) {
		log_err(LOG_LEVEL_DEBUG, e);
		return NULL;
	}
	return e;
}

/* One look at all threads. */
static struct err *look(const struct vcpus *v, size_t *moved)
{
	cleanup_free char *path = str_fmt("/proc/%d/task", (int)v->pid);
	cleanup_strv struct strv threads = {};
	TRY(root_list(v->root, path, &threads));
	for (size_t i = 0; i < threads.n; i++) {
		uint64_t thread;
		bool now = false;
		TRY(num_parse(threads.v[i], INT32_MAX, &thread));
		if (!vcpu_of(v, (pid_t)thread) && !is_iothread(v, (pid_t)thread))
			TRY(pin_other(v, (pid_t)thread, &now));
		*moved += now;
	}
	return NULL;
}

struct err *vcpus_pin_rest(const struct vcpus *v, size_t *ret_moved)
{
	size_t moved = 0, before = 0;
	if (!cpus_empty(&v->emulator)) {
		for (int i = 0; i < LOOKS_MAX && (i == 0 || moved > before); i++) {
			before = moved;
			TRY(look(v, &moved));
		}
	}
	if (ret_moved)
		*ret_moved = moved;
	return NULL;
}

struct err *vcpus_place(struct vcpus *v, const struct vcpus_want *want)
{
	/* the makers of new threads first */
	TRY(vcpus_pin_rest(v, NULL));
	for (size_t i = 0; i < v->n_iothreads && !cpus_empty(&want->iothreads); i++) {
		/* from 1 on: QEMU's main thread is on the first */
		struct cpus cpus = want->unbalanced ? one_of(&want->iothreads, i + 1) : want->iothreads;
		TRY(check_its_own(v, v->iothreads[i]));
		TRY(pin(v, v->iothreads[i], &cpus));
	}
	for (size_t i = 0; i < v->n; i++) {
		struct cpus cpu = {};
		cpus_add(&cpu, v->v[i].cpu);
		TRY(err_wrap(check_its_own(v, v->v[i].thread), "vCPU %zu", i));
		if (v->v[i].cpu >= 0)
			TRY(err_wrap(pin(v, v->v[i].thread, &cpu), "vCPU %zu", i));
		if (want->fifo)
			TRY(err_wrap(make_fifo(v, v->v[i].thread, &cpu), "vCPU %zu", i));
	}
	return NULL;
}

struct err *vcpus_ask(struct root *root, struct qmp *q, pid_t pid, const struct vcpus_want *want, struct vcpus **ret_vcpus)
{
	cleanup_vcpus struct vcpus *v = mem_new(sizeof(*v));
	v->root = root;
	v->pid = pid;
	v->emulator = want->emulator;
	v->unbalanced = want->unbalanced;
	TRY(ask_vcpus(v, q, want));
	if (!want->no_iothreads)
		TRY(ask_iothreads(v, q));
	*ret_vcpus = steal(v);
	return NULL;
}
