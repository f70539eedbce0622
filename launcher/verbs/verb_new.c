/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch new NAME: a whole configuration proposed from this host. On a terminal it asks the little that only the user
 * can know, each question with its default; --yes takes every default, --gpu another graphics card.
 *
 * Writes one new file as the user, never over another, and, where wanted, an empty disk image with qemu-img.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/config/value.h"
#include "launcher/advise/propose.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/tools/virtio_win.h"
#include "launcher/verbs/new.h"
#include "launcher/verbs/typed.h"
#include "launcher/verbs/write.h"

#define QEMU_IMG_LIMIT_MS 30000

/* ---- example ---- */

/* The folders of the examples: beside the binary in the build tree, and where `make install` puts them. */
static void example_dirs(struct strv *ret_dirs)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash = n > 0 && (size_t)n < sizeof(exe) ? (exe[n] = '\0', strrchr(exe, '/')) : NULL;
	if (slash) {
		*slash = '\0';
		strv_addf(ret_dirs, "%s/../share/doc/qlaunch/examples", exe);
		strv_addf(ret_dirs, "%s/../configs", exe);
	}
}

struct example {
	const char *arg;
	const struct proposal *p;
	char *text;
};

/* As the user: an example may be any file that they name. */
static struct err *read_example(void *data)
{
	struct example *x = data;
	cleanup_strv struct strv paths = {}, dirs = {};
	cleanup_root struct root *root = NULL;
	TRY(root_open("/", &root));
	example_dirs(&dirs);
	if (strchr(x->arg, '/') || str_ends(x->arg, ".conf"))
		strv_add(&paths, x->arg);
	else
		for (size_t i = 0; i < dirs.n; i++)
			strv_addf(&paths, "%s/%s.conf", dirs.v[i], x->arg);
	for (size_t i = 0; i < paths.n; i++) {
		cleanup_free char *real = realpath(paths.v[i], NULL), *text = NULL;
		struct stat st;
		if (!real || stat(real, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		TRY(root_read(root, real, &text));
		*strrchr(real, '/') = '\0';
		x->text = proposal_fill(x->p, text, real);
		return NULL;
	}
	cleanup_free char *where = strv_join(&paths, ", ");
	return err_exit(err_new("there is no example %s (%s)", x->arg, where), EXIT_USAGE);
}

/* ---- what is written ---- */

struct image {
	const struct user *user;
	const char *path;
	uint64_t size;
};

/* In a child, as the user for good. */
static struct err *make_image(void *data)
{
	const struct image *image = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *said = NULL, *size = size_format(image->size);
	cleanup_free char *dir = str_dir(image->path);
	TRY(geteuid() == 0 ? user_become(image->user) : NULL);
	TRY(root_open("/", &root));
	TRY(root_mkdirs(root, dir, 0700));
	if (root_exists(root, image->path))
		return err_coded(EEXIST, "%s is there already", image->path);
	const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-o", QEMU_IMG_NOCOW, image->path, size, NULL };
	return child_output(argv, QEMU_IMG_LIMIT_MS, &said);
}

static struct err *make_disk(const struct proposal *p, const struct survey *s)
{
	struct image image = { &s->user, p->disk, p->disk_size };
	struct err *e = child_call(make_image, &image, QEMU_IMG_LIMIT_MS + 5000);
	if (err_code(e) == EEXIST) {
		err_free(e);
		log_info("%s is there already and stays as it is", p->disk);
		return NULL;
	}
	return err_hint(err_wrap(e, "the disk image %s", p->disk), "qemu-img create -f qcow2 %s 100G", p->disk);
}

static void say(const struct proposal *p, const char *path, bool by_name)
{
	cleanup_pci_names struct pci_names *names = pci_names_new();
	cleanup_free char *size = size_format(p->memory), *gpu = p->gpu ? group_name(names, p->gpu) : NULL;
	const char *arg = by_name ? p->name : path;
	cleanup_free char *install = str_fmt("sudo install -Dm644 %s /etc/qlaunch/%s.conf", path, p->name);
	printf(_(N_("%s: CPU threads %u, memory %s, %s\n\n")), path, p->threads, size, gpu ? gpu : _("no graphics card of its own"));
	printf(_("  qlaunch check %s    can this host run it?\n  qlaunch plan %s     what would be changed, and why\n"), arg, arg);
	if (propose_service(p))
		printf(_("It takes the desktop's own card, so that the desktop ends meanwhile. As a service it outlives that:\n  %s\n"
			 "  sudo systemctl start qlaunch@%s\n"),
		       install, p->name);
	else
		printf(_("  %sqlaunch %s%s    run it\n"), p->gpu ? "sudo " : "", arg, p->gpu ? " " : "      ");
}

/* From the disc to the installed system: each command that is left. */
static void say_install(const struct proposal *p, const struct survey *s, const char *arg)
{
	cleanup_free char *disc = typed_quoted(p->os.path), *drivers = virtio_win_find(&s->user), *image = typed_quoted(p->disk);
	bool windows = p->os.system->family == SYSTEM_WINDOWS, answerable = identify_answerable(p->os.system);
	printf(_("\nTo install %s:\n"), p->os.name);
	if (!user_sees(&s->user, p->disk, NULL))
		printf("  qlaunch disk create %s 100G\n", image);
	if (windows && !drivers)
		puts("  qlaunch fetch virtio-win");
	printf("  %sqlaunch run --install %s %s%s\n", p->gpu ? "sudo " : "", disc, answerable ? "--unattended " : "", arg);
	if (answerable)
		printf(_("It asks for a password and then nothing more. Without --unattended you answer what Windows asks.\n"));
}

static struct err *propose_text(struct proposal *p, const struct survey *s, const char *from, char **ret_text)
{
	struct example x = { .arg = from, .p = p };
	if (from)
		TRY(user_visit(&s->user, read_example, &x));
	cleanup_free char *text = from ? x.text : proposal_text(p, s);
	TRY(write_verify(text, from ? from : "the proposal"));
	*ret_text = steal(text);
	return NULL;
}

struct err *verb_new(struct cli *cli, const struct verb_args *args)
{
	cleanup_survey struct survey s = {};
	cleanup_proposal struct proposal p = {};
	cleanup_free char *text = NULL, *path = NULL;
	TRY(verb_words(args, 1, 1, "new [--iso FILE] [--yes] [--gpu ADDRESS | none] [--from EXAMPLE] [--output FILE] NAME"));
	TRY(err_exit(value_check_name(args->words.v[0], 64), EXIT_USAGE));
	const char *output = verb_option(args, "output");
	TRY(survey_read(cli, &s));
	TRY(write_path(&s.user, output, args->words.v[0], &path));
	propose(args->words.v[0], &s, &p);
	const char *gpu = verb_option(args, "gpu"), *iso = verb_option(args, "iso");
	if (iso)
		TRY(new_iso(&s, iso, &p));
	TRY(gpu ? propose_gpu(&p, &s, gpu) : NULL);
	if (!verb_option(args, "yes") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		TRY(new_ask(cli, &s, !gpu, &p));
	TRY(propose_text(&p, &s, verb_option(args, "from"), &text));
	TRY(write_new(&s.user, path, text));
	if (!path)
		return NULL;
	if (p.disk_size && root_is_host(cli->root))
		log_err(LOG_LEVEL_WARN, make_disk(&p, &s));
	say(&p, path, !output);
	if (p.os.system)
		say_install(&p, &s, output ? path : p.name);
	return NULL;
}
