/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu: see qemu.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/host/qemu/qemu_ask.h"

#define QEMU_NAME "qemu-system-x86_64"
#define QEMU_LEAST 702 /* the oldest that is supported, and what is assumed of one that cannot be asked */
#define QEMU_ASSUMED "7.2.0"
#define SECCOMP "/proc/sys/kernel/seccomp" /* there exactly with CONFIG_SECCOMP_FILTER (Documentation/userspace-api/seccomp_filter.rst) */

/* Debian, Arch, Fedora: a package of modules that comes or goes changes what QEMU has, but not the binary. */
static const char *const module_dirs[] = { "/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib/qemu", "/usr/lib64/qemu" };

void qemu_facts_free(struct qemu_facts *f)
{
	free(f->binary);
	free(f->version);
	free(f->problem);
	free(f->has);
	*f = (struct qemu_facts){};
}

bool qemu_has(const struct qemu_facts *f, const char *what)
{
	cleanup_free char *name = strchr(what, ':') ? str_dup(what) : str_fmt("option:%s", what);
	return str_has_word(f->has, name);
}

char *qemu_newest_machine(const struct qemu_facts *f)
{
	static const char word[] = "newest:";
	const char *at = f->has ? strstr(f->has, word) : NULL;
	return at ? str_ndup(at + strlen(word), strcspn(at + strlen(word), " ")) : NULL;
}

bool qemu_has_machine(const struct qemu_facts *f, const char *type)
{
	cleanup_free char *newest = qemu_newest_machine(f), *what = str_fmt("type:%s", type);
	return !newest || streq(type, "q35") || streq(newest, type) || qemu_has(f, what);
}

bool qemu_is(const struct qemu_facts *f, int major, int minor)
{
	return f->major > major || (f->major == major && f->minor >= minor);
}

/* FNV-1a: tells names apart, guards nothing. */
static uint32_t hash(uint32_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT32_C(16777619);
	return h;
}
#define HASH_INIT UINT32_C(2166136261)

/* What was asked for, as a number: another qlaunch may ask for more. */
static json_int_t names_id(void)
{
	uint32_t h = HASH_INIT;
	for (const struct qemu_name *n = qemu_names; n->name; n++)
		h = hash(hash(h, n->name), "\n");
	return h;
}

/* Fills in version and names from an answer or a cache; false, with nothing changed, where it is not one. */
static bool take(struct qemu_facts *f, const json_t *answer)
{
	const char *version = json_string_value(json_object_get(answer, "version"));
	const char *has = json_string_value(json_object_get(answer, "has"));
	int major, minor;
	if (!version || !has || sscanf(version, "%d.%d", &major, &minor) != 2)
		return false;
	f->version = str_dup(version);
	f->major = major;
	f->minor = minor;
	f->has = str_dup(has);
	return true;
}

/*
 * For what is the cache: the binary and the directories of its modules, as they are now; NULL where there is no binary.
 */
static char *cache_key(struct root *root, const char *binary)
{
	struct sb sb = {};
	struct stat st;
	struct err *e = root_stat(root, binary, &st);
	if (e) {
		err_free(e);
		return NULL;
	}
	sb_addf(&sb, "%s %jd %jd.%09ld", binary, (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	for (size_t i = 0; i < ARRAY_SIZE(module_dirs); i++) {
		e = root_stat(root, module_dirs[i], &st);
		if (!e)
			sb_addf(&sb, " %jd.%09ld", (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		err_free(e);
	}
	return sb_steal(&sb);
}

static char *cache_path(struct root *root, const char *binary, const struct user *user)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	unsigned id = hash(HASH_INIT, binary);
	if (!root_is_host(root))
		return str_dup("/var/cache/qlaunch/qemu.json");
	if (geteuid() == 0) /* apart for each user: one user's binary must not answer for another's */
		return str_fmt("/var/cache/qlaunch/qemu-%u-%08x.json", user->uid, id);
	if (xdg && *xdg == '/')
		return str_fmt("%s/qlaunch/qemu-%08x.json", xdg, id);
	return str_fmt("%s/.cache/qlaunch/qemu-%08x.json", user->home, id);
}

/*
 * A captured tree's cache is right by definition; this host's must be ours, of this binary and of this table of names.
 */
static bool cache_read(struct root *root, const char *path, const char *key, struct qemu_facts *f)
{
	struct stat st;
	cleanup_free char *text = NULL;
	cleanup_err struct err *e = root_stat(root, path, &st);
	if (!e && S_ISREG(st.st_mode) && (!root_is_host(root) || st.st_uid == geteuid()))
		text = root_read_or(root, path, NULL);
	json_t *cache = text ? json_loads(text, 0, NULL) : NULL;
	bool fits = !root_is_host(root) || (streq(json_string_value(json_object_get(cache, "key")), key) &&
					    json_integer_value(json_object_get(cache, "names")) == names_id());
	bool taken = cache && fits && take(f, cache);
	json_decref(cache);
	return taken;
}

/* A cache that cannot be written costs the time of asking again, nothing else. */
static void cache_write(struct root *root, const char *path, const char *key, json_t *answer)
{
	bool shared = geteuid() == 0;
	cleanup_free char *dir = str_dir(path);
	json_object_set_new(answer, "key", json_string(key));
	json_object_set_new(answer, "names", json_integer(names_id()));
	cleanup_free char *text = json_dumps(answer, JSON_COMPACT);
	struct err *e = root_mkdirs(root, dir, shared ? 0755 : 0700);
	if (!e && text)
		e = root_put(root, path, text, shared ? 0644 : 0600);
	log_err(LOG_LEVEL_DEBUG, err_wrap(e, "QEMU's abilities are not kept"));
}

static void assume(struct qemu_facts *f)
{
	f->assumed = true;
	f->version = str_dup(QEMU_ASSUMED);
	f->major = QEMU_LEAST / 100;
	f->minor = QEMU_LEAST % 100;
	struct sb has = {};
	for (const struct qemu_name *n = qemu_names; n->name; n++)
		if (n->since <= QEMU_LEAST)
			sb_addf(&has, "%s ", n->name);
	f->has = sb_steal(&has);
}

/* Sets f->problem on failure. */
static void ask(struct root *root, const char *path, const char *key, const struct user *user, struct qemu_facts *f)
{
	json_t *answer = NULL;
	cleanup_err struct err *e = qemu_ask(f->binary, user, &answer);
	if (!e && !take(f, answer))
		e = err_new("an answer that cannot be read");
	if (e)
		f->problem = str_fmt("%s: %s", f->binary, err_text(e));
	else
		cache_write(root, path, key, answer);
	json_decref(answer);
}

struct located {
	struct root *root;
	const char *wanted;
	char *binary, *key;
};

/* Done with the user's rights: of a path in a configuration root does not even tell whether it is there. */
static struct err *locate(void *data)
{
	struct located *p = data;
	p->binary = child_find(p->wanted);
	p->key = p->binary ? cache_key(p->root, p->binary) : NULL;
	return NULL;
}

struct err *qemu_facts_read(struct root *root, const struct config *c, const struct user *user, struct qemu_facts *ret_facts)
{
	const char *wanted = c->qemu.binary ? c->qemu.binary : QEMU_NAME;
	struct qemu_facts f = {};
	struct located place = { .root = root, .wanted = wanted };
	if (root_is_host(root))
		TRY(user_visit(user, locate, &place));
	else
		place.binary = str_dup(c->qemu.binary ? c->qemu.binary : "/usr/bin/" QEMU_NAME);
	cleanup_free char *key = place.key ? place.key : root_is_host(root) ? NULL : cache_key(root, place.binary);
	f.binary = place.binary;
	if (!f.binary)
		f.problem = tr_fmt("%s is not installed", wanted);
	cleanup_free char *path = f.binary ? cache_path(root, f.binary, user) : NULL;
	if (!f.binary)
		f.binary = str_dup(wanted);
	if (path && !cache_read(root, path, key, &f) && key && root_is_host(root))
		ask(root, path, key, user, &f);
	if (!f.version)
		assume(&f);
	f.no_seccomp = !root_exists(root, SECCOMP);
	*ret_facts = f;
	return NULL;
}

void qemu_findings(struct findings *out, const struct qemu_facts *f)
{
	static const char install[] = N_("install QEMU 7.2 or newer: apt install qemu-system-x86, pacman -S qemu-desktop, or "
					 "dnf install qemu-kvm");
	if (f->problem)
		findings_add(out, FINDING_BAD, "qemu", str_dup(f->problem), tr_dup(install));
	else if (f->assumed)
		findings_add(out, FINDING_WARN, "qemu", tr_fmt("%s was not asked; version 7.2 is assumed", f->binary), NULL);
	else if (!qemu_is(f, QEMU_LEAST / 100, QEMU_LEAST % 100))
		findings_add(out, FINDING_BAD, "qemu", tr_fmt("%s is version %s", f->binary, f->version), tr_dup(install));
	else
		findings_add(out, FINDING_OK, "qemu", tr_fmt("%s, version %s", f->binary, f->version), NULL);
	if (f->no_seccomp)
		findings_add(out, FINDING_WARN, "sandbox", tr_dup("this kernel has no seccomp: QEMU runs without its sandbox"),
			     tr_dup("a kernel with CONFIG_SECCOMP_FILTER=y"));
}
