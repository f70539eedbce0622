/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify: see notify.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/host/kind/bus.h"
#include "launcher/host/desktop/notify.h"

#define SERVICE "org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.Notifications"
#define LIMIT_S 5

struct job {
	const struct user *user;
	const struct notice *notice;
};

char *notify_markup(const char *text)
{
	struct sb sb = {};
	for (; *text; text++) {
		if (*text == '&')
			sb_add(&sb, "&amp;");
		else if (*text == '<')
			sb_add(&sb, "&lt;");
		else if (*text == '>')
			sb_add(&sb, "&gt;");
		else
			sb_addc(&sb, *text);
	}
	return sb_steal(&sb);
}

/* What D-Bus takes as a string: what its library refuses is shown byte for byte. */
static int add_text(sd_bus_message *m, const char *text)
{
	if (sd_bus_message_append(m, "s", text) >= 0)
		return 0;
	cleanup_free char *plain = str_dup(text);
	for (char *p = plain; *p; p++)
		if (*p & 0x80)
			*p = '?';
	return sd_bus_message_append(m, "s", plain);
}

static bool reads_markup(sd_bus *bus)
{
	cleanup_message sd_bus_message *reply = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *word;
	bool reads = false;
	if (sd_bus_call_method(bus, SERVICE, "GetCapabilities", &error, &reply, "") < 0 ||
	    sd_bus_message_enter_container(reply, 'a', "s") < 0)
		return false;
	while (sd_bus_message_read(reply, "s", &word) > 0)
		reads = reads || streq(word, "body-markup");
	return reads;
}

static struct err *deliver(sd_bus *bus, const struct notice *n)
{
	cleanup_message sd_bus_message *m = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_free char *body = reads_markup(bus) ? notify_markup(n->body) : str_dup(n->body);
	int r = sd_bus_message_new_method_call(bus, &m, SERVICE, "Notify");
	if (r >= 0)
		r = sd_bus_message_append(m, "sus", "qlaunch", 0, n->icon);
	if (r >= 0)
		r = add_text(m, n->summary);
	if (r >= 0)
		r = add_text(m, body);
	if (r >= 0)
		r = sd_bus_message_append(m, "asa{sv}i", 0, 2, "urgency", "y", n->critical ? 2 : 1, "desktop-entry", "s", n->entry, -1);
	if (r >= 0)
		r = sd_bus_call(bus, m, BUS_CALL_LIMIT_US, &error, NULL);
	return r < 0 ? bus_err(r, &error, "notification") : NULL;
}

/* In the child: none of the launcher's descriptors, none of its rights. */
static struct err *tell(void *data)
{
	struct job *job = data;
	cleanup_bus sd_bus *bus = NULL;
	cleanup_root struct root *root = NULL;
	if (getuid() != job->user->uid) { /* our environment is not theirs */
		unsetenv("DBUS_SESSION_BUS_ADDRESS");
		TRY(user_become(job->user));
	}
	TRY(root_open("/", &root));
	TRY(bus_open_session(root, job->user->uid, job->user->gid, &bus));
	return deliver(bus, job->notice);
}

void notify_wait(struct root *root, const struct user *user, const struct notice *n)
{
	struct job job = { user, n };
	if (bus_has_session(root, user->uid))
		log_err(LOG_LEVEL_DEBUG, child_call(tell, &job, LIMIT_S * 1000));
}

void notify_begin(struct root *root, const struct user *user, const struct notice *n)
{
	struct job job = { user, n };
	pid_t pid = bus_has_session(root, user->uid) ? fork() : -1;
	if (pid == 0) {
		/* one more, whom nobody has to wait for */
		if (fork() != 0)
			_exit(0);
		child_apart();
		close_range(STDERR_FILENO + 1, ~0U, 0);
		alarm(LIMIT_S);
		err_free(tell(&job));
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
