/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch screenshot VM FILE.png: what the guest's virtual display shows. QEMU writes it, who is the user, beside its name; it gets that when
 * it is whole, and never another file's. What a passed card shows no QEMU sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/user.h"
#include "launcher/verbs/running.h"

struct placing {
	const char *word;
	char *path, *part; /* absolute, its folder without links */
	bool keep;
};

static void placing_free(struct placing *p)
{
	free(p->path);
	free(p->part);
}

/* With the rights of the user. */
static struct err *look(void *data)
{
	struct placing *p = data;
	cleanup_free char *dir = strchr(p->word, '/') ? str_dir(p->word) : str_dup("."), *real = realpath(*dir ? dir : "/", NULL);
	if (!real)
		return err_errno(errno, "%s", dir);
	p->path = str_fmt("%s/%s", streq(real, "/") ? "" : real, str_base(p->word));
	p->part = str_fmt("%s.%d.part", p->path, (int)getpid());
	if (!str_is_utf8(p->path))
		return err_hint(err_new("its name is no UTF-8, which QEMU is told in"), "take another one");
	if (faccessat(AT_FDCWD, p->path, F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0)
		return err_hint(err_coded(EEXIST, "%s is there already, and is not overwritten", p->word), "take another name");
	return errno == ENOENT ? NULL : err_errno(errno, "%s", p->word);
}

static struct err *place(void *data)
{
	const struct placing *p = data;
	struct err *e = NULL;
	if (p->keep && renameat2(AT_FDCWD, p->part, AT_FDCWD, p->path, RENAME_NOREPLACE) < 0)
		e = err_errno(errno, "%s", p->word);
	if (!p->keep || e)
		unlink(p->part);
	return e;
}

struct err *verb_screenshot(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup_user struct user caller = {};
	TRY(verb_words(args, 2, 2, "screenshot VM FILE.png"));
	const char *vm = args->words.v[0], *word = args->words.v[1];
	cleanup(placing_free) struct placing p = { .word = word };
	if (!str_ends(word, ".png") && !str_ends(word, ".ppm"))
		return err_exit(err_hint(err_new("\"%s\" is the name of no picture", word), "its end says the format: .png or .ppm"),
				EXIT_USAGE);
	TRY(user_find(NULL, &caller));
	TRY(err_exit(user_visit(&caller, look, &p), EXIT_USAGE));
	TRY(running_monitor(cli, vm, "screenshot", &qmp));
	json_t *what = json_pack("{s:s, s:s}", "filename", p.part, "format", str_ends(word, ".png") ? "png" : "ppm");
	struct err *e = qmp_call(qmp, "screendump", what, RUNNING_LIMIT_MS, NULL);
	if (e && strstr(err_text(e), "console"))
		e = err_hint(e, "it has no virtual display (`video` in [display]): a passed card's picture is on its monitor alone");
	p.keep = !e;
	struct err *placed = user_visit(&caller, place, &p);
	TRY(err_exit(e ? (err_free(placed), e) : placed, EXIT_GUEST));
	log_info("%s", word);
	return NULL;
}
