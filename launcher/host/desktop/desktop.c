/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desktop: see desktop.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/host/desktop/desktop.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/kind/scratch.h"

#define KVMFR "/dev/kvmfr0"
#define RENDER "/dev/dri/renderD128"

uint64_t desktop_shared_size(const char *resolution)
{
	unsigned width, height;
	uint64_t size = UINT64_C(1) << 20;
	if (!resolution || sscanf(resolution, "%5ux%5u", &width, &height) != 2)
		return 0;
	while (size < (uint64_t)width * height * 4 * 2 + (UINT64_C(10) << 20))
		size *= 2;
	return size;
}

static void find_shared(struct root *root, const struct config *c, struct desktop_facts *f)
{
	struct stat st;
	f->kvmfr = root_exists(root, KVMFR);
	f->shared = str_dup(f->kvmfr ? KVMFR : SCRATCH_SHARED);
	f->shared_size = desktop_shared_size(c->display.resolution);
	struct err *e = root_stat(root, f->shared, &st);
	if (!e && S_ISREG(st.st_mode))
		f->shared_now = (uint64_t)st.st_size;
	err_free(e);
}

static bool listens(struct root *root, const char *dir, const char *socket)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, socket);
	return root_exists(root, path);
}

struct err *desktop_facts_read(struct root *root, const struct config *c, const struct user *user, bool spice,
			       struct desktop_facts *ret_facts)
{
	static const char *const viewers[] = {
		[DISPLAY_SPICE] = "remote-viewer", [DISPLAY_LOOKING_GLASS] = "looking-glass-client"
	};
	enum display_mode mode = c->display.mode;
	const char *viewer = mode < ARRAY_SIZE(viewers) ? viewers[mode] : NULL;
	const char *dir = user->runtime_dir ? user->runtime_dir : user->uid == 0 ? "/run/qlaunch" : NULL;
	struct desktop_facts f = {};
	if (mode == DISPLAY_LOOKING_GLASS)
		find_shared(root, c, &f);
	if (spice && viewer && dir && !c->display.port)
		f.spice = str_fmt("%s/qlaunch-%s" SCRATCH_SOCKET, dir, c->vm.name);
	if (viewer && root_is_host(root))
		f.viewer = child_find(viewer);
	f.screen = user->wayland || getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
	f.render = root_exists(root, RENDER);
	if (user->runtime_dir) {
		f.pipewire = listens(root, user->runtime_dir, "pipewire-0");
		f.pulse = listens(root, user->runtime_dir, "pulse/native");
	}
	*ret_facts = f;
	return NULL;
}

void desktop_facts_free(struct desktop_facts *f)
{
	free(f->spice);
	free(f->shared);
	free(f->viewer);
	*f = (struct desktop_facts){};
}

void desktop_steps(struct steps *out, const struct desktop_facts *f, uid_t uid, gid_t gid)
{
	if (f->kvmfr)
		node_step(out, f->shared, uid, gid, "Looking Glass's memory, for QEMU and its client");
	else if (f->shared)
		scratch_shared_step(out, uid, "the memory that Looking Glass shares with the guest");
	if (f->spice)
		steps_add(out, &scratch_kind, f->spice, "present", "the socket at which the picture is looked at")->optional = true;
}
