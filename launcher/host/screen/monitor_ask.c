/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor_ask: see monitor.h. Monitors are asked and switched in a child. What is done here, in the launcher, is to fork, to wait, and to
 * read what the child found. */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/screen/ddc.h"

#define LIMIT_MS 20000 /* a monitor answers within 0.1 s; libddcutil repeats up to ten times on each bus */
#define SETTLE_MS 500  /* while it switches, a monitor answers nothing, or what it showed before */
#define SETTLE_TRIES 10
#define BY_HAND "press the button of its own that chooses the input"
#define READS_OTHER EBADE /* the value was sent, and another one is read */
#define DDC_ADDRESS 0x37 /* of DDC/CI on the bus (VESA DDC/CI 1.1) */

/* ---- in the child ---- */

struct job {
	struct root *root;
	const char *match;
	bool inputs;
	unsigned input;
	struct monitors *seen; /* shared with the launcher: what was found before a hang is found */
	bool *silent;          /* likewise */
};

/*
 * No word of the library's, and none of the caller's settings for it: root must not follow a user's file. It keeps a cache below HOME, and
 * libddcutil 1.4 dies without one: below /dev/null there is nothing to read and nothing can be made.
 */
static void begin(void)
{
	clearenv();
	setenv("HOME", "/dev/null", 1);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

static struct err *list(struct root *root, bool inputs, struct monitors *ret_monitors)
{
	struct err *e = ddc_list(inputs, ret_monitors);
	monitors_connectors(root, ret_monitors);
	return e;
}

static struct err *list_job(void *data)
{
	struct job *j = data;
	begin();
	return list(j->root, j->inputs, j->seen);
}

/* The command by hand (DDC/CI 1.1, "Set VCP feature"), for a monitor that answers nothing on this cable but may listen. */
static struct err *set_unheard(struct root *root, const struct monitor *m, unsigned input)
{
	cleanup_free char *path = str_fmt("/dev/i2c-%d", m->bus);
	cleanup_fd int fd = -1;
	uint8_t message[] = { 0x51, 0x84, 0x03, 0x60, (uint8_t)(input >> 8), (uint8_t)input, 0 };
	message[6] = DDC_ADDRESS << 1;
	for (size_t i = 0; i < sizeof(message) - 1; i++)
		message[6] ^= message[i];
	TRY(root_open_fd(root, path, O_RDWR, &fd));
	if (ioctl(fd, I2C_SLAVE, DDC_ADDRESS) < 0 || write(fd, message, sizeof(message)) != (ssize_t)sizeof(message))
		return err_errno(errno, "%s", path);
	return NULL;
}

static struct err *silent_error(const struct monitor *m)
{
	return err_hint(err_new("%s does not answer: it may answer only on the input that it shows, or be off", m->name),
			"press the button of its own that chooses the input");
}

static struct err *settle(struct job *j, const struct monitor *m, unsigned input)
{
	int now = -1;
	for (int i = 0; i < SETTLE_TRIES && now != (int)input; i++) {
		poll(NULL, 0, SETTLE_MS);
		if (m->input < 0) { /* the library opens only what answered when it looked: look again */
			struct monitors again = {};
			const struct monitor *same = NULL;
			TRY(list(j->root, false, &again));
			struct err *e = monitor_find(&again, j->match, &same);
			now = same ? same->input : -1;
			err_free(e);
		} else {
			now = ddc_input(m);
		}
	}
	*j->silent = now < 0;
	if (now < 0 && m->input < 0)
		return silent_error(m);
	if (now >= 0 && now != (int)input)
		return err_hint(err_coded(READS_OTHER,
					  "%s reads input 0x%02x after 0x%02x was set: it does not take that value, or does not tell it",
					  m->name, (unsigned)now, input),
				"qlaunch monitors; other values by: qlaunch monitors --try VALUE");
	return NULL;
}

static struct err *switch_job(void *data)
{
	struct job *j = data;
	const struct monitor *m = NULL;
	begin();
	TRY(list(j->root, false, j->seen));
	TRY(monitor_find(j->seen, j->match, &m));
	if (!m)
		return err_new("no monitor \"%s\"", j->match);
	if (m->input >= 0)
		TRY(err_wrap(ddc_set_input(m, j->input), "%s", m->name));
	else if (m->bus >= 0)
		TRY(err_hint(err_wrap(set_unheard(j->root, m, j->input), "%s", m->name), BY_HAND));
	else
		return silent_error(m);
	return settle(j, m, j->input);
}

/* ---- in the launcher ---- */

struct shared {
	struct monitors seen;
	bool silent;
};

static bool has_bus(struct root *root)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, "/dev", &names));
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], "i2c-"))
			return true;
	return false;
}

/* Nothing is begun where there is nobody to ask. */
static struct err *bus_there(struct root *root)
{
	if (!root_is_host(root))
		return err_coded(ENOTSUP, "monitors are asked on this host only");
	return has_bus(root) ? NULL : err_hint(err_coded(ENODEV, "no monitor can be asked: there is no /dev/i2c-*"), "modprobe i2c-dev");
}

void monitor_findings(struct findings *out, const struct config *c, struct root *root)
{
	if (c->n_monitors && !has_bus(root))
		findings_add(out, FINDING_WARN, "monitor", tr_dup("no monitor will be switched: there is no /dev/i2c-*"),
			     tr_dup("modprobe i2c-dev"));
}

static struct err *in_child(struct err *(*fn)(void *), struct job *job, struct shared *ret_shared)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return err_errno(errno, "mmap");
	job->seen = &s->seen;
	job->silent = &s->silent;
	struct err *e = child_call(fn, job, LIMIT_MS);
	*ret_shared = *s;
	munmap(s, sizeof(*s));
	if (err_code(e) == ETIMEDOUT)
		e = err_hint(err_wrap(e, "a monitor or its bus hangs"), "unplug it, or switch it off and on");
	return e;
}

struct err *monitors_read(struct root *root, bool inputs, struct monitors *ret_monitors)
{
	struct job job = { .root = root, .inputs = inputs };
	struct shared s;
	TRY(bus_there(root));
	TRY(in_child(list_job, &job, &s));
	*ret_monitors = s.seen;
	return NULL;
}

struct err *monitor_switch(struct root *root, const char *match, unsigned input, bool *ret_silent)
{
	struct job job = { .root = root, .match = match, .input = input };
	struct shared s;
	TRY(bus_there(root));
	struct err *e = in_child(switch_job, &job, &s);
	if (err_code(e) == READS_OTHER)
		log_err(LOG_LEVEL_WARN, steal(e));
	TRY(e);
	*ret_silent = s.silent;
	return NULL;
}
