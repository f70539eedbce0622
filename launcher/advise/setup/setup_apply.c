/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the way there and back. See setup.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

#define MANIFEST SETUP_DIR "/manifest"

bool setup_is_made(struct root *root)
{
	return root_exists(root, MANIFEST);
}

/* ---- the manifest: lines of words with tabs between; the texts are N.old and N.new beside it ----
 *
 *   file	MODE	own|block|words	WORDS	PATH
 *   ran	COMMAND	COMMAND-THAT-TAKES-IT-BACK
 *   then	COMMAND-AFTERWARDS
 *
 * qlaunch 0.1.0 wrote "MODE changed|created PATH": words inside of lines, files of its own; no commands, they follow from the host.
 */

static const char *const holds[] = { [SETUP_OWN] = "own", [SETUP_BLOCK] = "block", [SETUP_WORDS] = "words" };

/* Splits at tabs; empty words stay. */
static void split_tabs(const char *line, struct strv *ret_words)
{
	for (;; line++) {
		size_t n = strcspn(line, "\t");
		strv_addf(ret_words, "%.*s", (int)n, line);
		line += n;
		if (!*line)
			return;
	}
}

static void read_manifest(struct root *root, struct strv *ret_lines)
{
	cleanup_free char *text = root_read_or(root, MANIFEST, "");
	strv_split(ret_lines, text, "\n");
}

bool setup_has_run(struct root *root, const char *command)
{
	cleanup_strv struct strv lines = {};
	cleanup_free char *start = str_fmt("ran\t%s\t", command);
	bool found = false;
	read_manifest(root, &lines);
	for (size_t i = 0; i < lines.n; i++)
		found |= str_starts(lines.v[i], start);
	return found;
}

/* First of all, and on the disk: from then on everything can be put back. */
static struct err *keep(struct root *root, const struct setup *setup)
{
	cleanup_sb struct sb manifest = {};
	TRY(root_mkdirs(root, SETUP_DIR, 0700));
	for (size_t i = 0; i < setup->n; i++) {
		const struct setup_change *c = &setup->v[i];
		cleanup_free char *old = str_fmt(SETUP_DIR "/%zu.old", i), *new = str_fmt(SETUP_DIR "/%zu.new", i);
		if (c->old)
			TRY(root_put(root, old, c->old, 0600));
		TRY(root_put(root, new, c->new, 0600));
		sb_addf(&manifest, "file\t%04o\t%s\t%s\t%s\n", c->mode, holds[c->hold], c->words ? c->words : "", c->path);
	}
	for (size_t i = 0; i < setup->run.n; i++)
		sb_addf(&manifest, "ran\t%s\t%s\n", setup->run.v[i], setup->back.v[i]);
	for (size_t i = 0; i < setup->commands.n; i++)
		sb_addf(&manifest, "then\t%s\n", setup->commands.v[i]);
	return root_put(root, MANIFEST, manifest.s ? manifest.s : "", 0600);
}

static struct err *forget(struct root *root)
{
	cleanup_strv struct strv names = {};
	TRY(root_unlink(root, MANIFEST));
	TRY(root_list(root, SETUP_DIR, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt(SETUP_DIR "/%s", names.v[i]);
		TRY(root_unlink(root, path));
	}
	return root_rmdir(root, SETUP_DIR);
}

/* ---- there ---- */

static struct err *make_parent(struct root *root, const char *path)
{
	cleanup_free char *dir = str_dir(path);
	return *dir ? root_mkdirs(root, dir, 0755) : NULL;
}

static struct err *put(struct root *root, const char *path, const char *text, mode_t mode)
{
	if (!text) {
		struct err *e = root_unlink(root, path);
		if (err_code(e) != ENOENT)
			return e;
		err_free(e); /* somebody took it away already */
		return NULL;
	}
	TRY(make_parent(root, path));
	return root_put(root, path, text, mode);
}

/* On the host only, and said: initial RAM disks take their time. */
static struct err *run_line(struct root *root, const char *line)
{
	cleanup_free char *said = NULL;
	if (root_is_host(root))
		log_info("%s", line);
	return setup_command(root, line, &said);
}

/* One of a list, for each kernel where it is one for each. */
static struct err *run_one(struct root *root, const char *command)
{
	cleanup_strv struct strv each = {};
	boot_commands(root, command, &each);
	for (size_t i = 0; i < each.n; i++)
		TRY(run_line(root, each.v[i]));
	return NULL;
}

static struct err *run_all(struct root *root, const struct strv *commands, size_t *done)
{
	for (size_t i = 0; i < commands->n; i++, ++*done)
		TRY(run_one(root, commands->v[i]));
	return NULL;
}

struct done {
	size_t files, programs, commands;
	bool in_program; /* the one after those failed */
};

static struct err *make(struct root *root, const struct survey *s, const struct setup *setup, struct done *done)
{
	time_t since = time(NULL);
	for (; done->files < setup->n; done->files++) {
		const struct setup_change *c = &setup->v[done->files];
		TRY(put(root, c->path, c->new, c->mode));
	}
	TRY(setup_try(root, &s->boot, setup));
	done->in_program = true;
	TRY(run_all(root, &setup->run, &done->programs));
	done->in_program = false;
	done->commands = 1; /* one that failed may have done half of its work */
	TRY(run_all(root, &setup->commands, &done->commands));
	return setup_prove(root, &s->boot, setup, since);
}

/* Everything that was done, backwards; all of it, whatever fails. *ret_kept: a file or a program's word could not be, so that what is kept
 * is still needed; else only what is made of them could not be made anew. */
static struct err *unmake(struct root *root, const struct setup *setup, const struct done *done, bool *ret_kept)
{
	struct strv bad = {};
	for (size_t i = done->files; i-- > 0;) {
		const struct setup_change *c = &setup->v[i];
		cleanup_err struct err *e = put(root, c->path, c->old, c->mode);
		if (e)
			strv_add(&bad, err_text(e));
	}
	if (done->in_program) /* half-way, perhaps; one that has done nothing may say that there is nothing to take back */
		err_free(run_one(root, setup->back.v[done->programs]));
	for (size_t i = done->programs; i-- > 0;) {
		cleanup_err struct err *e = run_one(root, setup->back.v[i]);
		if (e)
			strv_add(&bad, err_text(e));
	}
	*ret_kept = bad.n;
	for (size_t i = 0; done->commands && i < setup->commands.n; i++) {
		cleanup_err struct err *e = run_one(root, setup->commands.v[i]);
		if (e)
			strv_add(&bad, err_text(e));
	}
	cleanup_free char *joined = strv_join(&bad, "; ");
	bool any = bad.n;
	strv_free(&bad);
	return any ? err_new("%s", joined) : NULL;
}

struct err *setup_apply(struct root *root, const struct survey *s, const struct setup *setup)
{
	struct done done = {};
	TRY(keep(root, setup));
	struct err *e = make(root, s, setup, &done);
	if (!e)
		return NULL;
	log_warn(_("that did not work; everything is put back"));
	done.files += done.files < setup->n; /* the one that failed may be there */
	bool kept;
	cleanup_err struct err *residue = unmake(root, setup, &done, &kept);
	err_free(root_rmdir(root, "/etc/qlaunch"));
	if (!kept)
		err_free(forget(root));
	if (residue) {
		cleanup_strv struct strv each = {};
		for (size_t i = 0; i < setup->commands.n; i++)
			boot_commands(root, setup->commands.v[i], &each);
		struct err *both = err_new(_("%s; and it could not be put back: %s"), err_text(e), err_text(residue));
		cleanup_free char *again = strv_join(&each, " && sudo ");
		both = kept ? err_hint(both, "qlaunch setup --undo")
			    : err_hint(both, _("the files are as before; by hand: sudo %s"), again);
		err_free(e);
		return err_exit(both, EXIT_RESIDUE);
	}
	return err_exit(err_wrap(e, _("not done, and everything is as before")), EXIT_HOST);
}

/* ---- and back ---- */

/* What becomes of a file that somebody changed since: without what is ours. `old` and `new`: as it was before setup and after it. */
static char *without_ours(enum setup_hold hold, const char *words, const char *old, const char *new, const char *now)
{
	if (hold == SETUP_OWN)
		return NULL;
	if (hold == SETUP_WORDS)
		return setup_without(now, words);
	cleanup_free char *rest = setup_block(now, NULL); /* and line by line, where a mark of it was lost */
	return setup_without_lines(rest, old, new);
}

/* A line that calls what goes away, changed so that it is not ours any more: nobody but its writer can tell what it is to be. */
static void note_left(const char *path, const char *then, struct setup *setup)
{
	cleanup_strv struct strv lines = {};
	strv_split(&lines, then, "\n");
	for (size_t i = 0; i < lines.n; i++)
		if (strstr(lines.v[i], SETUP_EARLY) && lines.v[i][strspn(lines.v[i], " \t")] != '#')
			strv_addf(&setup->notes, _("%s: this line is not as setup wrote it, take it out: %s"), path, lines.v[i]);
}

/* Of a line of the manifest that tells of a file. */
struct kept {
	mode_t mode;
	enum setup_hold hold;
	bool old_form;            /* of 0.1.0: the words are what the texts differ in */
	const char *words, *path; /* within the line's parts */
};

static bool read_kept(const char *line, const struct strv *part, struct kept *ret)
{
	unsigned mode = 0;
	int at = 0;
	char what[8] = "";
	if (part->n == 1 && sscanf(line, "%o %7s %n", &mode, what, &at) == 2 && at && line[at] == '/') {
		*ret = (struct kept){ mode & 07777, streq(what, "created") ? SETUP_OWN : SETUP_WORDS, true, "", line + at };
		return streq(what, "created") || streq(what, "changed");
	}
	enum setup_hold hold = 0;
	while (part->n == 5 && hold < ARRAY_SIZE(holds) && !streq(holds[hold], part->v[2]))
		hold++;
	if (part->n != 5 || hold == ARRAY_SIZE(holds) || part->v[4][0] != '/')
		return false;
	*ret = (struct kept){ (mode_t)strtoul(part->v[1], NULL, 8), hold, false, part->v[3], part->v[4] };
	return true;
}

/* The file as it is to be again. */
static struct err *plan_file_back(struct root *root, size_t i, const struct kept *k, struct setup *setup)
{
	mode_t mode = k->mode, unused = 0;
	cleanup_free char *old_path = str_fmt(SETUP_DIR "/%zu.old", i), *new_path = str_fmt(SETUP_DIR "/%zu.new", i);
	cleanup_free char *old = NULL, *new = NULL, *now = NULL;
	TRY(setup_read(root, new_path, &new, &unused));
	TRY(setup_read(root, old_path, &old, &unused));
	TRY(setup_read(root, k->path, &now, &mode));
	if (!now) /* gone, and ours with it: an entry of a kernel that is no more */
		return NULL;
	cleanup_free char *words = k->old_form ? setup_added(old ? old : "", new ? new : "") : str_dup(k->words);
	bool untouched = streq(now, new) && (old || k->hold == SETUP_OWN);
	cleanup_free char *then = untouched ? str_dup(old) : without_ours(k->hold, words, old ? old : "", new ? new : "", now);
	if (!old && k->hold == SETUP_BLOCK && streq(then, "")) { /* there was no such file, and nothing but ours is in it */
		free(then);
		then = NULL;
	}
	note_left(k->path, then ? then : "", setup);
	if (streq(now, then))
		return NULL;
	setup->v = mem_grow(setup->v, setup->n, sizeof(*setup->v));
	setup->v[setup->n++] = (struct setup_change){ str_dup(k->path), steal(now), steal(then), mode, k->hold, NULL };
	return NULL;
}

static struct err *plan_back(struct root *root, const struct boot_facts *boot, size_t i, const char *line, struct setup *setup)
{
	cleanup_strv struct strv part = {};
	struct kept kept;
	split_tabs(line, &part);
	if (streq(part.v[0], "ran") && part.n == 3) {
		strv_add(&setup->run, part.v[1]);
		strv_add(&setup->back, part.v[2]);
		return NULL;
	}
	if (streq(part.v[0], "then") && part.n == 2) {
		strv_add(&setup->commands, part.v[1]);
		return NULL;
	}
	if (!read_kept(line, &part, &kept)) {
		strv_addf(&setup->notes, MANIFEST ": \"%s\"", line);
		return NULL;
	}
	const char *commands[] = { kept.old_form ? boot_rebuild(boot) : NULL, kept.old_form ? boot->way->apply : NULL };
	for (size_t k = 0; k < ARRAY_SIZE(commands); k++)
		if (commands[k] && !strv_has(&setup->commands, commands[k]))
			strv_add(&setup->commands, commands[k]);
	return plan_file_back(root, i, &kept, setup);
}

struct err *setup_plan_undo(struct root *root, const struct boot_facts *boot, struct setup *ret_setup)
{
	cleanup_setup struct setup setup = {};
	cleanup_strv struct strv lines = {};
	read_manifest(root, &lines);
	for (size_t i = 0; i < lines.n; i++)
		TRY(plan_back(root, boot, i, lines.v[i], &setup));
	*ret_setup = setup;
	setup = (struct setup){};
	return NULL;
}

/* For every kernel, whatever fails; that is left to a hand. */
static void run_back(struct root *root, const char *command, struct strv *bad)
{
	cleanup_strv struct strv each = {};
	boot_commands(root, command, &each);
	for (size_t i = 0; i < each.n; i++) {
		cleanup_err struct err *e = run_line(root, each.v[i]);
		if (e)
			strv_addf(bad, _("by hand: sudo %s (%s)"), each.v[i], err_text(e));
	}
}

struct err *setup_undo(struct root *root, const struct setup *setup)
{
	cleanup_strv struct strv bad = {};
	for (size_t i = 0; i < setup->notes.n; i++)
		strv_add(&bad, setup->notes.v[i]);
	for (size_t i = setup->n; i-- > 0;) {
		const struct setup_change *c = &setup->v[i];
		cleanup_err struct err *e = put(root, c->path, c->new, c->mode);
		if (e)
			strv_add(&bad, err_text(e));
	}
	for (size_t i = setup->back.n; i-- > 0;)
		run_back(root, setup->back.v[i], &bad);
	for (size_t i = 0; i < setup->commands.n; i++)
		run_back(root, setup->commands.v[i], &bad);
	err_free(root_rmdir(root, "/etc/qlaunch")); /* stays where there are configurations in it */
	if (!bad.n)
		return forget(root);
	cleanup_free char *joined = strv_join(&bad, "; ");
	return err_exit(err_new(_("not everything could be put back: %s"), joined), EXIT_RESIDUE);
}
