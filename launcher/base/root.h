/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root: all access to the host's files. Every path is resolved below one directory (openat2, RESOLVE_IN_ROOT), "/" or the one of
 * `--root DIR`, so that every fact can be read from a captured tree and every write tested, counted and made to fail.
 * Paths are absolute ("/sys/…"). Errors begin with the path.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct root;

/*
 * What stands between a write and the kernel; tests put a fake kernel here. `before` may refuse (an errno) or accept (0); `after` reacts.
 * `what` is "write", "append", "create", "mkdir", "rmdir", "unlink", "rename", "chown", "symlink", "mount" or "umount".
 */
struct root_hook {
	int (*before)(void *data, const char *what, const char *path, const char *value);
	void (*after)(void *data, const char *what, const char *path, const char *value);
	void *data;
};

/* `dir` "/" is this host; any other stands for one. Everything below is looked up in it, absolute links too. */
struct err *root_open(const char *dir, struct root **ret_root);
void root_close(struct root *r);
void root_closep(struct root **r);
#define cleanup_root cleanup(root_closep)
void root_set_hook(struct root *r, const struct root_hook *hook); /* borrowed; NULL for none */
/*
 * Who is told of everything that is asked below this root, before it is looked up, whether it is there or not: so a host can be captured
 * (tools/capture) as what reads it reads it. It may ask the root itself, and is told of that, too. NULL: nobody.
 */
enum root_look {
	ROOT_THERE, /* whether and what it is, or where a link leads */
	ROOT_LIST,  /* the names in a directory */
	ROOT_READ,  /* what is in a file */
	ROOT_BELOW, /* all files below a directory: root_look_below() */
};
typedef void root_watcher(void *data, enum root_look how, const char *path);
void root_watch(struct root *r, root_watcher *watcher, void *data);
/* Says that a library reads below `path` by itself, in root_dir(). */
void root_look_below(struct root *r, const char *path);
bool root_is_host(const struct root *r);    /* opened on "/": only then may processes, buses and ioctls be used */
const char *root_dir(const struct root *r); /* as given to root_open */

/* Reading. Text is at most ROOT_TEXT_MAX bytes (a longer file is an error), NUL bytes end it, one trailing newline is taken off. */
#define ROOT_TEXT_MAX (4u << 20)
struct err *root_read(struct root *r, const char *path, char **ret_text);
/* The same without touching a byte, NULs and the last newline included; *ret_len does not count the NUL behind. */
struct err *root_read_bytes(struct root *r, const char *path, char **ret_bytes, size_t *ret_len);
char *root_read_or(struct root *r, const char *path, const char *otherwise); /* any failure gives a copy of `otherwise` (may be NULL) */
bool root_exists(struct root *r, const char *path);
struct err *root_stat(struct root *r, const char *path, struct stat *ret_st); /* follows links */
char *root_link(struct root *r, const char *path);                            /* what a link holds; NULL if none */
char *root_real(struct root *r, const char *path);      /* the path without any link in it, inside the root; NULL if there is none */
char *root_link_name(struct root *r, const char *path); /* last part of what a link points to; NULL if none */
struct err *root_list(struct root *r, const char *path, struct strv *ret_names);    /* sorted, without . and .. */
struct err *root_open_fd(struct root *r, const char *path, int flags, int *ret_fd); /* O_CREAT is refused */

/* Writing. */
/* A kernel attribute: no O_CREAT, no O_TRUNC, exactly one write(2) of value and no newline added. A short write is an error. */
struct err *root_write(struct root *r, const char *path, const char *value);
/* A file of ours: created (mode) or replaced by temporary file, fsync and rename. */
struct err *root_put(struct root *r, const char *path, const char *text, mode_t mode);
/* The same for any bytes, and only where there is no such file yet (EEXIST); on the disk, its name too, when it returns. The hook sees
 * NULL. */
struct err *root_put_new(struct root *r, const char *path, const void *data, size_t len, mode_t mode);
/* Appends to a file of ours in one write and fdatasyncs it; creates it (0600) where it is not. */
struct err *root_append(struct root *r, const char *path, const char *text);
struct err *root_mkdir(struct root *r, const char *path, mode_t mode);  /* an existing directory is an error (EEXIST) */
struct err *root_mkdirs(struct root *r, const char *path, mode_t mode); /* all of the path; existing ones are fine */
struct err *root_rmdir(struct root *r, const char *path);
struct err *root_unlink(struct root *r, const char *path);
struct err *root_symlink(struct root *r, const char *content, const char *path);
/*
 * mount(2) and umount2(2), on the host alone; elsewhere the hook is told, and nothing else happens. No link on the way to `target` is followed:
 * somebody else may own a part of it. `flags` are MS_ words, `data` the file system's own options, "" for none. A busy one is EBUSY.
 */
struct err *root_mount(struct root *r, const char *source, const char *target, const char *type, unsigned long flags, const char *data);
struct err *root_umount(struct root *r, const char *target);
struct err *root_chown(struct root *r, const char *path, uid_t uid, gid_t gid); /* follows links */

/*
 * Folders that are reached by a descriptor from now on, whatever becomes of the names above them. root_hold() walks to `path` without
 * following any link, and asks `judge` about each part on the way by its open descriptor ("/", "/run", …): what was judged is what is used
 * after it. Every later call with a path below it begins there, and follows no link below it either. An error (of the judge, ENOENT,
 * ENOTDIR where a part is a link) leaves all as it was. Held until root_close(), or until a second call finds it removed, and walks
 * again.
 */
struct err *root_hold(struct root *r, const char *path, struct err *(*judge)(const char *part, const struct stat *st, void *data),
		      void *data);
