/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_win: see virtio_win.h. */
#include <errno.h>
#include <sys/stat.h>
#include "launcher/base/num.h"
#include "launcher/host/disk/disc.h"
#include "launcher/tools/virtio_win.h"

#define LABEL "virtio-win" /* -0.1.285 (its virtio-win.spec, mkisofs -V) */
#define LEAST (UINT64_C(64) << 20) /* the first ones with drivers for Windows 10 had 120 MiB, those of today 750 MiB */

struct err *virtio_win_check(const char *path)
{
	struct disc d;
	struct stat st;
	TRY(disc_read(path, &d));
	if (strncasecmp(d.label, LABEL, strlen(LABEL)) != 0)
		return err_new("%s is the disc \"%s\", and not that of virtio-win", path, d.label);
	if (stat(path, &st) < 0)
		return err_errno(errno, "%s", path);
	cleanup_free char *is = size_rounded((uint64_t)st.st_size), *says = size_rounded(d.size);
	if ((uint64_t)st.st_size < d.size)
		return err_new("%s is not whole: it has %s, and says itself that it is %s", path, is, says);
	if ((uint64_t)st.st_size < LEAST)
		return err_new("%s is too small for all the drivers: it has %s", path, is);
	return NULL;
}

char *virtio_win_path(const struct user *u)
{
	return str_fmt("%s/qlaunch/virtio-win.iso", u->data_dir);
}

struct finding_it {
	const char *const *paths;
	const char *found;
};

static struct err *find(void *data)
{
	struct finding_it *f = data;
	for (; *f->paths && !f->found; f->paths++) {
		cleanup_err struct err *e = virtio_win_check(*f->paths);
		f->found = e ? NULL : *f->paths;
	}
	return NULL;
}

char *virtio_win_find(const struct user *u)
{
	cleanup_free char *own = virtio_win_path(u);
	/* Fedora's package, and what Arch's is called */
	const char *const paths[] = { own, "/usr/share/virtio-win/virtio-win.iso", "/var/lib/libvirt/images/virtio-win.iso", NULL };
	struct finding_it f = { .paths = paths };
	err_free(user_visit(u, find, &f));
	return str_dup(f.found);
}
