/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample_qemu: see sample_qemu.h. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/top/sample_qemu.h"
#include "qmp/qmp.h"

void sample_miss(struct sample *s, const char *what, struct err *why)
{
	cleanup_free char *line = str_fmt("%s: %s", what, err_text(why));
	if (err_remedy(why)) {
		cleanup_free char *whole = str_fmt("%s; %s", line, err_remedy(why));
		str_set(&line, whole);
	}
	if (!strv_has(&s->missing, line))
		strv_add(&s->missing, line);
	err_free(why);
}

/* Without waiting: a QEMU that takes no more connections is as good as none. */
static struct err *reach(const struct top_machine *m, struct qmp **ret_qmp)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_free char *path = str_fmt("%s/monitor", m->dir);
	if (!root_is_host(m->root))
		return err_new("QEMU is not asked under --root");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_errno(ENAMETOOLONG, "%s", path);
	memcpy(addr.sun_path, path, strlen(path));
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(errno, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		struct err *e = err_errno(errno, "%s", path);
		return err_code(e) == EACCES ? err_hint(e, "sudo qlaunch top %s", m->vm) : e;
	}
	*ret_qmp = qmp_new(fd_steal(&fd));
	return NULL;
}

/* A command without arguments; NULL where it fails, with the reason noted. */
static json_t *ask(struct qmp *q, const char *command, json_t *args, int limit_ms, const char *what, struct sample *s)
{
	json_t *value = NULL;
	struct err *e = qmp_call(q, command, args, limit_ms, &value);
	if (e)
		sample_miss(s, what, e);
	return value;
}

static json_t *stats_wanted(void)
{
	json_t *names = json_array();
	for (int kind = 0; kind < EXITS_KINDS; kind++)
		json_array_append_new(names, json_string(exit_names[kind].kvm));
	return json_pack("{s:s, s:[{s:s, s:o}]}", "target", "vcpu", "providers", "provider", "kvm", "names", names);
}

void sample_qemu(const struct top_machine *m, int limit_ms, struct sample *s)
{
	cleanup_qmp struct qmp *q = NULL;
	struct err *e = reach(m, &q);
	if (!e)
		e = qmp_handshake(q, limit_ms);
	s->qemu_at_ns = clock_ns();
	if (e) {
		bool busy = err_code(e) == ETIMEDOUT;
		sample_miss(s, "disks, exits of each vCPU, guest memory", busy ? err_wrap(e, "somebody else is at %s/monitor", m->dir) : e);
		return;
	}
	json_t *disks = ask(q, "query-blockstats", NULL, limit_ms, "disks", s);
	s->has_disks = disks;
	s->n_disks = count_disks(disks, &s->disks);
	json_decref(disks);
	json_t *memory = ask(q, "query-memory-size-summary", NULL, limit_ms, "guest memory", s);
	if (memory)
		s->guest = (uint64_t)(json_integer_value(json_object_get(memory, "base-memory")) +
				      json_integer_value(json_object_get(memory, "plugged-memory")));
	json_decref(memory);
	if (!streq(m->accel, "kvm"))
		return;
	json_t *cpus = ask(q, "query-cpus-fast", NULL, limit_ms, "exits of each vCPU", s);
	json_t *stats = ask(q, "query-stats", stats_wanted(), limit_ms, "exits of each vCPU", s);
	if (stats && !count_exits(stats, cpus, s->vcpus, s->n_vcpus, s->exits))
		sample_miss(s, "exits of each vCPU", err_new("this kernel gives QEMU none (it needs Linux 5.14)"));
	json_decref(cpus);
	json_decref(stats);
}
