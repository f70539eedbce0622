/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch capture FILE [CONFIG…]: what check, groups, topology, setup and plan read of this host, as an archive without names and numbers
 * of its own, for `--root`. They run over this host as over a captured tree, with the rights of the user, and the root notes what they ask
 * for. Changes nothing; the archive is 0600, and never overwrites another file.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "launcher/advise/setup/setup.h"
#include "launcher/advise/survey.h"
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/plan/plan.h"
#include "launcher/tools/capture.h"
#include "launcher/verbs/pager.h"

#define LIMIT_MS 120000 /* a device that hangs holds who reads it */
#define QEMU_CACHE "var/cache/qlaunch/qemu.json" /* of a captured tree (host/qemu) */

struct outcome {
	enum exit_status status; /* of an error, which comes back without */
	size_t files, bytes, scrubbed[SCRUB_KINDS];
};

struct job {
	struct cli *cli;
	const struct verb_args *args;
	const struct user *caller;
	struct outcome *outcome; /* shared with the child */
};

/* What QEMU is and has: it was asked here, and cannot be where the tree is read. */
static void add_qemu(struct capture *c, const struct job *j)
{
	cleanup_qemu_facts struct qemu_facts f = {};
	struct conf_errors errors = {};
	struct config *nothing = config_parse("[vm]\nname = capture\n", "capture", NULL, NULL, &errors);
	cleanup_err struct err *e = qemu_facts_read(j->cli->root, nothing, j->caller, &f);
	if (!e && !f.assumed && !f.problem) {
		json_t *o = json_pack("{s:s, s:s}", "version", f.version, "has", f.has);
		cleanup_free char *text = json_dumps(o, JSON_COMPACT);
		json_decref(o);
		capture_add(c, QEMU_CACHE, text);
	}
	config_free(nothing);
}

/* Without comments: what people write there is theirs. */
static struct err *add_config(struct capture *c, const struct config *config)
{
	cleanup_root struct root *host = NULL;
	cleanup_free char *path = realpath(config->path, NULL), *text = NULL, *name = str_fmt("%s.conf", config->vm.name);
	cleanup_sb struct sb kept = {};
	TRY(root_open("/", &host));
	TRY(root_read(host, path ? path : config->path, &text));
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		size_t n = strcspn(line, "\n"), blank = strspn(line, " \t");
		if (blank < n && !strchr("#;", line[blank]))
			sb_addf(&kept, "%.*s\n", (int)n, line);
	}
	capture_add(c, name, kept.s ? kept.s : "");
	return NULL;
}

static void read_setup(struct root *root, const struct survey *s)
{
	cleanup_setup struct setup setup = {};
	const struct pci_function **devices = NULL;
	size_t n = 0;
	struct err *e = setup_devices(root, s, NULL, &devices, &n);
	err_free(e ? e : setup_plan(root, s, devices, n, &setup));
	free(devices);
}

static struct err *read_machine(struct cli *cli, const char *name, struct capture *c)
{
	cleanup_plan struct plan p = {};
	TRY(plan_make(cli, name, &p));
	plan_check(cli, &p);
	steps_probe(&cli->env, &p.steps);
	return add_config(c, p.config);
}

static struct err *read_host(struct cli *cli, const struct job *j, struct capture *c)
{
	cleanup_survey struct survey s = {};
	cleanup_findings struct findings said = {};
	TRY(survey_read(cli, &s));
	survey_check(&said, cli, &s);
	read_setup(cli->root, &s);
	for (size_t i = 1; i < j->args->words.n; i++)
		TRY(read_machine(cli, j->args->words.v[i], c));
	return NULL;
}

static struct err *put(const char *file, const struct sb *bytes)
{
	cleanup_root struct root *root = NULL;
	cleanup_free char *dir = strchr(file, '/') ? str_dir(file) : str_dup("."), *real = realpath(*dir ? dir : "/", NULL);
	if (!real)
		return err_exit(err_errno(errno, "%s", dir), EXIT_USAGE);
	cleanup_free char *path = str_fmt("%s/%s", streq(real, "/") ? "" : real, str_base(file));
	TRY(root_open("/", &root));
	struct err *e = root_put_new(root, path, bytes->s, bytes->len, 0600);
	if (err_code(e) != EEXIST)
		return e;
	err_free(e);
	return err_exit(err_hint(err_coded(EEXIST, "%s is there already, and is not overwritten", file), "take another name"), EXIT_USAGE);
}

/* In a child, as the user: no more is read than they may. */
static struct err *capture(const struct job *j)
{
	cleanup_root struct root *own = NULL;
	cleanup_capture struct capture c = {};
	cleanup_sb struct sb bytes = {};
	const char *file = j->args->words.v[0];
	if (getuid() == 0 && j->caller->uid != 0)
		TRY(user_become(j->caller));
	if (faccessat(AT_FDCWD, file, F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0)
		return put(file, &bytes);
	if (root_is_host(j->cli->root))
		TRY(root_open("/.", &own));
	struct cli cli = *j->cli;
	cli.root = cli.env.root = own ? own : j->cli->root;
	capture_begin(&c, cli.root);
	TRY(read_host(&cli, j, &c));
	if (own)
		add_qemu(&c, j);
	TRY(capture_end(&c));
	TRY(archive_make(file, c.items, c.n, &bytes));
	TRY(put(file, &bytes));
	*j->outcome = (struct outcome){ .files = c.n, .bytes = bytes.len };
	memcpy(j->outcome->scrubbed, c.scrub.count, sizeof(c.scrub.count));
	return NULL;
}

static struct err *work(void *data)
{
	const struct job *j = data;
	struct err *e = capture(j);
	j->outcome->status = err_status(e);
	return e;
}

static void say(const struct job *j)
{
	static const char *const left[SCRUB_KINDS] = { [SCRUB_HOST] = N_("host names"),     [SCRUB_USER] = N_("user names"),
						       [SCRUB_SERIAL] = N_("serial numbers"), [SCRUB_DISK] = N_("names of disks"),
						       [SCRUB_PLACE] = N_("mount points"),  [SCRUB_MAC] = N_("MAC addresses"),
						       [SCRUB_UUID] = N_("UUIDs"),	    [SCRUB_ADDRESS] = N_("network addresses") };
	const char *file = j->args->words.v[0];
	cleanup_sb struct sb replaced = {};
	cleanup_free char *size = size_rounded(j->outcome->bytes);
	for (int k = 0; k < SCRUB_KINDS; k++)
		if (j->outcome->scrubbed[k])
			sb_addf(&replaced, "%s%s: %zu", replaced.len ? "; " : "", tr(left[k]), j->outcome->scrubbed[k]);
	cleanup_free char *all = tr_fmt("%s: %zu files, %s. Replaced: %s.", file, j->outcome->files, size, replaced.s ? replaced.s : _("nothing"));
	page_wrap("", 0, all);
	page_wrap("", 0, _("Left out: processes and what they have open, the content of homes and disks, users, passwords, firmware tables, "
			   "monitors' EDIDs, comments of configurations, other running machines. Look before you give it away: names of "
			   "machines and of folders of your own, and what a program's own file says, may still be in it."));
	printf(_("\n  tar -tf %s\n  mkdir HOST; tar -xf %s -C HOST; qlaunch check --root HOST\n"), file, file);
	if (j->args->words.n > 1)
		printf(_("  qlaunch plan --root HOST HOST/%s.conf\n"), "NAME");
}

struct err *verb_capture(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user caller = {};
	TRY(verb_words(args, 1, 16, "capture FILE.tar.gz [CONFIG…]"));
	if (!archive_name_is_known(args->words.v[0]))
		return err_exit(err_hint(err_new("\"%s\" is the name of no archive", args->words.v[0]),
					 "its end says the format: .tar, .tar.gz, .tar.xz or .tar.zst"),
				EXIT_USAGE);
	TRY(user_find(NULL, &caller));
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED)
		return err_errno(errno, "mmap");
	struct job job = { cli, args, &caller, outcome };
	struct err *e = child_call(work, &job, LIMIT_MS);
	if (err_code(e) == ETIMEDOUT)
		e = err_hint(err_exit(e, EXIT_HOST), "a device hangs: dmesg tells which");
	e = err_exit(e, outcome->status);
	if (!e)
		say(&job);
	munmap(outcome, sizeof(*outcome));
	return e;
}
