/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup: what there is: groups, who has CPUs, what keeps a partition from being made. See cgroup.h. Reads only. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/tr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/kind/systemd.h"

#define DEPTH_MAX 8 /* user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope, and some more */

/* The machine whose group a directory is, NULL where it is none of ours. */
static char *group_vm(const char *dir)
{
	if (!str_starts(dir, CGROUP_PREFIX))
		return NULL;
	const char *part = dir + strlen(CGROUP_PREFIX);
	cleanup_free char *name = str_ndup(part, strlen(part) - (str_ends(part, ".slice") ? strlen(".slice") : 0));
	return systemd_unescape(name);
}

static void owner_add(struct cgroup_owner **v, size_t *n, struct cgroup_owner owner)
{
	*v = mem_grow(*v, *n, sizeof(owner));
	(*v)[(*n)++] = owner;
}

static struct err *others_read(struct root *root, const char *vm, struct cgroup_facts *f)
{
	cleanup_strv struct strv dirs = {};
	TRY(root_list(root, CGROUP_MOUNT, &dirs));
	for (size_t i = 0; i < dirs.n; i++) {
		cleanup_free char *name = group_vm(dirs.v[i]), *dir = str_fmt(CGROUP_MOUNT "/%s", dirs.v[i]);
		if (!str_starts(dirs.v[i], CGROUP_PREFIX) || streq(name, vm))
			continue;
		cleanup_free char *value = cgroup_value(root, dir);
		struct cgroup_owner owner = { .vm = name ? steal(name) : str_dup(dirs.v[i]) };
		cgroup_value_cpus(value, &owner.cpus);
		owner_add(&f->others, &f->n_others, owner);
	}
	return NULL;
}

static bool has_children_with_cpus(struct root *root, const char *dir)
{
	cleanup_free char *path = str_fmt("%s/cgroup.subtree_control", dir), *text = root_read_or(root, path, "");
	return str_has_word(text, "cpuset");
}

/* The host's groups below `parent` ("": the root) that list CPUs. One that is gone by now lists none. */
static void listed_read(struct root *root, const char *parent, unsigned depth, const struct cpus *online, struct cgroup_facts *f)
{
	cleanup_strv struct strv dirs = {};
	cleanup_free char *top = str_fmt(CGROUP_MOUNT "%s%s", *parent ? "/" : "", parent);
	err_free(root_list(root, top, &dirs));
	for (size_t i = 0; i < dirs.n; i++) {
		cleanup_free char *name = str_fmt("%s%s%s", parent, *parent ? "/" : "", dirs.v[i]),
				  *dir = str_fmt(CGROUP_MOUNT "/%s", name);
		cleanup_free char *procs = str_fmt("%s/cgroup.procs", dir), *list = str_fmt("%s/cpuset.cpus", dir);
		struct cgroup_owner owner = { .below = depth > 0 };
		if ((!depth && str_starts(dirs.v[i], CGROUP_PREFIX)) || (!root_exists(root, procs) && !root_exists(root, list)))
			continue;
		cleanup_free char *value = cgroup_value(root, dir);
		if (cgroup_value_cpus(value, &owner.cpus) && !(depth && cpus_subset(online, &owner.cpus))) {
			owner.vm = str_printable(name);
			owner_add(&f->listed, &f->n_listed, owner);
		}
		if (depth < DEPTH_MAX && has_children_with_cpus(root, dir))
			listed_read(root, name, depth + 1, online, f);
	}
}

static void obstacle_read(struct root *root, struct cgroup_facts *f)
{
	/* 6.1 refuses a partition of CPUs that a sibling lists, 7.2 takes them (both tried) */
	cleanup_free char *release = root_read_or(root, "/proc/sys/kernel/osrelease", "0");
	f->exclusive = atoi(release) < 7;
	cleanup_free char *controllers = root_read_or(root, CGROUP_MOUNT "/cgroup.controllers", NULL);
	cleanup_strv struct strv words = {};
	strv_split(&words, controllers ? controllers : "", " \n");
	if (strv_has(&words, "cpuset"))
		return;
	if (controllers)
		f->obstacle = tr_dup("cgroup v2 has no cpuset controller here");
	else if (root_exists(root, CGROUP_MOUNT "/unified/cgroup.controllers"))
		f->obstacle = tr_dup("this host mixes cgroup v1 and v2 (hybrid): cpuset is with v1, which has no partitions");
	else if (root_exists(root, CGROUP_MOUNT "/cpuset") || root_exists(root, CGROUP_MOUNT "/memory"))
		f->obstacle = tr_dup("this host has cgroup v1, which has no partitions");
	else
		f->obstacle = tr_fmt("no cgroup v2 is mounted at %s", CGROUP_MOUNT);
	f->remedy = tr_dup(f->systemd ? "add systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all to the kernel's "
					"parameters, or cpu.isolate = off"
				      : N_("mount cgroup v2 alone (OpenRC: rc_cgroup_mode=\"unified\" in /etc/rc.conf), "
					   "or cpu.isolate = off"));
}

struct err *cgroup_facts_read(struct root *root, const struct config *c, struct cgroup_facts *ret_facts)
{
	struct cgroup_facts f = { .systemd = systemd_runs(root) };
	obstacle_read(root, &f);
	if (!f.obstacle) {
		struct err *e = others_read(root, c->vm.name, &f);
		if (e) {
			cgroup_facts_free(&f);
			return e;
		}
		struct cpus online = {};
		cleanup_free char *cpus = root_read_or(root, "/sys/devices/system/cpu/online", "");
		err_free(cpus_parse(cpus, &online));
		listed_read(root, "", 0, &online, &f);
		cleanup_free char *limit = root_read_or(root, CGROUP_MOUNT "/system.slice/cpuset.cpus", "");
		f.narrowed = *limit != '\0';
	}
	*ret_facts = f;
	return NULL;
}

void cgroup_facts_free(struct cgroup_facts *f)
{
	for (size_t i = 0; i < f->n_others; i++)
		free(f->others[i].vm);
	for (size_t i = 0; i < f->n_listed; i++)
		free(f->listed[i].vm);
	free(f->others);
	free(f->listed);
	free(f->obstacle);
	free(f->remedy);
	*f = (struct cgroup_facts){};
}

char *cgroup_conflict(struct root *root, const char *group, const struct cpus *cpus)
{
	cleanup_cgroup_facts struct cgroup_facts f = {};
	cleanup_free char *vm = group_vm(group);
	cleanup_err struct err *unreadable = others_read(root, vm, &f);
	for (size_t i = 0; !unreadable && i < f.n_others; i++) {
		struct cpus both = cpus_and(cpus, &f.others[i].cpus);
		if (!cpus_empty(&both))
			return str_dup(f.others[i].vm);
	}
	return NULL;
}

char *cgroup_value(struct root *root, const char *dir)
{
	struct cpus cpus;
	cleanup_free char *path = str_fmt("%s/cpuset.cpus", dir), *text = root_read_or(root, path, "");
	cleanup_err struct err *e = cpus_parse(text, &cpus);
	if (!root_exists(root, dir))
		return str_dup("absent");
	if (e || cpus_empty(&cpus))
		return str_dup("active");
	cleanup_free char *list = cpus_format(&cpus);
	return str_fmt("active %s", list);
}

bool cgroup_value_cpus(const char *value, struct cpus *ret_cpus)
{
	const char *list = strchr(value, ' ');
	struct cpus cpus;
	cleanup_err struct err *e = cpus_parse(list ? list + 1 : "", &cpus);
	if (e || cpus_empty(&cpus))
		return false;
	*ret_cpus = cpus;
	return true;
}

struct err *cgroup_wait_gone(struct root *root, const char *dir, int limit_ms)
{
	if (!root_is_host(root))
		return NULL;
	int64_t until = clock_ms() + limit_ms;
	cleanup_fd int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0 || inotify_add_watch(fd, CGROUP_MOUNT, IN_DELETE | IN_ONLYDIR) < 0)
		return err_errno(errno, CGROUP_MOUNT);
	while (root_exists(root, dir)) {
		char events[4096];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - clock_ms();
		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			return err_errno(ETIMEDOUT, "%s is still there", dir);
		if (p.revents && read(fd, events, sizeof(events)) < 0 && errno != EAGAIN && errno != EINTR)
			return err_errno(errno, CGROUP_MOUNT);
	}
	return NULL;
}
