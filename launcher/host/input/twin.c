/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin: see twin.h. The virtual device itself and its step; twin_feed.c has the flow of events. */
#include <errno.h>
#include <fcntl.h>
#include <linux/uinput.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "launcher/base/tr.h"
#include "launcher/host/input/twin_own.h"

#define ABSENT "absent"

struct evdev evdev;

struct twin *twin_new(struct root *root, const char *name, const char *source, const char *link)
{
	struct twin *t = mem_new(sizeof(*t));
	*t = (struct twin){ .root = root,
			    .name = str_dup(name),
			    .source = str_dup(source),
			    .link = str_dup(link),
			    .fd = -1,
			    .ufd = -1 };
	return t;
}

static void unmake(struct twin *t)
{
	twin_feed_end(t);
	if (t->uinput) {
		evdev.libevdev_uinput_destroy(t->uinput);
		t->uinput = NULL;
		err_free(root_unlink(t->root, t->link));
	}
	fd_closep(&t->ufd);
	str_set(&t->node, NULL);
}

void twin_free(struct twin *t)
{
	if (!t)
		return;
	unmake(t);
	free(t->name);
	free(t->source);
	free(t->link);
	free(t);
}

bool twin_made(const struct twin *t)
{
	return t->uinput;
}

void twin_close_source(struct twin *t)
{
	if (t->dev)
		evdev.libevdev_free(t->dev);
	t->dev = NULL;
	fd_closep(&t->fd);
}

struct err *twin_open_source(struct twin *t)
{
	static const char *const functions[] = LATE_NAMES(EVDEV_FUNCTIONS);
	struct stat st;
	cleanup_fd int fd = -1;
	cleanup_free char *real = root_real(t->root, t->source);
	if (!real)
		return err_errno(ENOENT, "%s", t->source);
	/* what the configuration names is opened by root: nothing but an input device */
	TRY(root_stat(t->root, real, &st));
	if (!S_ISCHR(st.st_mode) || !str_starts(real, "/dev/input/event"))
		return err_new("%s is no input device", t->source);
	struct err *e = root_open_fd(t->root, real, O_RDWR | O_NONBLOCK, &fd);
	if (err_code(e) == EACCES) { /* without its LEDs, then */
		err_free(e);
		e = root_open_fd(t->root, real, O_RDONLY | O_NONBLOCK, &fd);
	}
	TRY(e);
	TRY(late_load("libevdev.so.2", functions, &evdev));
	int r = evdev.libevdev_new_from_fd(fd, &t->dev);
	if (r < 0)
		return err_errno(-r, "%s", t->source);
	t->fd = fd_steal(&fd);
	return NULL;
}

/* Made from the real device's capabilities, but for force feedback: nobody here answers to it, and who asked would
 * wait. */
static struct err *make(struct twin *t, uid_t uid)
{
	struct stat st;
	TRY(twin_open_source(t));
	TRY(root_open_fd(t->root, "/dev/uinput", O_RDWR | O_NONBLOCK, &t->ufd));
	cleanup_free char *phys = str_fmt(TWIN_PHYS "%s", t->source),
			  *name = str_fmt("%.60s (qlaunch)", evdev.libevdev_get_name(t->dev));
	evdev.libevdev_disable_event_type(t->dev, EV_FF);
	evdev.libevdev_set_name(t->dev, name);
	t->vendor = evdev.libevdev_get_id_vendor(t->dev);
	t->product = evdev.libevdev_get_id_product(t->dev);
	if (ioctl(t->ufd, UI_SET_PHYS, phys) < 0)
		return err_errno(errno, "/dev/uinput");
	int r = evdev.libevdev_uinput_create_from_device(t->dev, t->ufd, &t->uinput);
	if (r < 0)
		return err_errno(-r, "a twin of %s", t->source);
	t->node = str_dup(evdev.libevdev_uinput_get_devnode(t->uinput));
	if (!t->node)
		return err_new("the twin of %s has no node", t->source);
	TRY(root_stat(t->root, t->node, &st));
	/* the group is udev's to set, now or in a moment */
	if (st.st_uid != uid)
		TRY(root_chown(t->root, t->node, uid, st.st_gid));
	return root_symlink(t->root, t->node, t->link);
}

struct err *twin_close_node(struct twin *t)
{
	struct stat st;
	if (!t->node)
		return NULL;
	TRY(root_stat(t->root, t->node, &st));
	return st.st_uid == 0 ? NULL : root_chown(t->root, t->node, 0, st.st_gid);
}

/* ---- the step ---- */

static char *describe(const struct step *s)
{
	return tr_fmt("put a twin before %s", s->target);
}

/* By its phys, for another process may ask. */
static char *find_node(struct root *root, const char *source)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *phys = str_fmt(TWIN_PHYS "%s", source);
	err_free(root_list(root, "/sys/class/input", &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("/sys/class/input/%s/device/phys", names.v[i]),
				  *text = root_read_or(root, path, "");
		if (str_starts(names.v[i], "event") && streq(text, phys))
			return str_fmt("/dev/input/%s", names.v[i]);
	}
	return NULL;
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct stat st;
	cleanup_free char *node = find_node(env->root, s->target);
	struct err *e = node ? root_stat(env->root, node, &st) : NULL;
	if (!node || err_code(e) == ENOENT) {
		err_free(e);
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	if (!e)
		*ret_value = str_fmt("%u", st.st_uid);
	return e;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct twin *t = s->data;
	(void)env;
	if (!t)
		return err_new("a twin lives in the launcher alone");
	struct err *e = make(t, (uid_t)strtoul(s->want, NULL, 10));
	if (e)
		unmake(t);
	return e;
}

/* It ends with the process that made it: there is nothing to do for any other. */
static struct err *undo(struct step_env *env, const struct step *s)
{
	(void)env;
	if (!s->data)
		return err_new("the process that made the twin still lives");
	unmake(s->data);
	return NULL;
}

static enum step_whose whose(const struct step *s, const char *now)
{
	(void)s;
	return streq(now, ABSENT) ? STEP_PRIOR : STEP_WANTED;
}

const struct step_kind twin_kind = {
	.name = "twin",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
};
