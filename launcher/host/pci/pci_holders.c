/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_holders: which processes hold a card's device nodes open. Reads /sys and /proc; looks at links only, opens none
 * of the files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/opened.h"
#include "launcher/host/kind/sessions.h"
#include "launcher/host/pci/pci.h"

#define DEPTH_MAX 12 /* below a function: usb/hub/port/interface/hid/input/event is the deepest that is known */

#define WALK_LIMIT_MS 5000

static void add_below(struct root *root, const char *dir, unsigned depth, struct strv *nodes);

/* The nodes of a directory of /sys/devices and of all below it: each device there names its own (DEVNAME in its uevent). Links are left
 * alone: they lead to other devices. */
static void add_nodes(struct root *root, const char *dir, unsigned depth, struct strv *nodes)
{
	static const char mark[] = "DEVNAME=";
	cleanup_free char *path = str_fmt("%s/uevent", dir), *text = root_read_or(root, path, "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++)
		if (str_starts(lines.v[i], mark))
			strv_addf(nodes, "/dev/%s", lines.v[i] + strlen(mark));
	if (depth < DEPTH_MAX)
		add_below(root, dir, depth + 1, nodes);
}

static void add_below(struct root *root, const char *dir, unsigned depth, struct strv *nodes)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *child = str_fmt("%s/%s", dir, names.v[i]), *link = root_link(root, child);
		struct stat st;
		cleanup_err struct err *e = link ? NULL : root_stat(root, child, &st);
		if (!link && !e && S_ISDIR(st.st_mode))
			add_nodes(root, child, depth, nodes);
	}
}

struct walk {
	struct root *root;
	const char *dir;
	int out;
};

static struct err *walk(void *data)
{
	const struct walk *w = data;
	cleanup_strv struct strv nodes = {};
	add_below(w->root, w->dir, 1, &nodes);
	cleanup_free char *text = strv_join(&nodes, "\n");
	size_t len = strlen(text);
	return write(w->out, text, len) == (ssize_t)len ? NULL : err_errno(EIO, "%s: pipe", w->dir);
}

/*
 * The nodes below a function, which has none itself. For a uevent kernels take the lock of its device (uevent_show(), seen in Debian 12
 * with 6.1), and an unbinding that hangs holds that of the function and maybe those of some below it: on the host in a child with a time
 * limit.
 */
static struct err *nodes_below(struct root *root, const char *dir, struct strv *ret_nodes)
{
	int ends[2];
	if (!root_is_host(root)) {
		add_below(root, dir, 1, ret_nodes);
		return NULL;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int in = ends[0], out = ends[1];
	struct walk w = { root, dir, out };
	TRY(child_call(walk, &w, WALK_LIMIT_MS));
	cleanup_sb struct sb text = {};
	char buf[4096];
	for (ssize_t n = 0; (n = read(in, buf, sizeof(buf))) > 0;)
		sb_addn(&text, buf, (size_t)n);
	if (text.len)
		strv_split(ret_nodes, text.s, "\n");
	return NULL;
}

/* NVIDIA's own driver makes no drm nodes of its own number: it tells the minor in /proc. */
static void add_nvidia(struct root *root, struct pci_addr addr, struct strv *nodes)
{
	cleanup_free char *path = str_fmt("/proc/driver/nvidia/gpus/%s/information", pci_addr_text(addr).s);
	cleanup_free char *text = root_read_or(root, path, "");
	const char *minor = strstr(text, "Device Minor:");
	if (minor)
		strv_addf(nodes, "/dev/nvidia%d", atoi(minor + strlen("Device Minor:")));
}

/*
 * Whose users are told that the device goes, and let go of it: these nodes answer ENODEV from then on, and no driver waits for who has one
 * open. For all others a driver waits for ever if need be: an i2c adapter (i2c_del_adapter), a card for its screens, vfio for its machine,
 * a sound card (snd_card_free).
 */
static const char *const letting_go[] = { "/dev/input/", "/dev/hidraw", "/dev/usb/", "/dev/bus/usb/", "/dev/iio:" };
/* Sound servers close a card that goes away as soon as they hear of it. */
static const char *const sound_servers[] = { "pipewire", "wireplumber", "pulseaudio" };

static bool starts_with_one(const char *text, const char *const starts[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(text, starts[i]))
			return true;
	return false;
}

static bool is_sound_server(struct root *root, const char *pid)
{
	cleanup_free char *path = str_fmt("/proc/%s/comm", pid), *comm = root_read_or(root, path, "");
	return starts_with_one(comm, sound_servers, ARRAY_SIZE(sound_servers));
}

struct asked {
	struct root *root;
	struct strv nodes;
	bool blocking;
	const char *manager;
};

static bool is_asked(const void *data, const char *pid, const char *path)
{
	const struct asked *a = data;
	if (!strv_has(&a->nodes, path))
		return false;
	if (a->blocking && str_starts(path, "/dev/snd/") && is_sound_server(a->root, pid))
		return false;
	return !session_ends(a->root, a->manager, pid);
}

struct err *pci_holders(struct root *root, struct pci_addr addr, bool blocking, const char *manager, char **ret_holders)
{
	*ret_holders = NULL;
	cleanup_strv struct strv nodes = {};
	cleanup_free char *link = str_fmt("/sys/bus/pci/devices/%s", pci_addr_text(addr).s), *dir = root_real(root, link);
	struct asked asked = { .root = root, .blocking = blocking, .manager = manager };
	struct pci_function fn;
	cleanup_err struct err *e = pci_function_read(root, addr, &fn);
	if (e || !dir)
		return NULL;
	if (streq(fn.driver, "vfio-pci"))
		strv_addf(&nodes, "/dev/vfio/%d", fn.group);
	pci_function_free(&fn);
	TRY(err_wrap(nodes_below(root, dir, &nodes), "%s: who holds it open could not be asked", pci_addr_text(addr).s));
	add_nvidia(root, addr, &nodes);
	for (size_t i = 0; i < nodes.n; i++)
		if (!blocking || !starts_with_one(nodes.v[i], letting_go, ARRAY_SIZE(letting_go)))
			strv_add(&asked.nodes, nodes.v[i]);
	if (asked.nodes.n)
		*ret_holders = opened_by(root, is_asked, &asked, false);
	strv_free(&asked.nodes);
	return NULL;
}
