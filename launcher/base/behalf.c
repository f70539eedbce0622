/* SPDX-License-Identifier: GPL-2.0-or-later */
/* behalf: see behalf.h. */
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/base/trust.h"

#ifndef ROOT_PATH /* the Makefile's */
#define ROOT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#endif

/* How a value may look. */
enum shape {
	ANY,  /* root itself makes nothing of it: it is for the user's own programs, or names a user */
	WORD, /* no path that a library would open as root, and no format */
};

/* What root lets through of the environment of the one on whose behalf it acts. All else is dropped. */
static const struct {
	const char *name;
	enum shape shape;
	const char *why;
} let_through[] = {
	{ "SUDO_UID", ANY, "on whose behalf: what names nobody is an error, and dropped would make root of them" },
	{ "PKEXEC_UID", ANY, "the same" },
	{ "DOAS_USER", ANY, "the same" },
	{ "TERM", WORD, "whether the terminal knows colours" },
	{ "NO_COLOR", WORD, "whether they are wanted" },
	{ "LANG", WORD, "the language of messages, and of the window's keyboard" },
	{ "LANGUAGE", WORD, "the same" },
	{ "LC_ALL", WORD, "the same" },
	{ "LC_MESSAGES", WORD, "the same" },
	{ "LC_CTYPE", WORD, "the same" },
	{ "TZ", WORD, "the clock of top, and of the guest" },
	{ "JOURNAL_STREAM", WORD, "whether standard error is the journal" },
	{ "DISPLAY", ANY, "the user's screen, for the window" },
	{ "WAYLAND_DISPLAY", ANY, "the same" },
	{ "XAUTHORITY", ANY, "the key to it: opened by the window's program alone" },
	{ "PULSE_SERVER", ANY, "the user's sound" },
	{ "PIPEWIRE_REMOTE", ANY, "the same" },
};

static bool is_word(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:@+-_/", *c))
			return false;
	return *s != '/' && *s != ':' && !strstr(s, "..") && strlen(s) < 64;
}

static void make_environment(void)
{
	char *kept[ARRAY_SIZE(let_through)] = {};
	for (size_t i = 0; i < ARRAY_SIZE(let_through); i++) {
		const char *value = getenv(let_through[i].name);
		enum shape shape = let_through[i].shape;
		if (value && (shape == ANY || is_word(value)))
			kept[i] = str_dup(value);
	}
	const struct passwd *root = getpwuid(0);
	cleanup_free char *home = str_dup(root && root->pw_dir && *root->pw_dir == '/' ? root->pw_dir : "/root");
	clearenv();
	setenv("HOME", home, 1);
	for (size_t i = 0; i < ARRAY_SIZE(let_through); i++) {
		if (kept[i])
			setenv(let_through[i].name, kept[i], 1);
		free(kept[i]);
	}
}

void behalf_environment(void)
{
	if (geteuid() != 0)
		return;
	if (user_is_invoked())
		make_environment();
	setenv("PATH", ROOT_PATH, 1);
}

/* "/etc/qlaunch/x.conf" of "../qlaunch/x.conf": what is asked about now is what is opened later. */
static char *without_links(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = slash ? str_ndup(path, (size_t)(slash - path) + 1) : str_dup("."), *real = realpath(folder, NULL);
	return real ? str_fmt("%s/%s", streq(real, "/") ? "" : real, slash ? slash + 1 : path) : NULL;
}

/* Nobody but root can write to it, nor put another in its place. */
static struct err *is_roots_alone(const char *path)
{
	cleanup_root struct root *root = NULL;
	cleanup_free char *folder = str_ndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	TRY(root_open("/", &root));
	struct err *e = trust_path(root, folder, 0);
	e = e ? e : trust_path(root, path, 0);
	return err_exit(err_hint(err_wrap(e, "%s is root's, but not root's alone", path),
				 "chmod go-w, or keep it in /etc/qlaunch; a user's own file is run as that user"),
			EXIT_HOST);
}

struct err *behalf_of_file(const char *path, struct user *ret_user, char **ret_path)
{
	struct stat st;
	if (getuid() == 0 && !user_is_invoked()) {
		cleanup_free char *real = without_links(path);
		if (real && stat(real, &st) == 0) {
			TRY(st.st_uid ? NULL : is_roots_alone(real));
			TRY(user_choose(NULL, 0, 0, st.st_uid, ret_user));
			*ret_path = steal(real);
			return NULL;
		}
	}
	*ret_path = str_dup(path);
	return user_find(NULL, ret_user);
}
