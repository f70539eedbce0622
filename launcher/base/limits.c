/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits: see limits.h. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include "launcher/base/limits.h"
#include "launcher/base/str.h"

static struct {
	__rlimit_resource_t resource;
	rlim_t own;
	struct rlimit before;
} limits[] = {
	{ .resource = RLIMIT_FSIZE, .own = RLIM_INFINITY }, /* SIGXFSZ, at a line of the journal */
	{ .resource = RLIMIT_CPU, .own = RLIM_INFINITY },   /* SIGXCPU, after hours of a guest */
	{ .resource = RLIMIT_AS, .own = RLIM_INFINITY },    /* no memory, for an error's text */
	{ .resource = RLIMIT_DATA, .own = RLIM_INFINITY },
	{ .resource = RLIMIT_CORE, .own = 0 }, /* what root knows is not left in the caller's folder */
};

static bool lifted;

void limits_lift(void)
{
	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit own = { limits[i].own, limits[i].own };
		if (getrlimit(limits[i].resource, &limits[i].before) == 0)
			setrlimit(limits[i].resource, &own); /* a container's root may lack the right: then a write fails */
	}
	signal(SIGXFSZ, SIG_IGN);                                    /* EFBIG instead: an error like another */
	for (int timer = ITIMER_REAL; timer <= ITIMER_PROF; timer++) /* kept by execve(2), whoever it makes of a process */
		setitimer(timer, &(struct itimerval){}, NULL);
	umask((umask(077) & 077) | 022);
	lifted = true;
}

void limits_return(void)
{
	if (!lifted)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		setrlimit(limits[i].resource, &limits[i].before);
	signal(SIGXFSZ, SIG_DFL);
}
