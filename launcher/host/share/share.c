/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share: see share.h. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/share/share.h"

#define TOPIC "share"
#define PLACE "/tmp" /* there on every host; in the child's namespace the folder lies over it */

static bool is_fs(const char *text, char **ret_binary)
{
	json_t *o = json_loads(text, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type")), *binary = json_string_value(json_object_get(o, "binary"));
	bool yes = streq(type, "fs") && binary && *binary == '/';
	if (yes)
		*ret_binary = str_dup(binary);
	json_decref(o);
	return yes;
}

/* A name seen in an earlier folder hides the same one in a later; an empty file hides and is none. */
static char *find_program(struct root *root, const char *home)
{
	cleanup_free char *own = str_fmt("%s/.config/qemu/vhost-user", home);
	const char *const dirs[] = { own, "/etc/qemu/vhost-user", "/usr/share/qemu/vhost-user" };
	static const char *const usual[] = { "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd" };
	cleanup_strv struct strv seen = {};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_strv struct strv names = {};
		err_free(root_list(root, dirs[i], &names));
		for (size_t k = 0; k < names.n; k++) {
			cleanup_free char *path = str_fmt("%s/%s", dirs[i], names.v[k]), *binary = NULL;
			cleanup_free char *text =
				str_ends(names.v[k], ".json") && !strv_has(&seen, names.v[k]) ? root_read_or(root, path, "") : NULL;
			strv_add(&seen, names.v[k]);
			if (text && is_fs(text, &binary) && root_exists(root, binary))
				return steal(binary);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (root_exists(root, usual[i]))
			return str_dup(usual[i]);
	return NULL;
}

const char *share_tag(const struct conf_share *s)
{
	return s->tag ? s->tag : s->name;
}

static void problem(struct share *s, char *text, const char *remedy)
{
	if (s->problem) {
		free(text);
		return;
	}
	s->problem = text;
	s->remedy = tr_dup(remedy);
}

static void check_folder(struct root *root, struct share *s)
{
	struct stat st;
	cleanup_err struct err *e = root_stat(root, s->conf->path, &st);
	if (e)
		problem(s, str_dup(err_text(e)),
			err_code(e) == ENOENT ? N_("make the folder, or name another: path =") : N_("a folder that you may read"));
	else if (!S_ISDIR(st.st_mode))
		problem(s, tr_fmt("%s is no folder", s->conf->path), N_("path = a folder; a single file cannot be shared"));
}

/* What keeps users from namespaces: Debian's own sysctl, the kernel's, and Ubuntu's. */
static void check_namespaces(struct root *root, struct share *s)
{
	static const struct {
		const char *path, *bad, *remedy;
	} sysctls[] = {
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1" },
		{ "/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		cleanup_free char *now = root_read_or(root, sysctls[i].path, "");
		if (streq(now, sysctls[i].bad))
			problem(s, tr_fmt("users may make no namespaces here (%s = %s), and virtiofsd runs in one", sysctls[i].path, now),
				sysctls[i].remedy);
	}
}

/* The older options, which both virtiofsd of QEMU 7 and the later one in Rust take. */
static void make_argv(struct share *s, const char *program)
{
	static const char *const words[] = { "--fd=3", /* PROCESS_FD of process.h */ "-o", "sandbox=chroot", "-o", "cache=auto",
					     "--rlimit-nofile=0", "-o" };
	strv_add(&s->argv, program);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_add(&s->argv, words[i]);
	strv_addf(&s->argv, "source=%s", PLACE);
}

struct err *share_facts_read(struct root *root, const struct config *c, const struct user *user, bool device, struct share_facts *ret_facts)
{
	struct share_facts f = { .n = c->n_shares };
	if (!f.n) {
		*ret_facts = f;
		return NULL;
	}
	f.v = mem_new(f.n * sizeof(*f.v));
	f.program = find_program(root, user->home ? user->home : "");
	for (size_t i = 0; i < f.n; i++) {
		struct share *s = &f.v[i];
		*s = (struct share){ .conf = &c->shares[i], .user = user, .helper = str_fmt("virtiofsd-%s", c->shares[i].name) };
		make_argv(s, f.program ? f.program : "virtiofsd");
		if (i >= SHARES_MAX)
			problem(s, tr_fmt("more than %d shares", SHARES_MAX), N_("share a folder that holds several"));
		check_folder(root, s);
		if (!f.program)
			problem(s, tr_dup("virtiofsd is not installed"),
				N_("apt-get install virtiofsd (Debian 12: qemu-system-common), pacman -S virtiofsd or dnf install virtiofsd"));
		if (!device)
			problem(s, tr_dup("this QEMU has no vhost-user-fs-pci"), N_("a QEMU for x86 with vhost-user: that of the distribution has it"));
		if (user->uid == 0)
			problem(s, tr_dup("the guest's root would be the host's in that folder"),
				"start it by sudo from your own account, or set vm.user");
		check_namespaces(root, s);
	}
	*ret_facts = f;
	return NULL;
}

void share_facts_free(struct share_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].helper);
		strv_free(&f->v[i].argv);
		free(f->v[i].problem);
		free(f->v[i].remedy);
	}
	free(f->v);
	free(f->program);
	*f = (struct share_facts){};
}

void share_findings(struct findings *out, const struct config *c, const struct share_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct share *s = &f->v[i];
		cleanup_free char *section = str_fmt("share %s", s->conf->name), *where = config_where(c, section, "path");
		if (s->problem)
			findings_add(out, FINDING_BAD, TOPIC, str_fmt("%s: %s", where, s->problem), str_dup(s->remedy));
		else
			findings_add(out, FINDING_OK, TOPIC, str_fmt("%s as \"%s\"%s, by %s", s->conf->path, share_tag(s->conf),
								     s->conf->readonly ? ", read-only" : "", f->program), NULL);
	}
}

/* ---- in the child ---- */

static struct err *write_map(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_errno(errno, "%s", path);
	return NULL;
}

/* user_namespaces(7): one id inside, 0, which is the user; without setgroups, as it must be for a gid_map of one's own. */
static struct err *enter_namespaces(uid_t uid, gid_t gid)
{
	cleanup_free char *uids = str_fmt("0 %u 1", uid), *gids = str_fmt("0 %u 1", gid);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return err_hint(err_errno(errno, "a namespace for virtiofsd"), "is kernel.unprivileged_userns_clone or user.max_user_namespaces 0?");
	prctl(PR_SET_DUMPABLE, 1); /* becoming the user has made /proc/self root's; the program that follows is one anybody may read */
	TRY(write_map("/proc/self/setgroups", "deny"));
	TRY(write_map("/proc/self/uid_map", uids));
	return write_map("/proc/self/gid_map", gids);
}

static struct err *place_folder(const char *path, bool readonly)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (readonly ? MOUNT_ATTR_RDONLY : 0) };
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 || mount(path, PLACE, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_errno(errno, "%s", path);
	if (syscall(SYS_mount_setattr, AT_FDCWD, PLACE, AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_errno(errno, "%s, read-only", path);
	return NULL;
}

/*
 * virtiofsd wants to drop the user's groups, and ends where it cannot. In a namespace whose map a user wrote nobody can: it is told that it
 * has, and the groups stay, as the user has them anyway. no_new_privs is set: so a user may do that, too.
 */
static struct err *keep_groups(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return err_errno(errno, "seccomp");
	return NULL;
}

struct err *share_become(void *data)
{
	const struct share *s = data;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (uid == 0) {
		TRY(user_become(s->user));
		uid = s->user->uid;
		gid = s->user->gid;
	}
	TRY(err_wrap(enter_namespaces(uid, gid), "[share %s]", s->conf->name));
	TRY(err_wrap(place_folder(s->conf->path, s->conf->readonly), "[share %s]", s->conf->name));
	return keep_groups();
}
