/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch clone CONFIG NAME: a machine of its own with the disks of another one: images copied by qemu-img, its own UEFI variables, its own
 * name, addresses of cards and UUID; the TPM's state copied or left behind, as is said. The configuration comes last: what is not whole is
 * no machine, and what was made until then is taken away again when anything fails or a signal ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/config/paths.h"
#include "launcher/config/rewrite.h"
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/verb_disk.h"
#include "launcher/verbs/write.h"
#include "ovmf/keep.h"
#include "ovmf/tpm.h"

#define FILE_MAX (64u << 20) /* of UEFI variables and of a TPM's state, as their own checks have it */

struct clone {
	struct cli *cli;
	struct own *from;
	const char *name;
	char *path, *home; /* of the new one */
	bool has_tpm, tpm; /* the old one has a state, and it is copied */
	struct disk_facts facts;
	struct strv made; /* files, in order */
	struct rewrites keys;
};

static void clone_free(struct clone *c)
{
	free(c->path);
	free(c->home);
	disk_facts_free(&c->facts);
	strv_free(&c->made);
	rewrites_free(&c->keys);
}

/* ---- what it is to be ---- */

/* "/vm/win11-data.qcow2" of win11 is "/vm/copy-data.qcow2" of its clone `copy`; what has not the name in it gets it in front. */
static char *new_disk_path(const struct clone *c, const char *path)
{
	const char *old = c->from->config->vm.name, *base = str_base(path), *at = strstr(base, old);
	cleanup_free char *dir = str_dir(path), *moved = own_moved(c->from, path, c->home);
	if (moved)
		return steal(moved);
	return at ? str_fmt("%s/%.*s%s%s", dir, (int)(at - base), base, c->name, at + strlen(old))
		  : str_fmt("%s/%s-%s", dir, c->name, base);
}

static struct err *check_disks(struct clone *c)
{
	uint64_t needed = 0, room = UINT64_MAX;
	TRY(disk_facts_read(c->cli->root, c->from->config, &c->facts));
	for (size_t i = 0; i < c->facts.n_disks; i++) {
		const struct disk *d = &c->facts.v[i];
		if (d->conf->readonly)
			continue;
		if (d->block)
			return err_exit(
				err_hint(err_new("disk %s is the device %s, which two machines cannot have", d->conf->name, d->conf->path),
					 "an image of it: qlaunch disk convert %s:%s IMAGE.qcow2", c->from->config->vm.name, d->conf->name),
				EXIT_HOST);
		TRY(disk_whole(d));
		TRY(disk_idle(c->cli, d, true));
		cleanup_free char *to = new_disk_path(c, d->real);
		if (root_exists(c->cli->root, to))
			return err_exit(err_hint(err_coded(EEXIST, "%s is there already, and is not overwritten", to), "take another name"),
					EXIT_USAGE);
		needed += d->allocated;
		room = d->room < room ? d->room : room;
	}
	if (needed <= room)
		return NULL;
	cleanup_free char *need = size_rounded(needed), *has = size_rounded(room);
	return err_exit(err_hint(err_errno(ENOSPC, "its disks take %s, and %s are left", need, has), "make room first"), EXIT_HOST);
}

/* Whether its TPM comes along is the user's to say: both answers cost something. */
static struct err *choose_tpm(struct clone *c, const char *word)
{
	cleanup_free char *dir = tpm_dir(c->from->config, c->from->user.data_dir), *state = str_fmt("%s/tpm2-00.permall", dir);
	char answer[16] = "";
	if (word && !streq(word, "copy") && !streq(word, "new"))
		return err_exit(err_new("--tpm is copy or new, not \"%s\"", word), EXIT_USAGE);
	c->has_tpm = root_exists(c->cli->root, state);
	if (!c->has_tpm)
		return NULL;
	if (!word && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		printf(_("Its TPM: copy it, or begin with a new one? With a new one BitLocker asks once for its recovery key; with\n"
			 "a copy both machines hold the same secrets. [copy/new] "));
		fflush(stdout);
		word = fgets(answer, sizeof(answer), stdin) ? str_trim(answer) : NULL;
		if (!streq(word, "copy") && !streq(word, "new"))
			return err_exit(err_new("nothing was changed"), EXIT_USAGE);
	}
	if (!word)
		return err_exit(err_hint(err_new("%s has a TPM: is it to be copied?", c->from->config->vm.name),
					 "--tpm copy: both hold the same secrets; --tpm new: BitLocker asks for its recovery key"),
				EXIT_USAGE);
	c->tpm = streq(word, "copy");
	return NULL;
}

/* ---- making it ---- */

static struct err *stopped(void)
{
	sigset_t waiting, ends = end_signals();
	sigpending(&waiting);
	for (int i = 1; i < SIGRTMAX; i++)
		if (sigismember(&waiting, i) && sigismember(&ends, i))
			return err_errno(ECANCELED, "stopped");
	return NULL;
}

static struct err *copy_disk(struct clone *c, const struct disk *d)
{
	cleanup_free char *to = new_disk_path(c, d->real);
	cleanup_free char *part = str_fmt("%s.%d.part", to, (int)getpid()), *dir = str_dir(to),
			  *what = tr_fmt("copying %s", str_base(d->real));
	rewrites_add(&c->keys, "disk", d->conf->name, "path", to);
	const char *format = image_format_name(d->format);
	const char *argv[] = { "convert", "-p", "-f", format, "-O", format, "-o", QEMU_IMG_NOCOW, "-t", "writeback", d->real, part, NULL };
	struct qemu_img run = { .user = &c->from->user, .argv = argv, .what = what, .total = disk_guest_size(d) };
	if (d->backing)
		log_warn("%s: what it has of %s is copied into it", to, d->backing);
	if (d->snapshots)
		log_warn("%s: the snapshots stay with the old one", to);
	TRY(root_mkdirs(c->cli->root, dir, 0700));
	strv_add(&c->made, part);
	TRY(qemu_img_run(&run, NULL));
	if (renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return err_errno(errno, "%s", to);
	strv_add(&c->made, to);
	return stopped();
}

static struct err *copy_file(struct clone *c, const char *from, const char *to)
{
	cleanup_sb struct sb bytes = {};
	cleanup_free char *dir = str_dir(to);
	TRY(keep_read(c->cli->root, from, FILE_MAX, &bytes));
	TRY(root_mkdirs(c->cli->root, dir, 0700));
	TRY(root_put_new(c->cli->root, to, bytes.s ? bytes.s : "", bytes.len, 0600));
	strv_add(&c->made, to);
	return NULL;
}

/* UEFI variables and the board, by their names in the folder; copies of them, what was said, and disks are none of these. */
static struct err *copy_home(struct clone *c)
{
	cleanup_strv struct strv names = {};
	const char *vars = c->from->config->firmware.vars;
	if (root_exists(c->cli->root, c->from->home))
		TRY(root_list(c->cli->root, c->from->home, &names));
	for (size_t i = 0; i < names.n; i++) {
		const char *n = names.v[i];
		cleanup_free char *from = str_fmt("%s/%s", c->from->home, n), *to = str_fmt("%s/%s", c->home, n);
		if (!streq(n, "machine") && (vars || (!streq(n, "VARS.fd") && !streq(n, "VARS.qcow2"))))
			continue;
		TRY(copy_file(c, from, to));
	}
	if (vars && root_exists(c->cli->root, vars)) {
		cleanup_free char *to = str_fmt("%s/%s", c->home, str_ends(vars, ".qcow2") ? "VARS.qcow2" : "VARS.fd");
		rewrites_add(&c->keys, "firmware", NULL, "vars", to);
		TRY(copy_file(c, vars, to));
	}
	if (!c->tpm)
		return NULL;
	cleanup_free char *dir = tpm_dir(c->from->config, c->from->user.data_dir), *state = str_fmt("%s/tpm2-00.permall", dir),
			  *to = str_fmt("%s/tpm/tpm2-00.permall", c->home);
	return copy_file(c, state, to);
}

static void name_it(struct clone *c)
{
	const struct config *old = c->from->config;
	rewrites_add(&c->keys, "vm", NULL, "name", NULL); /* it is the file's */
	for (size_t i = 0; i < old->n_networks; i++)
		if (old->networks[i].mac) /* without one it is made of the names */
			rewrites_add(&c->keys, "network", old->networks[i].name, "mac", NULL);
	if (old->smbios.fields[SMBIOS_UUID]) {
		cleanup_free char *uuid = root_read_or(c->cli->root, "/proc/sys/kernel/random/uuid", "");
		rewrites_add(&c->keys, "smbios", NULL, "uuid", uuid);
	}
}

/* Relative paths would be others in another folder. */
static struct err *check_folder(const struct clone *c, const char *written)
{
	cleanup_free char *old = str_dir(c->from->path), *new = str_dir(c->path);
	struct conf_errors errors = {};
	if (streq(old, new))
		return NULL;
	cleanup_config struct config *there = config_parse(written, c->path, new, NULL, &errors),
				     *here = config_parse(written, c->path, old, NULL, &errors);
	strv_free(&errors.lines);
	cleanup_paths struct conf_paths of_there = there ? paths_of(there) : (struct conf_paths){},
					of_here = here ? paths_of(here) : (struct conf_paths){};
	bool same = there && here && of_there.n == of_here.n;
	for (size_t i = 0; same && i < of_here.n; i++)
		same = streq(of_there.v[i].path, of_here.v[i].path);
	if (same)
		return NULL;
	return err_exit(
		err_hint(err_new("%s has paths that are relative to its folder", c->from->path), "write them with a slash in front"),
		EXIT_CONFIG);
}

static struct err *make(struct clone *c)
{
	for (size_t i = 0; i < c->facts.n_disks; i++)
		if (!c->facts.v[i].conf->readonly)
			TRY(err_exit(copy_disk(c, &c->facts.v[i]), EXIT_HOST));
	TRY(err_exit(copy_home(c), EXIT_HOST));
	name_it(c);
	cleanup_free char *whole = str_fmt("%s\n", c->from->text), *written = config_rewrite(whole, c->keys.v, c->keys.n);
	TRY(write_verify(written, c->path));
	TRY(check_folder(c, written));
	TRY(stopped());
	TRY(write_new(&c->from->user, c->path, written));
	strv_add(&c->made, c->path);
	cleanup_free char *link = own_link_beside(c->from, c->path);
	return link ? err_exit(root_symlink(c->cli->root, c->path, link), EXIT_HOST) : NULL;
}

/* Nothing of a clone that is not whole stays. */
static void take_back(const struct clone *c)
{
	for (size_t i = c->made.n; i-- > 0;)
		err_free(root_unlink(c->cli->root, c->made.v[i]));
	cleanup_free char *tpm = str_fmt("%s/tpm", c->home);
	err_free(root_rmdir(c->cli->root, tpm));
	err_free(root_rmdir(c->cli->root, c->home));
}

static void say(const struct clone *c)
{
	const struct config *old = c->from->config;
	log_info("%s: a clone of %s: %s", c->name, old->vm.name, c->path);
	for (size_t i = 0; i < old->n_disks; i++)
		if (old->disks[i].readonly)
			log_info("%s: disk %s is read only, and the same file for both", c->name, old->disks[i].name);
	if (c->has_tpm && !c->tpm)
		log_info("%s: begins with a new TPM: have BitLocker's recovery key at hand", c->name);
	if (old->smbios.fields[SMBIOS_SERIAL] || old->smbios.host)
		log_info("%s: the serial number in [smbios] is the same for both", c->name);
}

struct err *verb_clone(struct cli *cli, const struct verb_args *args)
{
	cleanup_own struct own from = {};
	TRY(verb_words(args, 2, 2, "clone [--tpm copy|new] CONFIG NAME"));
	cleanup(clone_free) struct clone c = { .cli = cli, .from = &from, .name = args->words.v[1] };
	TRY(own_open(cli, args->words.v[0], false, &from));
	TRY(own_idle(cli, from.config->vm.name, N_("cloned")));
	TRY(own_free_name(cli, &from, c.name, &c.path, &c.home));
	TRY(check_disks(&c));
	TRY(choose_tpm(&c, verb_option(args, "tpm")));
	sigset_t ends = end_signals(), before;
	sigprocmask(SIG_BLOCK, &ends, &before);
	struct err *e = make(&c);
	if (e)
		take_back(&c);
	sigprocmask(SIG_SETMASK, &before, NULL);
	TRY(e);
	say(&c);
	return NULL;
}
