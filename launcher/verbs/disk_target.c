/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk_target: see disk.h. Everything that a word names is looked at with the rights of the user. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/base/tr.h"
#include "launcher/plan/claims.h"
#include "launcher/host/disk/image.h"
#include "launcher/verbs/verb_disk.h"

#define LIMIT_MS 10000 /* for the monitor to answer */

struct finding_it {
	struct cli *cli;
	struct targets *t;
	const char *format;
	char *section; /* of MACHINE:DISK; NULL: all */
	char *config;  /* where root, by itself, has found the machine's; else NULL */
};

/* Cuts MACHINE[:DISK] in two; false for a path. */
static bool is_machine(const char *word, char **ret_machine, char **ret_section)
{
	const char *colon = strrchr(word, ':');
	cleanup_free char *left = colon ? str_ndup(word, (size_t)(colon - word)) : str_dup(word);
	bool conf = str_ends(left, ".conf"), there = faccessat(AT_FDCWD, word, F_OK, AT_EACCESS) == 0;
	if (colon && (!colon[1] || strchr(colon, '/') || !*left))
		return false;
	if (!conf && (there || strchr(left, '/') || image_format_of(word) != FORMAT_AUTO))
		return false;
	*ret_section = colon ? str_dup(colon + 1) : NULL;
	*ret_machine = steal(left);
	return true;
}

struct err *format_parse(const char *text, enum disk_format *ret_format)
{
	if (text && !streq(text, "raw") && !streq(text, "qcow2"))
		return err_exit(err_new("format \"%s\" is neither raw nor qcow2", text), EXIT_USAGE);
	*ret_format = !text ? FORMAT_AUTO : streq(text, "raw") ? FORMAT_RAW : FORMAT_QCOW2;
	return NULL;
}

/* A configuration with the one disk in it. */
static struct err *of_path(struct finding_it *f)
{
	struct targets *t = f->t;
	cleanup_free char *here = getcwd(NULL, 0);
	t->config = mem_new(sizeof(*t->config));
	t->config->disks = mem_new(sizeof(*t->config->disks));
	t->config->n_disks = 1;
	struct conf_disk *d = t->config->disks;
	d->name = str_dup("image");
	d->path = *t->word == '/' || !here ? str_dup(t->word) : str_fmt("%s/%s", here, t->word);
	TRY(format_parse(f->format, &d->format));
	TRY(disk_facts_read(f->cli->root, t->config, &t->facts));
	if (t->facts.v[0].block || t->facts.v[0].foreign || d->format != FORMAT_AUTO || image_format_of(t->word) != FORMAT_AUTO)
		return NULL;
	if (t->facts.v[0].kind == DISK_ABSENT) {
		cleanup_free char *remedy = disk_absent_remedy(&t->facts.v[0], true);
		return err_hint(err_new("there is no %s", t->word), "%s", remedy);
	}
	return err_hint(err_new("%s: neither its name nor you say of what format it is", t->word),
			"--format qcow2 or --format raw: it is never guessed from what a guest may have written");
}

static struct err *of_machine(struct finding_it *f, const char *machine)
{
	struct targets *t = f->t;
	if (f->format)
		return err_hint(err_new("--format is for paths: %s says itself of what format its disks are", machine),
				"format = in its [disk NAME]");
	struct err *e = config_load(f->config ? f->config : machine, &f->cli->sets, &t->config);
	if (err_code(e) == ENOENT && streq(machine, t->word) && !str_ends(machine, ".conf")) {
		err_free(e);
		return err_hint(err_new("%s is neither an image here nor a machine of ~/.config/qlaunch or /etc/qlaunch", machine),
				"an image: %s.qcow2 or ./%s; a machine's disk: MACHINE:DISK", machine, machine);
	}
	TRY(e);
	t->machine = str_dup(t->config->vm.name);
	return NULL;
}

static struct err *look(void *data)
{
	struct finding_it *f = data;
	cleanup_free char *machine = NULL;
	return is_machine(f->t->word, &machine, &f->section) ? of_machine(f, machine) : of_path(f);
}

static struct err *look_at_disks(void *data)
{
	struct finding_it *f = data;
	return disk_facts_read(f->cli->root, f->t->config, &f->t->facts);
}

static struct err *pick(struct targets *t, const char *section)
{
	cleanup_strv struct strv names = {};
	t->v = mem_new((t->facts.n_disks + 1) * sizeof(struct disk *));
	for (size_t i = 0; i < t->facts.n_disks; i++) {
		const struct disk *d = &t->facts.v[i];
		strv_add(&names, d->conf->name);
		if (!section || streq(section, d->conf->name))
			t->v[t->n++] = d;
	}
	if (t->n)
		return NULL;
	if (!section)
		return err_new("%s has no disk", t->machine);
	cleanup_free char *all = strv_join(&names, ", ");
	return err_hint(err_new("%s has no [disk %s]", t->machine, section), "it has: %s", names.n ? all : "none");
}

/* Root by itself acts for the owner of the machine's file, or of the image: what is in an image names others. */
static struct err *find_caller(struct finding_it *f)
{
	struct user *u = &f->t->user;
	struct stat st;
	cleanup_free char *machine = NULL, *section = NULL, *named = NULL, *path = NULL;
	TRY(user_find(NULL, u));
	if (u->uid != 0)
		return NULL;
	bool is = is_machine(f->t->word, &machine, &section);
	named = is ? config_find(machine) : str_dup(f->t->word);
	if (!named || (!is && (stat(named, &st) < 0 || st.st_uid == 0)))
		return NULL;
	user_free(u);
	TRY(behalf_of_file(named, u, &path));
	f->config = is ? steal(path) : NULL;
	return NULL;
}

static struct err *find(struct finding_it *f)
{
	struct targets *t = f->t;
	TRY(find_caller(f));
	TRY(user_visit(&t->user, look, f));
	if (t->machine) {
		cleanup_user struct user caller = t->user;
		t->user = (struct user){};
		TRY(user_of_config(&caller, t->config->vm.user, &t->user));
		TRY(user_visit(&t->user, look_at_disks, f));
	}
	return pick(t, f->section);
}

struct err *targets_find(struct cli *cli, const char *word, const char *format, struct targets *ret_targets)
{
	cleanup_targets struct targets t = { .word = word };
	struct finding_it f = { .cli = cli, .t = &t, .format = format };
	struct err *e = err_exit(find(&f), EXIT_USAGE);
	free(f.section);
	free(f.config);
	TRY(e);
	*ret_targets = t;
	t = (struct targets){};
	return NULL;
}

void targets_free(struct targets *t)
{
	free(t->v);
	disk_facts_free(&t->facts);
	config_free(t->config);
	user_free(&t->user);
	free(t->machine);
	*t = (struct targets){};
}

struct err *targets_one(const struct targets *t, const struct disk **ret_disk)
{
	cleanup_strv struct strv names = {};
	for (size_t i = 0; i < t->n; i++)
		strv_addf(&names, "%s:%s", t->word, t->v[i]->conf->name);
	cleanup_free char *all = strv_join(&names, ", ");
	*ret_disk = t->v[0];
	return t->n == 1 ? NULL : err_exit(err_hint(err_new("%s has %zu disks; name one", t->word, t->n), "%s", all), EXIT_USAGE);
}

uint64_t disk_guest_size(const struct disk *d)
{
	return d->kind == DISK_FILE ? d->guest_size : d->size;
}

struct err *disk_whole(const struct disk *d)
{
	if (d->kind == DISK_ABSENT) {
		cleanup_free char *remedy = disk_absent_remedy(d, false);
		return err_exit(err_hint(err_new("there is no %s", d->conf->path), "%s", remedy), EXIT_HOST);
	}
	if (d->kind == DISK_OTHER || !d->real)
		return err_exit(err_new("%s is neither a file nor a block device", d->conf->path), EXIT_HOST);
	if (d->kind == DISK_FILE && !d->size)
		return err_exit(err_new("%s is empty", d->conf->path), EXIT_HOST);
	if (!d->problem)
		return NULL;
	struct err *e = err_exit(err_new("%s", d->problem), EXIT_HOST);
	return d->remedy ? err_hint(e, "%s", d->remedy) : e;
}

char *disk_owner(struct cli *cli, const struct disk *d)
{
	cleanup_free char *base = journal_base(), *thing = str_fmt("disk %s", d->real ? d->real : d->conf->path);
	return claims_owner(cli->root, base, thing);
}

struct err *disk_idle(struct cli *cli, const struct disk *d, bool writers)
{
	cleanup_free char *owner = disk_owner(cli, d);
	cleanup_strv struct strv uses = {};
	if (owner)
		return err_exit(err_hint(err_new("%s belongs to %s, which runs", d->conf->path, owner), "qlaunch stop %s", owner),
				EXIT_HOST);
	disk_in_use(cli->root, d, writers, &uses);
	cleanup_free char *joined = strv_join(&uses, "; ");
	if (!uses.n)
		return NULL;
	return err_exit(err_hint(err_new("%s is in use: %s", d->conf->path, joined),
				 "unmount it, swapoff, or close what uses it; what a dead launcher left: qlaunch restore"),
			EXIT_HOST);
}

struct looking {
	json_t *nodes;
	const char *real;
	char *found;
};

static struct err *look_at_nodes(void *data)
{
	struct looking *l = data;
	size_t i;
	json_t *node;
	json_array_foreach (l->nodes, i, node) {
		const char *name = json_string_value(json_object_get(node, "node-name")),
			   *file = json_string_value(json_object_get(node, "file"));
		/* our nodes (guest/disk.c): the formats' names are ours, those of protocols QEMU's */
		cleanup_free char *real = file && name && str_starts(name, "disk-") ? realpath(file, NULL) : NULL;
		if (streq(real, l->real))
			str_set(&l->found, name);
	}
	return NULL;
}

struct err *disk_live_node(struct qmp *qmp, const struct user *user, const struct disk *d, char **ret_node)
{
	struct looking l = { .real = d->real };
	TRY(qmp_call(qmp, "query-named-block-nodes", json_pack("{s:b}", "flat", 1), LIMIT_MS, &l.nodes));
	struct err *e = user_visit(user, look_at_nodes, &l);
	json_decref(l.nodes);
	TRY(e);
	if (!l.found)
		return err_new("QEMU has no node for %s", d->conf->path);
	*ret_node = l.found;
	return NULL;
}
