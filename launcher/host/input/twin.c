/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin: see twin.h. The real device, the flow of its events, the twin itself, and its step: in this order. */
#include <errno.h>
#include <fcntl.h>
#include <libevdev/libevdev-uinput.h>
#include <libevdev/libevdev.h>
#include <linux/uinput.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "launcher/base/late.h"
#include "launcher/base/tr.h"
#include "launcher/host/input/twin.h"

#define ABSENT "absent"
#define BATCH 64

/* libevdev, there once open_source has succeeded */
#define EVDEV_FUNCTIONS(X) \
	X(libevdev_new_from_fd) X(libevdev_free) X(libevdev_grab) X(libevdev_next_event) X(libevdev_get_event_value) X(libevdev_get_name) \
	X(libevdev_set_name) X(libevdev_disable_event_type) \
	X(libevdev_uinput_create_from_device) X(libevdev_uinput_get_devnode) X(libevdev_uinput_destroy)
static struct evdev LATE_TABLE(EVDEV_FUNCTIONS) evdev;

struct twin {
	struct root *root;
	const struct input *in;
	const char *source, *link; /* of `in` */

	/* the twin; ufd -1 until it is made */
	int ufd;
	struct libevdev_uinput *uinput;
	char *node;
	bool down[KEY_CNT]; /* the keys that are down on it */

	/* the real device; fd -1 while it is away */
	int fd;
	struct libevdev *dev;
	bool grabbed;
	bool host;  /* let go by the escape chord */
	bool chord; /* is down */

	/* the events of one report, written at once */
	struct input_event batch[BATCH];
	size_t n;

	sd_event *event;
	sd_event_source *from, *leds;
	struct twin_told told;
};

struct twin *twin_new(struct root *root, const struct input *in)
{
	struct twin *t = mem_new(sizeof(*t));
	*t = (struct twin){ .root = root, .in = in, .source = in->conf->device, .link = in->evdev, .fd = -1, .ufd = -1 };
	return t;
}

static void close_source(struct twin *t)
{
	if (t->dev)
		evdev.libevdev_free(t->dev);
	t->dev = NULL;
	fd_closep(&t->fd);
}

static struct err *open_source(struct twin *t)
{
	static const char *const functions[] = LATE_NAMES(EVDEV_FUNCTIONS);
	struct stat st;
	cleanup_fd int fd = -1;
	const struct input_device *d = t->in->device;
	if (!d)
		return err_errno(ENOENT, "%s", t->source);
	/* root opens it: nothing but an input device */
	TRY(root_stat(t->root, d->node, &st));
	if (!S_ISCHR(st.st_mode))
		return err_new("%s is no input device", t->source);
	struct err *e = root_open_fd(t->root, d->node, O_RDWR | O_NONBLOCK, &fd);
	if (err_code(e) == EACCES) { /* without its LEDs, then */
		err_free(e);
		e = root_open_fd(t->root, d->node, O_RDONLY | O_NONBLOCK, &fd);
	}
	TRY(e);
	if (input_number(t->root, d->node) != d->number) /* looked at when it is open: from here on it is this one or dead */
		return err_errno(ENODEV, "%s", t->source);
	TRY(late_load("libevdev.so.2", functions, &evdev));
	int r = evdev.libevdev_new_from_fd(fd, &t->dev);
	if (r < 0)
		return err_errno(-r, "%s", t->source);
	t->fd = fd_steal(&fd);
	return NULL;
}

/* ---- the flow of events, and of LEDs back ---- */

/* One write a report: the kernel takes several events at once, and who reads the twin wakes up once. */
static void flush(struct twin *t)
{
	size_t size = t->n * sizeof(t->batch[0]);
	t->n = 0;
	if (size && write(t->ufd, t->batch, size) < 0)
		return; /* only a kernel without memory refuses; the next report says where the mouse is */
}

static void put(struct twin *t, unsigned type, unsigned code, int value)
{
	if (type == EV_KEY && code < KEY_CNT && value != 2)
		t->down[code] = value;
	/* without a time: the twin's events have their own */
	t->batch[t->n++] = (struct input_event){ .type = (uint16_t)type, .code = (uint16_t)code, .value = value };
	if (t->n == BATCH || (type == EV_SYN && code == SYN_REPORT))
		flush(t);
}

/* Lets go of all that is held on the twin: nobody else will. */
static void release(struct twin *t)
{
	bool any = false;
	for (unsigned code = 0; code < KEY_CNT; code++)
		if (t->down[code]) {
			put(t, EV_KEY, code, 0);
			any = true;
		}
	if (any || t->n)
		put(t, EV_SYN, SYN_REPORT, 0);
}

/*
 * By the events that we have read, and then by the kernel's word, for those may be behind. In this order: the kernel,
 * asked for the keys, drops the key events that are still to be read, so libevdev would keep a key that it saw go down
 * and not up.
 */
static bool idle(const struct twin *t)
{
	unsigned char keys[KEY_CNT / 8] = {};
	for (unsigned code = 0; code < KEY_CNT; code++)
		if (evdev.libevdev_get_event_value(t->dev, EV_KEY, code))
			return false;
	if (ioctl(t->fd, EVIOCGKEY(sizeof(keys)), keys) < 0)
		return false;
	for (size_t i = 0; i < sizeof(keys); i++)
		if (keys[i])
			return false;
	return true;
}

static void ungrab(struct twin *t)
{
	if (t->grabbed && t->fd >= 0)
		evdev.libevdev_grab(t->dev, LIBEVDEV_UNGRAB);
	t->grabbed = false;
	release(t);
}

/* A key that went down between the look and the grab is seen by the second look: the host has it, so the host shall see
 * it go up. */
static int grab_if_idle(struct twin *t)
{
	if (t->grabbed || t->host || !idle(t))
		return 0;
	int r = evdev.libevdev_grab(t->dev, LIBEVDEV_GRAB);
	if (r < 0)
		return r;
	t->grabbed = idle(t);
	if (!t->grabbed)
		evdev.libevdev_grab(t->dev, LIBEVDEV_UNGRAB);
	return 0;
}

static bool holds(const struct twin *t, unsigned one, unsigned other)
{
	return evdev.libevdev_get_event_value(t->dev, EV_KEY, one) || evdev.libevdev_get_event_value(t->dev, EV_KEY, other);
}

/* Once a press. Looked at while the host has the device, too: it is the way back. */
static void check_chord(struct twin *t)
{
	bool now = holds(t, KEY_LEFTCTRL, KEY_RIGHTCTRL) && holds(t, KEY_LEFTALT, KEY_RIGHTALT) &&
		   holds(t, KEY_LEFTSHIFT, KEY_RIGHTSHIFT) && holds(t, KEY_ESC, KEY_ESC);
	bool pressed = now && !t->chord;
	t->chord = now;
	if (pressed && t->told.chord)
		t->told.chord(t->told.data);
}

static void take(struct twin *t, const struct input_event *ev)
{
	bool report = ev->type == EV_SYN && ev->code == SYN_REPORT;
	if (ev->type == EV_SYN && !report)
		return; /* SYN_DROPPED: libevdev makes it good */
	if (t->grabbed)
		put(t, ev->type, ev->code, ev->value);
	if (ev->type == EV_KEY && ev->value != 2)
		check_chord(t);
	if (report)
		grab_if_idle(t);
}

static void lose(struct twin *t)
{
	t->grabbed = false;
	release(t);
	t->from = sd_event_source_disable_unref(t->from);
	close_source(t);
	t->chord = false;
	if (t->told.away)
		t->told.away(t->told.data, t->in->conf->name);
}

static int on_source(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct twin *t = data;
	struct input_event ev;
	unsigned flags = LIBEVDEV_READ_FLAG_NORMAL;
	int r;
	(void)source, (void)fd, (void)revents;
	for (;;) {
		r = evdev.libevdev_next_event(t->dev, flags, &ev);
		if (r == -EAGAIN && flags == LIBEVDEV_READ_FLAG_SYNC) {
			flags = LIBEVDEV_READ_FLAG_NORMAL;
			continue;
		}
		if (r < 0)
			break;
		if (r == LIBEVDEV_READ_STATUS_SYNC)
			flags = LIBEVDEV_READ_FLAG_SYNC;
		take(t, &ev);
	}
	if (r != -EAGAIN && r != -EINTR)
		lose(t);
	return 0;
}

/* What host or guest wants of the twin's LEDs, the real device shows. */
static int on_leds(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct twin *t = data;
	struct input_event ev;
	(void)source, (void)revents;
	while (read(fd, &ev, sizeof(ev)) == sizeof(ev))
		if (t->fd >= 0 && (ev.type == EV_LED || ev.type == EV_SYN) && write(t->fd, &ev, sizeof(ev)) < 0)
			break; /* opened for reading only, or gone in this moment */
	return 0;
}

static struct err *watch_source(struct twin *t)
{
	int r = sd_event_add_io(t->event, &t->from, t->fd, EPOLLIN, on_source, t);
	if (r >= 0) /* a key comes before everything else that wants the loop */
		r = sd_event_source_set_priority(t->from, SD_EVENT_PRIORITY_IMPORTANT);
	if (r < 0)
		return err_errno(-r, "%s", t->source);
	r = grab_if_idle(t);
	if (r < 0)
		return err_hint(err_errno(-r, "%s", t->source), "another program may have grabbed it: a remapper, another virtual machine");
	return NULL;
}

struct err *twin_watch(struct twin *t, sd_event *event, const struct twin_told *told)
{
	t->event = event;
	t->told = *told;
	int r = sd_event_add_io(event, &t->leds, t->ufd, EPOLLIN, on_leds, t);
	return r < 0 ? err_errno(-r, "%s", t->source) : watch_source(t);
}

bool twin_is_away(const struct twin *t)
{
	return t->fd < 0 && t->event;
}

struct err *twin_return(struct twin *t)
{
	struct err *e = open_source(t);
	if (!e)
		e = watch_source(t);
	if (!e)
		return NULL;
	t->from = sd_event_source_disable_unref(t->from);
	close_source(t);
	return e;
}

void twin_let_go(struct twin *t, bool host)
{
	t->host = host;
	if (t->fd < 0)
		return;
	if (host)
		ungrab(t);
	else
		grab_if_idle(t);
}

static void end_feed(struct twin *t)
{
	ungrab(t);
	t->from = sd_event_source_disable_unref(t->from);
	t->leds = sd_event_source_disable_unref(t->leds);
	close_source(t);
	t->event = NULL;
}

/* ---- the twin ---- */

static void unmake(struct twin *t)
{
	end_feed(t);
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
	free(t);
}

bool twin_made(const struct twin *t)
{
	return t->uinput;
}

/*
 * Made from the real device's capabilities, but for two. Force feedback: nobody here answers to it, and who asked would wait. Repeating:
 * the kernel would repeat the twin's keys beside the real device's, whose repetitions are copied, at the pace that is set for that one.
 */
static struct err *make(struct twin *t, uid_t uid)
{
	struct stat st;
	TRY(open_source(t));
	TRY(root_open_fd(t->root, "/dev/uinput", O_RDWR | O_NONBLOCK, &t->ufd));
	cleanup_free char *phys = str_fmt(TWIN_PHYS "%s", t->source), *name = str_fmt("%.60s (qlaunch)", evdev.libevdev_get_name(t->dev));
	evdev.libevdev_disable_event_type(t->dev, EV_FF);
	evdev.libevdev_disable_event_type(t->dev, EV_REP);
	evdev.libevdev_set_name(t->dev, name);
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
		cleanup_free char *path = str_fmt("/sys/class/input/%s/device/phys", names.v[i]), *text = root_read_or(root, path, "");
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
