/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal: see journal.h. Writes below its directory only. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
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
	*info = (struct journal_info){};
}

char *journal_base(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (geteuid() == 0)
		return str_dup("/run/qlaunch");
	if (runtime && *runtime == '/')
		return str_fmt("%s/qlaunch", runtime);
	return str_fmt("/tmp/qlaunch-%u", (unsigned)geteuid());
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
		TRY(root_mkdirs(j->root, j->dir, 0755)); /* journal_sweep may have taken it for a dead one's */
		TRY(root_append(j->root, j->lock_path, ""));
		TRY(root_open_fd(j->root, j->lock_path, O_RDWR | O_NOFOLLOW, &fd));
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

static bool lock_held(struct root *root, const char *path)
{
	struct flock whole = { .l_type = F_WRLCK };
	cleanup_fd int fd = -1;
	/* opened for reading only: the guard's unit takes the end of a writer for the end of the launcher */
	cleanup_err struct err *e = root_open_fd(root, path, O_RDONLY | O_NOFOLLOW, &fd);
	return !e && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

bool journal_alive(struct root *root, const char *base, const char *vm)
{
	cleanup_free char *path = str_fmt("%s/%s/lock", base, vm);
	return lock_held(root, path);
}

struct err *journal_wait(struct root *root, const char *base, const char *vm)
{
	cleanup_free char *path = str_fmt("%s/%s/lock", base, vm);
	struct flock whole = { .l_type = F_WRLCK };
	cleanup_fd int fd = -1;
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

static struct err *write_header(struct journal *j, const char *vm)
{
	struct proc_id self;
	TRY(proc_id_of(getpid(), &self));
	cleanup_free char *id = proc_id_format(self), *boot = root_read_or(j->root, "/proc/sys/kernel/random/boot_id", "");
	cleanup_free char *line = record_line(json_pack("{s:i, s:s, s:s, s:s}", "qlaunch", JOURNAL_VERSION, "vm", vm, "boot", boot, "launcher", id));
	return root_append(j->root, j->path, line);
}

struct err *journal_create(struct root *root, const char *base, const char *vm, struct journal **ret_journal)
{
	cleanup_journal struct journal *j = journal_new(root, base, vm);
	TRY(root_mkdirs(root, j->dir, 0755));
	TRY(own_directory(root, j->dir));
	TRY(take_lock(j));
	if (root_exists(root, j->path))
		return err_coded(EEXIST, "%s: a launcher died and left it", j->path);
	TRY(write_header(j, vm));
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
	const char *boot, *launcher;
	int version = 0;
	if (json_unpack(header, "{s:i}", "qlaunch", &version) < 0)
		return err_new("its first line is not a journal's");
	if (version != JOURNAL_VERSION)
		return err_hint(err_new("it is of version %d, this qlaunch writes %d", version, JOURNAL_VERSION), "use the qlaunch that wrote it");
	if (json_unpack(header, "{s:s, s:s}", "boot", &boot, "launcher", &launcher) < 0)
		return err_new("its first line is not a journal's");
	TRY(proc_id_parse(launcher, &info->launcher));
	cleanup_free char *now = root_read_or(root, "/proc/sys/kernel/random/boot_id", "");
	info->other_boot = !streq(boot, now);
	return NULL;
}

/* A launcher that is killed while it writes the header has not begun anything. */
static struct err *parse(struct step_env *env, const char *text, struct steps *steps, struct journal_info *info)
{
	bool first = true;
	info->torn = !*text;
	for (const char *line = text; *line; first = false) {
		size_t len = strcspn(line, "\n");
		json_t *object = record_parse(line, len);
		struct err *e = NULL;
		if (!object && !line[len])
			info->torn = true;
		else if (first)
			e = object ? read_header(env->root, object, info) : err_new("its first line is damaged");
		else if (!object || !record_to_step(env, object, steps))
			info->damaged++;
		json_decref(object);
		TRY(e);
		line += len + (line[len] == '\n');
	}
	return NULL;
}

/* root_read takes the last newline off, which is what tells a torn line: so a line is torn exactly if its checksum does not fit. */
static struct err *load(struct step_env *env, const struct journal *j, const char *vm, struct steps *ret_steps, struct journal_info *ret_info)
{
	cleanup_free char *text = NULL;
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = { .vm = str_dup(vm), .dir = str_dup(j->dir) };
	TRY(root_read(env->root, j->path, &text));
	TRY(err_wrap(parse(env, text, &steps, &info), "%s", j->path));
	info.alive = j->lock < 0 && lock_held(env->root, j->lock_path);
	*ret_steps = steps;
	*ret_info = info;
	steps = (struct steps){};
	info = (struct journal_info){};
	return NULL;
}

struct err *journal_open(struct step_env *env, const char *base, const char *vm, struct journal **ret_journal, struct steps *ret_steps,
			 struct journal_info *ret_info)
{
	cleanup_journal struct journal *j = journal_new(env->root, base, vm);
	TRY(own_directory(env->root, j->dir));
	TRY(take_lock(j));
	TRY(load(env, j, vm, ret_steps, ret_info));
	*ret_journal = steal(j);
	return NULL;
}

struct err *journal_read(struct step_env *env, const char *base, const char *vm, struct steps *ret_steps, struct journal_info *ret_info)
{
	cleanup_journal struct journal *j = journal_new(env->root, base, vm);
	return load(env, j, vm, ret_steps, ret_info);
}

struct err *journal_list(struct root *root, const char *base, struct strv *ret_vms)
{
	cleanup_strv struct strv names = {};
	struct strv vms = {};
	if (root_exists(root, base))
		TRY(root_list(root, base, &names));
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
	if (root_exists(root, base))
		TRY(root_list(root, base, &names));
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

/* The journal goes first, the lock last: until then nobody else can begin. Other files in the directory are of this run too. */
struct err *journal_remove(struct journal *j)
{
	cleanup_strv struct strv names = {};
	TRY(root_list(j->root, j->dir, &names));
	if (strv_has(&names, "journal"))
		TRY(root_unlink(j->root, j->path));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", j->dir, names.v[i]);
		if (!streq(names.v[i], "journal") && !streq(names.v[i], "lock"))
			TRY(root_unlink(j->root, path));
	}
	TRY(root_unlink(j->root, j->lock_path));
	return root_rmdir(j->root, j->dir);
}
