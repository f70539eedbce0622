/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unattended: see unattended.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/config/config.h"
#include "launcher/step/journal.h"
#include "launcher/tools/answers.h"
#include "launcher/tools/unattend.h"
#include "launcher/verbs/typed.h"
#include "launcher/verbs/unattended.h"
#include "ovmf/vars.h"

#define PASSWORD_MAX 127      /* Windows's */
#define EMPTY_MAX (1 << 20)   /* what an image takes on which nothing was written */
#define STORAGE_CLASS "0x01" /* the base class of controllers of disks, as sysfs has it */

/* ---- the password ---- */

/* Without echo, which comes back also where the person presses Ctrl-C: the signal waits that long. */
static struct err *type_password(const char *question, char **ret_line)
{
	struct termios before, quiet;
	char line[512] = "";
	sigset_t ends = end_signals(), mask;
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return err_errno(errno, "the terminal");
	fputs(question, stderr);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag &= ~(tcflag_t)ISIG; /* Ctrl-C comes as a byte, and is looked for */
	sigprocmask(SIG_BLOCK, &ends, &mask);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	bool got = fgets(line, sizeof(line), stdin);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	fputc('\n', stderr);
	line[strcspn(line, "\n")] = '\0';
	if (!got || strchr(line, 3))
		return err_exit(err_new("interrupted"), EXIT_USAGE);
	*ret_line = str_dup(line);
	explicit_bzero(line, sizeof(line));
	return NULL;
}

struct reading {
	const char *path;
	char *text;
};

static struct err *read_file(void *data)
{
	struct reading *r = data;
	cleanup_root struct root *root = NULL;
	TRY(root_open("/", &root));
	return root_read(root, r->path, &r->text);
}

static struct err *ask_password(const struct verb_args *args, const struct user *user, const char *account, char **ret_password)
{
	const char *file = verb_option(args, "password-file");
	if (file) {
		cleanup_free char *here = getcwd(NULL, 0), *path = typed_path(user, file, here);
		struct reading r = { .path = path };
		TRY(err_exit(user_visit(user, read_file, &r), EXIT_USAGE));
		r.text[strcspn(r.text, "\r\n")] = '\0';
		*ret_password = r.text;
		return NULL;
	}
	if (!isatty(STDIN_FILENO))
		return err_exit(err_hint(err_new("nobody is there to say the password of %s", account), "--password-file FILE"),
				EXIT_USAGE);
	cleanup_free char *first = NULL, *again = NULL, *question = tr_fmt("Password for %s in the guest (none: Enter): ", account);
	TRY(type_password(question, &first));
	TRY(type_password(_("Once more: "), &again));
	if (!streq(first, again))
		return err_exit(err_new("these are two"), EXIT_USAGE);
	*ret_password = steal(first);
	return NULL;
}

static struct err *check_password(const char *password)
{
	bool bad = strlen(password) > PASSWORD_MAX || !str_is_utf8(password);
	for (const char *c = password; *c; c++)
		bad |= (unsigned char)*c < ' ' || *c == 0x7f;
	return bad ? err_exit(err_new("a password has at most %d letters, and no control characters", PASSWORD_MAX), EXIT_USAGE) : NULL;
}

/* ---- the host ---- */

/* "XKBLAYOUT="br,us"", "Option "XkbLayout" "br"", "KEYMAP=br-abnt2": the first letters behind the word. */
static char *layout_in(const char *text, const char *word)
{
	const char *at = text ? strstr(text, word) : NULL;
	at = at ? at + strlen(word) : NULL;
	at = at ? at + strspn(at, "\"= \t") : NULL;
	return at ? str_ndup(at, strspn(at, "abcdefghijklmnopqrstuvwxyz")) : NULL;
}

/* In the order in which systemd's localed and Debian keep it. */
static char *host_layout(struct root *root)
{
	static const char *const places[][2] = {
		{ "/etc/X11/xorg.conf.d/00-keyboard.conf", "XkbLayout" },
		{ "/etc/default/keyboard", "XKBLAYOUT" },
		{ "/etc/vconsole.conf", "XKBLAYOUT" },
		{ "/etc/vconsole.conf", "KEYMAP" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *text = root_read_or(root, places[i][0], ""), *layout = layout_in(text, places[i][1]);
		if (layout && *layout)
			return steal(layout);
	}
	return str_dup("");
}

static const char *host_zone(struct root *root)
{
	cleanup_free char *link = root_link(root, "/etc/localtime"), *named = root_read_or(root, "/etc/timezone", "");
	const char *at = link ? strstr(link, "zoneinfo/") : NULL;
	return unattend_zone(at ? at + strlen("zoneinfo/") : named);
}

static const char *host_lang(void)
{
	static const char *const names[] = { "LC_ALL", "LC_TIME", "LANG" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *lang = getenv(names[i]);
		if (lang && *lang)
			return lang;
	}
	return NULL;
}

/* ---- the machine ---- */

struct disk_look {
	const char *path;
	bool there, empty;
};

static struct err *look_at_disk(void *data)
{
	struct disk_look *l = data;
	struct stat st;
	l->there = stat(l->path, &st) == 0;
	l->empty = !l->there || (S_ISREG(st.st_mode) && st.st_blocks * 512 <= EMPTY_MAX);
	return NULL;
}

/* Setup wipes its first disk: it must be the right one, and nobody's work. */
static struct err *check_disk(const struct config *c, const struct user *user, bool yes)
{
	const struct conf_disk *only = NULL;
	size_t n = 0;
	for (size_t i = 0; i < c->n_disks; i++)
		if (!c->disks[i].readonly) {
			only = &c->disks[i];
			n++;
		}
	if (n != 1)
		return err_exit(
			err_hint(
				err_new("%s has %zu disks that can be written to: an installation that nobody watches wants one, and wipes it",
					c->vm.name, n),
				"without --unattended you choose"),
			EXIT_CONFIG);
	struct disk_look l = { .path = only->path };
	TRY(user_visit(user, look_at_disk, &l));
	if (!l.there)
		return err_exit(err_hint(err_errno(ENOENT, "%s", only->path), "qlaunch disk create '%s' 100G", only->path), EXIT_HOST);
	return l.empty || yes
		       ? NULL
		       : err_exit(err_hint(err_new("%s is not empty: all that is on it would be lost", only->path), "--yes"), EXIT_USAGE);
}

/* Which disk is Setup's first is not known where a controller brings its own. */
static struct err *check_controllers(struct root *root, const struct config *c)
{
	for (size_t i = 0; i < c->n_pci; i++) {
		struct pci_addr_text at = pci_addr_text(c->pci[i].address);
		cleanup_free char *path = str_fmt("/sys/bus/pci/devices/%s/class", at.s), *class = root_read_or(root, path, "");
		if (c->pci[i].has_address && str_starts(class, STORAGE_CLASS))
			return err_exit(err_hint(err_new("[pci %s] (%s) brings disks of its own: Windows Setup might wipe one of them",
							 c->pci[i].name, at.s),
						 "add it when Windows is installed; or without --unattended you choose"),
					EXIT_CONFIG);
	}
	return NULL;
}

static struct err *check_machine(struct cli *cli, const struct config *c, const struct identity *os)
{
	cleanup_free char *base = journal_base();
	if (!identify_answerable(os->system) || c->firmware.type != FIRMWARE_UEFI)
		return err_exit(err_hint(err_new("--unattended has answers for Windows 10 and 11 with UEFI, and that is %s", os->name),
					 "without --unattended you answer by yourself"),
				EXIT_USAGE);
	if (journal_alive(cli->root, base, c->vm.name))
		return err_exit(err_hint(err_new("%s runs already", c->vm.name), "qlaunch stop %s", c->vm.name), EXIT_HOST);
	return check_controllers(cli->root, c);
}

static struct err *answer(struct cli *cli, const struct verb_args *args, const struct config *c, const struct identity *os,
			  const struct user *user, char **ret_text)
{
	const char *edition = verb_option(args, "edition"), *account = verb_option(args, "account");
	cleanup_strv struct strv names = {};
	const char *key = unattend_edition(edition ? edition : "pro", &names);
	cleanup_free char *all = strv_join(&names, ", "), *computer = unattend_computer(c->vm.name), *layout = host_layout(cli->root),
			  *locale = unattend_locale(host_lang()), *language = unattend_disc_language(os->disc.label), *password = NULL;
	if (!key)
		return err_exit(err_hint(err_new("there is no edition \"%s\"", edition), "one of %s", all), EXIT_USAGE);
	account = account ? account : user->uid ? user->name : "user";
	TRY(unattend_check_account(account, computer));
	TRY(ask_password(args, user, account, &password));
	if (!password) /* err_new() is never NULL; clang does not see that */
		return NULL;
	TRY(check_password(password));
	const char *keyboard = unattend_keyboard(layout);
	struct unattend u = {
		.release = streq(os->system->id, "win10") ? 10 : 11, .account = account, .password = password, .computer = computer, .key = key,
		.language = language, .locale = locale, .keyboard = keyboard ? keyboard : locale, .zone = host_zone(cli->root),
	};
	struct err *e = unattend_text(&u, ret_text);
	explicit_bzero(password, strlen(password));
	return e;
}

struct err *unattended_make(struct cli *cli, const struct verb_args *args, const char *iso, struct user *ret_user, char **ret_home,
			    char **ret_path)
{
	cleanup_user struct user caller = {};
	cleanup_identity struct identity os = {};
	struct config *c = NULL;
	cleanup_free char *text = NULL;
	TRY(config_load_as_caller(args->words.v[0], &cli->sets, &caller, &c));
	struct err *e = user_of_config(&caller, c->vm.user, ret_user);
	if (!e)
		e = identify(iso, &caller, &os);
	if (!e)
		e = check_machine(cli, c, &os);
	if (!e)
		e = check_disk(c, ret_user, verb_option(args, "yes"));
	if (!e)
		e = answer(cli, args, c, &os, ret_user, &text);
	cleanup_free char *home = vars_vm_dir(c, ret_user->data_dir ? ret_user->data_dir : "");
	if (!e)
		e = answers_make(ret_user, home, "autounattend.xml", text);
	if (text)
		explicit_bzero(text, strlen(text));
	config_free(c);
	TRY(e);
	*ret_path = answers_path(home);
	*ret_home = steal(home);
	return NULL;
}
