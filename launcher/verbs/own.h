/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own: a machine as its user's files, for the commands that list, change, copy and remove them: its configuration, and its folder with the
 * UEFI variables, the TPM's state and what its last runs said. Nothing in them is root's affair: a root that acts for a user becomes that
 * user for good, before anything is looked at. So these commands never change the host.
 */
#pragma once
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/config/config.h"

struct own {
	struct user user;
	char *path;            /* of the configuration: absolute, without links */
	char *link;            /* the link to it by which it was found, absolute; NULL: none, or in a folder of others */
	char *text;            /* of it */
	struct config *config; /* NULL where only the file was asked for */
	char *home;            /* ~/.local/share/qlaunch/VM; it need not be there. NULL without config */
};

/* Becomes the user: the caller of sudo or pkexec, for root by itself the owner of the file that `word` means (NULL: itself). */
struct err *own_become(struct cli *cli, const char *word, struct user *ret_user);
/* The machine that `word` means, a path or a name. `broken`: its text may have mistakes, and only the file is read. EXIT_CONFIG. */
struct err *own_open(struct cli *cli, const char *word, bool broken, struct own *ret_own);
void own_free(struct own *o);
#define cleanup_own cleanup(own_free)

/* ~/.config/qlaunch of the user that this process is; NULL without HOME. Owned by the caller. */
char *own_folder(void);

/* The paths of all configurations: of that folder, then of /etc/qlaunch. A folder that cannot be read is warned of. */
void own_all(struct cli *cli, struct strv *ret_paths);

/* "running", "left behind" (by a launcher that died) or "off"; *ret_by_root: it runs as root's. May be NULL. Marked for translation. */
const char *own_state(struct cli *cli, const char *vm, bool *ret_by_root);
/* An error of usage unless it is off; `what` is not done meanwhile: "renamed". */
struct err *own_idle(struct cli *cli, const char *vm, const char *what);
/* Whether files can be made and removed in the configuration's folder; EXIT_HOST says what to do instead. */
struct err *own_writable(const struct own *o);
/* That no machine `name` has a configuration in that folder, or a folder of its own. EXIT_USAGE. */
struct err *own_free_name(struct cli *cli, const struct own *o, const char *name, char **ret_path, char **ret_home);

/* For a machine whose file is `path`: the link beside that by which this one was found; NULL: this one has none. Owned by the caller. */
char *own_link_beside(const struct own *o, const char *path);
/* Where a file of its folder is once that is `home`; NULL: it does not lie there. Owned by the caller. */
char *own_moved(const struct own *o, const char *path, const char *home);

/* Asks for `word` to be typed; true with --yes. Without a terminal an error of usage: nobody is there to say yes to `what`. */
struct err *own_confirm(const struct verb_args *args, const char *word, const char *what);

/* The unit of the user's own systemd that starts it at login; NULL where its file has no such unit. Owned by the caller. */
char *own_unit(const struct own *o);
/* Whether that is enabled: by the link that systemd makes (systemd.unit(5)). */
bool own_autostarts(struct cli *cli, const struct own *o);
/* The desktop's entry that `qlaunch desktop` has made for this very file; NULL: there is none. Owned by the caller. */
char *own_entry(struct cli *cli, const struct own *o);
