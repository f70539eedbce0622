/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch import FILE: libvirt's domain XML or a quickemu .conf becomes a configuration. The file is read as the user,
 * at most 4 MiB of it; nothing in it is run. Writes one new file, never over another; with --copy-state also copies of what the machine
 * kept. A folder is one of libvirt's hooks, which are told by the keys that do their work.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/advise/groups.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/host/pci/pci.h"
#include "launcher/import/import.h"
#include "launcher/verbs/import_hooks.h"
#include "launcher/verbs/import_state.h"
#include "launcher/verbs/pager.h"
#include "launcher/verbs/write.h"

struct reading {
	const char *arg;
	char *text, *dir, *name;
};

static struct err *read_file(void *data)
{
	struct reading *r = data;
	struct stat st;
	cleanup_root struct root *root = NULL;
	cleanup_free char *real = realpath(r->arg, NULL);
	TRY(root_open("/", &root));
	if (!real || stat(real, &st) < 0)
		return err_exit(err_new("%s: there is no such file", r->arg), EXIT_USAGE);
	if (!S_ISREG(st.st_mode))
		return err_exit(err_new("%s: not a regular file", r->arg), EXIT_USAGE);
	if (st.st_size > (off_t)ROOT_TEXT_MAX)
		return err_exit(err_new("%s: larger than 4 MiB, so no machine's description", r->arg), EXIT_CONFIG);
	TRY(err_exit(root_read(root, real, &r->text), EXIT_CONFIG));
	char *slash = strrchr(real, '/'), *dot = strrchr(slash + 1, '.');
	r->name = str_ndup(slash + 1, dot ? (size_t)(dot - slash - 1) : strlen(slash + 1));
	*slash = '\0';
	r->dir = str_dup(real);
	return NULL;
}

/* What its section is called by this host's word for it; data: the struct root. */
static const char *device_kind(void *data, struct pci_addr addr)
{
	static const struct {
		const char *word, *name;
	} names[] = { { "VGA", "gpu" },	  { "3D", "gpu" },	 { "display", "gpu" },	{ "audio", "audio" }, { "USB", "usb" },
		      { "NVMe", "nvme" }, { "SATA", "sata" },	 { "storage", "storage" }, { "ethernet", "nic" }, { "Wi-Fi", "wifi" },
		      { "network", "nic" }, { "serial", "serial" } };
	struct pci_function fn = {};
	cleanup_err struct err *e = pci_function_read(data, addr, &fn);
	const char *word = e ? NULL : group_class_word(fn.class), *name = word ? "device" : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(word, names[i].word))
			name = names[i].name;
	pci_function_free(&fn);
	return name;
}

static void print_notes(const struct draft *d, const char *file)
{
	if (!d->n_notes) {
		printf(_("Everything in %s was carried over.\n"), file);
		return;
	}
	printf(_("Not carried over from %s, or otherwise than there:\n"), file);
	for (size_t i = 0; i < d->n_notes; i++) {
		cleanup_free char *place = draft_note_place(&d->notes[i]), *first = str_fmt("  %-10s ", place);
		page_wrap(first, page_width(first), d->notes[i].text);
	}
}

/* The notes stand below the text, too: whoever opens the file later has no terminal to scroll back in. */
static char *with_notes(const char *text, const struct draft *d)
{
	struct sb out = {};
	sb_add(&out, text);
	if (d->n_notes)
		sb_add(&out, "\n# Not carried over, or otherwise than there:\n");
	for (size_t i = 0; i < d->n_notes; i++) {
		cleanup_free char *cut = str_cut(d->notes[i].text, 400);
		cleanup_free char *place = draft_note_place(&d->notes[i]);
		sb_addf(&out, "# %s: %s\n", place, cut);
	}
	return sb_steal(&out);
}

/* What is still missing on this host, as `check` says it. */
static struct err *check_written(struct cli *cli, const char *path)
{
	struct verb_args args = {};
	strv_add(&args.words, path);
	putchar('\n');
	struct err *e = verb_check(cli, &args);
	strv_free(&args.words);
	return e;
}

/* Asked as the user. */
static struct err *is_folder(void *data)
{
	struct stat st;
	return stat(data, &st) == 0 && S_ISDIR(st.st_mode) ? NULL : err_coded(ENOTDIR, "no folder");
}

struct err *verb_import(struct cli *cli, const struct verb_args *args)
{
	struct reading r = {};
	cleanup_user struct user u = {};
	cleanup_draft struct draft d = {};
	cleanup_free char *text = NULL, *path = NULL;
	TRY(verb_words(args, 1, 1, "import [--output FILE] [--copy-state] [--check] FILE"));
	TRY(user_find(NULL, &u));
	struct import_host host = { device_kind, cli->root };
	r.arg = args->words.v[0];
	cleanup_err struct err *file = user_visit(&u, is_folder, args->words.v[0]);
	if (!file)
		return import_hooks(&u, args->words.v[0]);
	struct err *e = user_visit(&u, read_file, &r);
	e = e ? e : err_wrap(import_read(r.text, r.name, r.dir, &host, &d), "%s", r.arg);
	free(r.text);
	free(r.dir);
	free(r.name);
	TRY(e);
	TRY(write_path(&u, verb_option(args, "output"), draft_get(&d, "vm", "name"), &path)); /* before anything is copied */
	TRY(import_state(&d, &u, verb_option(args, "copy-state")));
	TRY(err_wrap(import_compose(&d, &text), "%s", args->words.v[0]));
	cleanup_free char *whole = with_notes(text, &d);
	TRY(write_verify(whole, args->words.v[0]));
	TRY(write_new(&u, path, whole));
	if (!path)
		return NULL;
	printf(_(N_("%s is written. Look at it, then: qlaunch check %s\n\n")), path,
	       verb_option(args, "output") ? path : draft_get(&d, "vm", "name"));
	print_notes(&d, args->words.v[0]);
	return verb_option(args, "check") ? check_written(cli, path) : NULL;
}
