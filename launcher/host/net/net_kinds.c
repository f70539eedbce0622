/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_kinds: interfaces as steps: the VM's own bridge, its tap, its macvtap. Each is made by us and deleted by name,
 * whatever became of it in between: names begin with "ql" and end in a hash of VM and network. One of that name that
 * was there before is never touched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include "launcher/base/tr.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/host/net/net_link.h"

#define SYS_NET "/sys/class/net"
#define ABSENT "absent"

/* Of /sys/class/net/NAME/FILE; "" where it is not. */
static char *attribute(struct root *root, const char *name, const char *file)
{
	cleanup_free char *path = str_fmt(SYS_NET "/%s/%s", name, file);
	return root_read_or(root, path, "");
}

static bool is_there(struct root *root, const char *name)
{
	cleanup_free char *path = str_fmt(SYS_NET "/%s/ifindex", name);
	return root_exists(root, path);
}

static bool is_up(struct root *root, const char *name)
{
	cleanup_free char *flags = attribute(root, name, "flags");
	return strtoul(flags, NULL, 16) & IFF_UP;
}

/* On the way from absent to what we want there is nothing of anybody else's. */
static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_BETWEEN;
}

/* Before something is made under a name. */
static struct err *may_make(struct step_env *env, const struct step *s)
{
	if (!root_is_host(env->root))
		return err_new("interfaces are made on this host only, not under %s", root_dir(env->root));
	if (is_there(env->root, s->target))
		return err_hint(err_coded(EEXIST, "%s is there already, and no journal says that it is ours", s->target),
				"ip link delete %s", s->target);
	return NULL;
}

/* A name for people; that it cannot be set is no failure. */
static void set_alias(struct step_env *env, const struct step *s)
{
	const struct net *n = s->data;
	cleanup_free char *path = str_fmt(SYS_NET "/%s/ifalias", s->target);
	if (n)
		err_free(root_write(env->root, path, n->alias));
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	if (!root_is_host(env->root) || !str_starts(s->target, "ql") || !streq(s->prior, ABSENT))
		return err_new("%s is not ours to delete", s->target);
	return link_delete(s->target);
}

/* ---- bridge ---- */

static char *bridge_describe(const struct step *s)
{
	return tr_fmt("make bridge %s with %s", s->target, s->want);
}

static struct err *bridge_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	if (!is_there(env->root, s->target)) {
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	cleanup_free char *address = root_is_host(env->root) ? link_address(s->target) : NULL;
	*ret_value = str_fmt("%s%s", address ? address : "no address", is_up(env->root, s->target) ? "" : ", down");
	return NULL;
}

static struct err *bridge_apply(struct step_env *env, struct step *s)
{
	const struct net *n = s->data;
	struct net_subnet subnet;
	struct in_addr address;
	cleanup_free char *text = str_ndup(s->want, strcspn(s->want, "/")), *mac = str_dup(n ? n->mac : NULL);
	TRY(may_make(env, s));
	TRY(net_subnet_parse(s->want, &subnet));
	if (inet_pton(AF_INET, text, &address) != 1)
		return err_new("\"%s\" is no address", s->want);
	if (mac) /* not the guest's own: 52:54:01 */
		mac[7] = mac[7] == '0' ? '1' : '0';
	TRY(link_add_bridge(s->target, mac));
	set_alias(env, s);
	TRY(link_add_address(s->target, address, subnet.bits));
	return link_up(s->target, NULL, NULL);
}

const struct step_kind net_bridge_kind = {
	.name = "bridge",
	.describe = bridge_describe,
	.probe = bridge_probe,
	.apply = bridge_apply,
	.undo = undo,
	.whose = whose,
};

/* ---- tap ---- */

static char *tap_describe(const struct step *s)
{
	char owner[16], bridge[IFNAMSIZ];
	if (sscanf(s->want, "%15s %15s", owner, bridge) != 2)
		return tr_fmt("make tap %s", s->target);
	return tr_fmt("make tap %s in bridge %s, for user %s", s->target, bridge, owner);
}

/* The flag of drivers/net/tun.c, as sysfs shows it: a tap keeps it for life, and each descriptor must ask for the same.
 */
static bool is_multi(struct root *root, const char *name)
{
	cleanup_free char *flags = attribute(root, name, "tun_flags");
	return strtoul(flags, NULL, 16) & IFF_MULTI_QUEUE;
}

static struct err *tap_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	if (!is_there(env->root, s->target)) {
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	cleanup_free char *owner = attribute(env->root, s->target, "owner"), *path = str_fmt(SYS_NET "/%s/master", s->target),
			  *master = root_link_name(env->root, path);
	*ret_value = str_fmt("%s %s %s%s", *owner ? owner : "?", master ? master : "-", is_multi(env->root, s->target) ? "multi" : "single",
			     is_up(env->root, s->target) ? "" : ", down");
	return NULL;
}

/* A queue of a tap, as a descriptor; makes the tap where there is none. */
static struct err *tap_attach(struct root *root, const char *name, bool multi, int *ret_fd)
{
	cleanup_fd int fd = -1;
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (multi ? IFF_MULTI_QUEUE : 0) };
	TRY(err_hint(root_open_fd(root, "/dev/net/tun", O_RDWR | O_CLOEXEC, &fd), "modprobe tun"));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return err_errno(errno, "tap %s", name);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

static struct err *tap_apply(struct step_env *env, struct step *s)
{
	const struct net *n = s->data;
	unsigned uid;
	char bridge[IFNAMSIZ], queues[8];
	cleanup_fd int fd = -1;
	TRY(may_make(env, s));
	if (sscanf(s->want, "%u %15s %7s", &uid, bridge, queues) != 3)
		return err_new("\"%s\" is no tap", s->want);
	TRY(tap_attach(env->root, s->target, streq(queues, "multi"), &fd));
	if (ioctl(fd, TUNSETPERSIST, 1) < 0 || ioctl(fd, TUNSETOWNER, (unsigned long)uid) < 0)
		return err_errno(errno, "tap %s", s->target);
	set_alias(env, s);
	/* high, so that a joined bridge without an address of its own does not take this one: a bridge has its lowest
	 * port's */
	cleanup_free char *mac = str_fmt("fe%s", n ? n->mac + 2 : ":54:00:00:00:01");
	return link_up(s->target, bridge, mac);
}

const struct step_kind net_tap_kind = {
	.name = "tap",
	.describe = tap_describe,
	.probe = tap_probe,
	.apply = tap_apply,
	.undo = undo,
	.whose = whose,
};

/* ---- macvtap ---- */

static char *link_describe(const struct step *s)
{
	return tr_fmt("make macvtap %s on %.*s", s->target, (int)strcspn(s->want, " "), s->want);
}

static struct err *link_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	if (!is_there(env->root, s->target)) {
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	cleanup_strv struct strv names = {};
	cleanup_free char *mac = attribute(env->root, s->target, "address"), *dir = str_fmt(SYS_NET "/%s", s->target);
	const char *lower = "-";
	TRY(root_list(env->root, dir, &names));
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], "lower_"))
			lower = names.v[i] + strlen("lower_");
	*ret_value = str_fmt("%s %s%s", lower, mac, is_up(env->root, s->target) ? "" : ", down");
	return NULL;
}

static struct err *link_apply(struct step_env *env, struct step *s)
{
	char lower[IFNAMSIZ], mac[NET_MAC_TEXT];
	TRY(may_make(env, s));
	if (sscanf(s->want, "%15s %17s", lower, mac) != 2)
		return err_new("\"%s\" is no macvtap", s->want);
	TRY(link_add_macvtap(s->target, lower, mac));
	set_alias(env, s);
	return link_up(s->target, NULL, NULL);
}

const struct step_kind net_link_kind = {
	.name = "link",
	.describe = link_describe,
	.probe = link_probe,
	.apply = link_apply,
	.undo = undo,
	.whose = whose,
};

/* A queue of a macvtap: /dev/tapN, which udev or devtmpfs may have named in another network namespace: its number must
 * be that of sysfs. */
static struct err *macvtap_attach(struct root *root, const char *name, bool multi, int *ret_fd)
{
	cleanup_strv struct strv taps = {};
	cleanup_free char *dir = str_fmt(SYS_NET "/%s/macvtap", name);
	TRY(root_list(root, dir, &taps));
	if (!taps.n)
		return err_new("%s has no node", name);
	cleanup_free char *node = str_fmt("/dev/%s", taps.v[0]), *path = str_fmt("%s/%s/dev", dir, taps.v[0]),
			  *dev = root_read_or(root, path, "");
	cleanup_fd int fd = -1;
	struct stat st;
	TRY(root_open_fd(root, node, O_RDWR | O_NONBLOCK | O_CLOEXEC, &fd));
	cleanup_free char *number = fstat(fd, &st) < 0 ? NULL : str_fmt("%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (!streq(number, dev))
		return err_new("%s is device %s, but %s is %s", node, number ? number : "?", name, dev);
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (multi ? IFF_MULTI_QUEUE : 0) };
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return err_errno(errno, "%s", node);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

struct err *net_open(struct root *root, const struct net *n, int fds[])
{
	bool multi = n->queues > 1, macvtap = n->conf->mode == NET_MACVTAP;
	for (unsigned i = 0; *n->link && i < n->queues; i++)
		TRY((macvtap ? macvtap_attach : tap_attach)(root, n->link, multi, &fds[i]));
	for (unsigned i = 0; n->vhost && i < n->queues; i++)
		TRY(err_hint(root_open_fd(root, "/dev/vhost-net", O_RDWR | O_CLOEXEC, &fds[n->queues + i]), "modprobe vhost_net"));
	return NULL;
}
