/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal: see journal.h. Writes below its directory only. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/trust.h"
#include "launcher/base/user.h"
#include "launcher/step/journal.h"
#include "launcher/step/record.h"

#define JOURNAL_VERSION 1

struct journal {
	struct root *root;
	char *dir, *path, *lock_path;
	int lock;
};

void journal_info_free(struct journal_info *info)
{
	free(info->vm);
	free(info->dir);
	free(info->config);
	free(info->damaged_lines);
	*info = (struct journal_info){};
}

char *journal_base(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (getuid() == 0) /* the real one: root that reads something as a user for a moment is root */
		return str_dup("/run/qlaunch");
	if (runtime && *runtime == '/') {
		cleanup_free char *real = realpath(runtime, NULL); /* a link that leads there is gone once, here */
		return str_fmt("%s/qlaunch", real ? real : runtime);
	}
	return str_fmt("/run/user/%u/qlaunch", (unsigned)getuid());
}

static struct journal *journal_new(struct root *root, const char *base, const char *vm)
{
	struct journal *j = mem_new(sizeof(*j));
	j->root = root;
	j->lock = -1;
	j->dir = str_fmt("%s/%s", base, vm);
	j->path = str_fmt("%s/journal", j->dir);
	j->lock_path = str_fmt("%s/lock", j->dir);
	return j;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	fd_closep(&j->lock);
	free(j->dir);
	free(j->path);
	free(j->lock_path);
	free(j);
}

void journal_closep(struct journal **j)
{
	journal_close(*j);
}

const char *journal_dir(const struct journal *j)
{
	return j->dir;
}

struct err *journal_base_check(struct root *root, const char *base)
{
	cleanup_free char *parent = str_dir(base);
	if (!root_exists(root, parent)) {
		struct err *e = err_coded(ENOENT, "there is no %s: no place of one's own to note in what is running", parent);
		return err_exit(
			err_hint(e, "log in as that user (a session makes it), or: export XDG_RUNTIME_DIR=… to a folder of mode 0700"),
			EXIT_HOST);
	}
	struct err *e = trust_hold(root, base, geteuid());
	if (err_code(e) == ENOENT) { /* to be made */
		err_free(e);
		e = trust_path(root, parent, geteuid());
	}
	e = err_hint(err_wrap(e, "%s is not safe to use", base), "export XDG_RUNTIME_DIR=… to a folder that is yours alone, mode 0700");
	return err_exit(e, EXIT_HOST);
}

/* A machine's name is one of a folder: whatever a command was given, nothing but a part of `base` is looked at. */
static struct err *check_name(const char *vm)
{
	return *vm && *vm != '.' && !strchr(vm, '/') ? NULL : err_coded(ENOENT, "\"%s\" is no name of a machine", vm);
}

/* A directory in a place that others can write to is trusted only if it is ours. */
static struct err *own_directory(struct root *root, const char *dir)
{
	struct stat st;
	TRY(root_stat(root, dir, &st));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return err_new("%s: not a directory of uid %u that only it can write to", dir, (unsigned)geteuid());
	return NULL;
}

/* EBUSY if somebody holds it. A lock file that was removed while we waited for it is no lock: again. */
static struct err *take_lock(struct journal *j)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		cleanup_fd int fd = -1;
		struct stat ours, there;
		struct err *e = root_mkdirs(j->root, j->dir, 0755);
		e = e ? e : root_append(j->root, j->lock_path, "");
		e = e ? e : root_open_fd(j->root, j->lock_path, O_RDWR | O_NOFOLLOW, &fd);
		if (err_code(e) == ENOENT) { /* another qlaunch's journal_sweep has taken it for a dead one's */
			err_free(e);
			continue;
		}
		TRY(e);
		struct flock whole = { .l_type = F_WRLCK };
		if (fcntl(fd, F_SETLK, &whole) < 0)
			return err_errno(errno == EACCES || errno == EAGAIN ? EBUSY : errno, "%s", j->lock_path);
		cleanup_err struct err *gone = root_stat(j->root, j->lock_path, &there);
		if (!gone && fstat(fd, &ours) == 0 && ours.st_ino == there.st_ino) {
			j->lock = fd_steal(&fd);
			return NULL;
		}
	}
	return err_errno(EAGAIN, "%s", j->lock_path);
}

/* *ret_holder: whose it is; 0 for nobody. */
static bool lock_held(struct root *root, const char *path, pid_t *ret_holder)
{
	struct flock whole = { .l_type = F_WRLCK };
	cleanup_fd int fd = -1;
	*ret_holder = 0;
	/* opened for reading only: the guard's unit takes the end of a writer for the end of the launcher */
	cleanup_err struct err *e = root_open_fd(root, path, O_RDONLY | O_NOFOLLOW, &fd);
	if (e || fcntl(fd, F_GETLK, &whole) < 0 || whole.l_type == F_UNLCK)
		return false;
	*ret_holder = whole.l_pid;
	return true;
}

bool journal_alive(struct root *root, const char *base, const char *vm)
{
	cleanup_free char *path = str_fmt("%s/%s/lock", base, vm);
	cleanup_err struct err *none = check_name(vm);
	pid_t holder;
	return !none && lock_held(root, path, &holder);
}

struct err *journal_wait(struct root *root, const char *base, const char *vm)
{
	cleanup_free char *path = str_fmt("%s/%s/lock", base, vm);
	struct flock whole = { .l_type = F_WRLCK };
	cleanup_fd int fd = -1;
	TRY(check_name(vm));
	struct err *e = root_open_fd(root, path, O_RDWR | O_NOFOLLOW, &fd);
	if (err_code(e) == ENOENT) {
		err_free(e);
		return NULL;
	}
	TRY(e);
	while (fcntl(fd, F_SETLKW, &whole) < 0)
		if (errno != EINTR)
			return err_errno(errno, "%s", path);
	return NULL;
}

static struct err *write_header(struct journal *j, const char *vm, uid_t user, const char *config)
{
	struct proc_id self;
	TRY(proc_id_of(getpid(), &self));
	cleanup_free char *id = proc_id_format(self), *boot = root_read_or(j->root, "/proc/sys/kernel/random/boot_id", "");
	json_t *path = config ? json_string(config) : NULL; /* one that is no UTF-8 cannot stand there */
	cleanup_free char *line = record_line(json_pack("{s:i, s:s, s:s, s:s, s:I, s:o*}", "qlaunch", JOURNAL_VERSION, "vm", vm, "boot",
							boot, "launcher", id, "user", (json_int_t)user, "config", path));
	return root_append(j->root, j->path, line);
}

static struct err *begin(struct journal *j, const char *vm, uid_t user, const char *config)
{
	TRY(own_directory(j->root, j->dir));
	TRY(take_lock(j));
	if (root_exists(j->root, j->path))
		return err_coded(EEXIST, "%s: a launcher died and left it", j->path);
	struct err *e = write_header(j, vm, user, config);
	if (e)
		err_free(journal_remove(j)); /* nothing has begun */
	return e;
}

struct err *journal_create(struct root *root, const char *base, const char *vm, uid_t user, const char *config,
			   struct journal **ret_journal)
{
	cleanup_journal struct journal *j = journal_new(root, base, vm);
	TRY(check_name(vm));
	TRY(journal_base_check(root, base));
	bool there = root_exists(root, j->dir);
	struct err *e = root_mkdirs(root, j->dir, 0755);
	e = e ? e : journal_base_check(root, base);
	e = e ? e : begin(j, vm, user, config);
	if (e && !there)
		err_free(root_rmdir(root, j->dir)); /* only if it is empty */
	TRY(e);
	*ret_journal = steal(j);
	return NULL;
}

struct err *journal_append(struct journal *j, const struct step *s)
{
	cleanup_free char *line = record_line(record_of_step(s));
	return root_append(j->root, j->path, line);
}

/* Reads the header; a journal of another version is not for us to touch. */
static struct err *read_header(struct root *root, json_t *header, struct journal_info *info)
{
	const char *boot, *launcher, *config = NULL;
	json_int_t user = -1;
	int version = 0;
	if (json_unpack(header, "{s:i}", "qlaunch", &version) < 0)
		return err_new("its first line is not a journal's");
	if (version != JOURNAL_VERSION)
		return err_hint(err_new("it is of version %d, this qlaunch writes %d", version, JOURNAL_VERSION),
				"use the qlaunch that wrote it; or give it up: qlaunch restore --forget %s", info->vm);
	if (json_unpack(header, "{s:s, s:s, s?I, s?s}", "boot", &boot, "launcher", &launcher, "user", &user, "config", &config) < 0)
		return err_new("its first line is not a journal's");
	TRY(proc_id_parse(launcher, &info->launcher));
	cleanup_free char *now = root_read_or(root, "/proc/sys/kernel/random/boot_id", "");
	info->other_boot = !streq(boot, now);
	info->user = (uid_t)user;
	info->config = str_dup(config);
	return NULL;
}

static void note_damage(struct journal_info *info, size_t number)
{
	cleanup_free char *text = info->damaged_lines ? str_fmt("%s, %zu", info->damaged_lines, number) : str_fmt("%zu", number);
	str_set(&info->damaged_lines, text);
	info->damaged++;
}

/*
 * Each line stands for itself: what fits its checksum is good whatever is around it. A first line that does not costs who wrote it and in
 * which boot (this one: the directory does not outlive it); a launcher that is killed while it writes that line has not begun anything.
 */
static struct err *parse(struct step_env *env, const char *text, size_t len, struct steps *steps, struct journal_info *info)
{
	info->user = (uid_t)-1;
	info->torn = !len;
	size_t number = 1;
	for (const char *line = text, *end = text + len; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		json_t *object = record_parse(line, (size_t)((newline ? newline : end) - line));
		struct err *e = NULL;
		if (!object && !newline)
			info->torn = true;
		else if (!object || (number > 1 && !record_to_step(env, object, steps)))
			note_damage(info, number);
		else if (number == 1)
			e = read_header(env->root, object, info);
		json_decref(object);
		TRY(e);
		line = newline ? newline + 1 : end;
	}
	return NULL;
}

static struct err *load(struct step_env *env, const struct journal *j, const char *vm, struct steps *ret_steps,
			struct journal_info *ret_info)
{
	cleanup_free char *text = NULL;
	size_t len;
	pid_t holder = 0;
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = { .vm = str_dup(vm), .dir = str_dup(j->dir) };
	TRY(root_read_bytes(env->root, j->path, &text, &len));
	TRY(err_wrap(parse(env, text, len, &steps, &info), "%s", j->path));
	info.alive = j->lock < 0 && lock_held(env->root, j->lock_path, &holder);
	if (info.alive && !info.launcher.pid)
		err_free(proc_id_of(holder, &info.launcher));
	*ret_steps = steps;
	*ret_info = info;
	steps = (struct steps){};
	info = (struct journal_info){};
	return NULL;
}

struct err *journal_seize(struct root *root, const char *base, const char *vm, struct journal **ret_journal)
{
	cleanup_journal struct journal *j = journal_new(root, base, vm);
	TRY(check_name(vm));
	TRY(journal_base_check(root, base));
	TRY(own_directory(root, j->dir));
	TRY(take_lock(j));
	*ret_journal = steal(j);
	return NULL;
}

struct err *journal_open(struct step_env *env, const char *base, const char *vm, struct journal **ret_journal, struct steps *ret_steps,
			 struct journal_info *ret_info)
{
	cleanup_journal struct journal *j = NULL;
	TRY(journal_seize(env->root, base, vm, &j));
	TRY(load(env, j, vm, ret_steps, ret_info));
	*ret_journal = steal(j);
	return NULL;
}

struct err *journal_read(struct step_env *env, const char *base, const char *vm, struct steps *ret_steps, struct journal_info *ret_info)
{
	cleanup_journal struct journal *j = journal_new(env->root, base, vm);
	TRY(check_name(vm));
	if (root_exists(env->root, base))
		TRY(journal_base_check(env->root, base));
	return load(env, j, vm, ret_steps, ret_info);
}

struct err *journal_is_callers(const struct journal_info *info)
{
	cleanup_user struct user caller = {};
	TRY(user_find(NULL, &caller));
	if (caller.uid == 0 || info->user == caller.uid || info->user == (uid_t)-1)
		return NULL;
	return err_exit(err_coded(EPERM, "%s is a machine of another user, not of %s", info->vm, caller.name), EXIT_HOST);
}

struct err *journal_list(struct root *root, const char *base, struct strv *ret_vms)
{
	cleanup_strv struct strv names = {};
	struct strv vms = {};
	if (root_exists(root, base)) {
		TRY(journal_base_check(root, base));
		TRY(root_list(root, base, &names));
	}
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s/journal", base, names.v[i]);
		if (root_exists(root, path))
			strv_add(&vms, names.v[i]);
	}
	*ret_vms = vms;
	return NULL;
}

/* EEXIST where there is a journal. The lock is taken. */
static struct err *never_began(struct journal *j)
{
	TRY(own_directory(j->root, j->dir));
	TRY(take_lock(j));
	return root_exists(j->root, j->path) ? err_errno(EEXIST, "%s", j->path) : NULL;
}

struct err *journal_sweep(struct root *root, const char *base)
{
	cleanup_strv struct strv names = {};
	if (root_exists(root, base)) {
		TRY(journal_base_check(root, base));
		TRY(root_list(root, base, &names));
	}
	for (size_t i = 0; i < names.n; i++) {
		cleanup_journal struct journal *j = journal_new(root, base, names.v[i]);
		if (*names.v[i] == '.' || root_exists(root, j->path))
			continue;
		cleanup_err struct err *busy = never_began(j);
		if (!busy)
			TRY(journal_remove(j));
	}
	return NULL;
}

/* What a launch makes in its directory; ".NAME.PID" is one of them that was being written when its launcher was killed. */
static bool is_made_here(const char *name)
{
	static const char *const names[] = { "journal", "lock", "claims", "status.json", "monitor", "agent", "log" };
	size_t n = strlen(name);
	while (*name == '.' && n && strchr("0123456789", name[n - 1]))
		n--;
	cleanup_free char *stem = *name == '.' && n > 1 && name[n - 1] == '.' ? str_ndup(name + 1, n - 2) : str_dup(name);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i], stem))
			return true;
	return str_starts(stem, "input-"); /* of a device that is kept over a replug */
}

/* The journal goes first, the lock last: until then nobody else can begin. */
struct err *journal_remove(struct journal *j)
{
	cleanup_strv struct strv names = {};
	size_t others = 0;
	TRY(root_list(j->root, j->dir, &names));
	if (strv_has(&names, "journal"))
		TRY(root_unlink(j->root, j->path));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", j->dir, names.v[i]);
		if (!is_made_here(names.v[i])) {
			log_warn("%s is none of qlaunch's, and stays", path);
			others++;
		} else if (!streq(names.v[i], "journal") && !streq(names.v[i], "lock")) {
			TRY(root_unlink(j->root, path));
		}
	}
	if (strv_has(&names, "lock"))
		TRY(root_unlink(j->root, j->lock_path));
	return others ? NULL : root_rmdir(j->root, j->dir);
}
