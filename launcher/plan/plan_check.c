/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan_check: everything that makes a start refuse before it changes the host, as findings: `check` prints them, `plan` says them, and
 * `run` goes on only where none is FINDING_BAD. A refusal has one function, at the thing that it is about:
 *
 *  - of a part of the machine: X_findings(out, …) beside its facts, called here;
 *  - of a kind of step: its `check` (step.h), asked for every step of the plan;
 *  - of the user's own files: X_look beside X_prepare, asked with the rights of the user.
 *
 * Nothing of it changes anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/base/trust.h"
#include "launcher/config/source.h"
#include "launcher/guest/args_audio.h"
#include "launcher/guest/args_display.h"
#include "launcher/guest/args_pci.h"
#include "launcher/guest/args_net.h"
#include "launcher/guest/args_usb.h"
#include "launcher/guest/slots.h"
#include "launcher/host/kind/vfio.h"
#include "launcher/host/screen/monitor.h"
#include "launcher/host/tuning/tuning.h"
#include "launcher/plan/claims.h"
#include "launcher/plan/plan.h"
#include "launcher/step/journal.h"
#include "ovmf/tpm.h"
#include "ovmf/vars.h"

/* A disk controller takes its disks along, and so does a USB device. */
static void check_controllers(struct cli *cli, struct plan *p)
{
	for (size_t i = 0; i < p->pci.n_picks; i++) {
		for (size_t k = 0; k < p->pci.picks[i].n; k++) {
			const struct pci_function *fn = &p->pci.picks[i].v[k];
			for (size_t b = 0; b < fn->blocks.n; b++)
				disk_findings_behind(&p->findings, cli->root, fn->blocks.v[b], pci_addr_text(fn->addr).s);
		}
	}
	for (size_t i = 0; i < p->usb.n; i++) {
		const struct usb_device *d = &p->usb.v[i];
		for (size_t b = 0; usb_meant(p->config, d) && b < d->blocks.n; b++)
			disk_findings_behind(&p->findings, cli->root, d->blocks.v[b], d->sys);
	}
}

static struct err *may_use_kvm(void *data)
{
	(void)data;
	return faccessat(AT_FDCWD, "/dev/kvm", R_OK | W_OK, AT_EACCESS) == 0 ? NULL : err_errno(errno, "/dev/kvm");
}

/* QEMU opens it as the user. */
static void check_kvm_node(struct cli *cli, struct plan *p)
{
	if (p->accel != ACCEL_KVM || p->cpu_facts.kvm_problem || !root_is_host(cli->root))
		return;
	struct err *e = user_visit(&p->user, may_use_kvm, NULL);
	if (e)
		findings_add(&p->findings, FINDING_BAD, "kvm", tr_fmt("%s may not use KVM: %s", p->user.name, err_text(e)),
			     tr_fmt("usermod -aG kvm %s, then log in again", p->user.name));
	err_free(e);
}

/* ---- what is asked with the rights of the user ---- */

struct asking {
	struct cli *cli;
	struct plan *p;
};

/* As when the hook is run: a program that the user may run. */
static void check_hook(struct plan *p, const char *name, const char *path)
{
	struct stat st;
	int code = !path ? 0 : stat(path, &st) < 0 ? errno : !S_ISREG(st.st_mode) ? EACCES : 0;
	if (path && !code && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		code = errno;
	if (!code)
		return;
	findings_add(&p->findings, streq(name, "before") && p->config->hooks.failure == HOOK_ABORT ? FINDING_BAD : FINDING_WARN, "hook",
		     str_fmt("%s: %s: %s", name, path, strerror(code)),
		     code == ENOENT ? tr_dup("name one that is there, or take the line out")
				    : tr_fmt("chmod +x '%s', or name another one", path));
}

/* What viewers by a port need: QEMU reads it itself, and ends without it. */
static void check_viewers(struct plan *p)
{
	static const char *const certificates[] = { "server-cert.pem", "server-key.pem", "ca-cert.pem" };
	const struct config *c = p->config;
	struct stat st;
	if (c->display.password && stat(c->display.password, &st) < 0)
		findings_add(&p->findings, FINDING_BAD, "display", str_fmt("%s: %s", c->display.password, strerror(errno)),
			     tr_dup("write the password of viewers into it, in one line, and chmod 600"));
	else if (c->display.password && (!S_ISREG(st.st_mode) || st.st_mode & (S_IRWXG | S_IRWXO)))
		findings_add(&p->findings, FINDING_BAD, "display",
			     tr_fmt("%s: others may read the password of viewers", c->display.password),
			     str_fmt("chmod 600 '%s'", c->display.password));
	for (size_t i = 0; c->display.tls && i < ARRAY_SIZE(certificates); i++) {
		cleanup_free char *path = str_fmt("%s/%s", c->display.tls, certificates[i]);
		if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
			continue;
		findings_add(&p->findings, FINDING_BAD, "display", str_fmt("%s: %s", path, strerror(errno)),
			     tr_dup("display.tls is a folder with server-cert.pem, server-key.pem and ca-cert.pem"));
		break;
	}
}

/* The port that viewers come to, as QEMU opens it: asked by binding it, without listening. */
static void check_port(struct plan *p)
{
	const struct config *c = p->config;
	const struct addrinfo wanted = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *at = NULL;
	const int on = 1;
	const char *address = c->display.listen ? c->display.listen : "127.0.0.1";
	cleanup_free char *port = str_fmt("%u", c->display.port);
	if (!c->display.port || getaddrinfo(address, port, &wanted, &at) != 0)
		return;
	cleanup_fd int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, at->ai_addr, at->ai_addrlen) == 0;
	if (!bound)
		findings_add(&p->findings, FINDING_BAD, "display", str_fmt("%s:%s: %s", address, port, strerror(errno)),
			     tr_dup("`ss -lntp` shows what listens; choose another port or listen in [display]"));
	freeaddrinfo(at);
}

/* What QEMU opens by itself, and ends without. */
static void check_read(struct plan *p, const char *key, const char *path)
{
	struct stat st;
	int code = !path ? 0 : stat(path, &st) < 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 ? errno : 0;
	if (!path || (!code && S_ISREG(st.st_mode) && st.st_size > 0))
		return;
	findings_add(&p->findings, FINDING_BAD, "file",
		     code ? str_fmt("%s: %s: %s", key, path, strerror(code))
			  : tr_fmt("%s: %s is no file that has something in it", key, path),
		     code == EACCES ? tr_fmt("QEMU reads it as %s: name a copy that is theirs", p->user.name)
				    : tr_dup("name one that is there, or take the line out"));
}

static void check_files(struct plan *p)
{
	const struct config *c = p->config;
	check_read(p, "boot.kernel", c->boot.kernel);
	check_read(p, "boot.initrd", c->boot.initrd);
	check_read(p, "firmware.code", c->firmware.code);
	for (size_t i = 0; i < c->n_pci; i++) {
		const char *rom = c->pci[i].rom;
		cleanup_free char *key = str_fmt("[pci %s] rom", c->pci[i].name);
		if (rom && *rom == '/') /* off and host are words */
			check_read(p, key, rom);
	}
}

static bool is_a_disk(const struct plan *p, const struct stat *st)
{
	bool any = S_ISBLK(st->st_mode);
	for (size_t i = 0; i < p->disks.n && S_ISREG(st->st_mode); i++) {
		struct stat disk;
		any |= stat(p->disks.v[i].conf->path, &disk) == 0 && disk.st_ino == st->st_ino && disk.st_dev == st->st_dev;
	}
	return any;
}

/* A file that QEMU makes, or empties; a terminal is written to as it is. A pipe waits for a reader, and holds the start. */
static void check_serial(struct plan *p, const char *path)
{
	struct stat st;
	cleanup_free char *folder = str_ndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	bool there = stat(path, &st) == 0;
	int code = faccessat(AT_FDCWD, there ? path : folder, there ? W_OK : W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
	if (there && is_a_disk(p, &st))
		findings_add(&p->findings, FINDING_BAD, "file", tr_fmt("console.serial: %s is a disk, which would be written over", path),
			     tr_dup("name a new file, or pty"));
	else if (there && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		findings_add(&p->findings, FINDING_BAD, "file", tr_fmt("console.serial: %s is neither a file nor a terminal", path),
			     tr_dup("name a new file, or pty"));
	else if (code)
		findings_add(&p->findings, FINDING_BAD, "file", str_fmt("console.serial: %s: %s", path, strerror(code)),
			     code == ENOENT ? str_fmt("mkdir -p '%s'", folder) : tr_dup("name a new file, or pty"));
}

/* QEMU connects to it at its start. That one listens there is not asked: it would be answered in the guest's place. */
static void check_agent(struct plan *p, const char *path)
{
	struct stat st;
	int code = stat(path, &st) < 0 || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? errno : 0;
	if (code || !S_ISSOCK(st.st_mode))
		findings_add(&p->findings, FINDING_BAD, "file", str_fmt("console.agent: %s: %s", path, strerror(code ? code : ENOTSOCK)),
			     tr_dup("the program that listens there comes first; agent = yes needs none"));
}

static void check_console(struct plan *p)
{
	const struct config *c = p->config;
	if (c->console.serial && *c->console.serial == '/')
		check_serial(p, c->console.serial);
	if (c->console.agent && *c->console.agent == '/')
		check_agent(p, c->console.agent);
}

static struct err *ask_as_user(void *data)
{
	const struct asking *a = data;
	struct plan *p = a->p;
	check_hook(p, "before", p->config->hooks.before);
	check_hook(p, "ready", p->config->hooks.ready);
	check_hook(p, "after", p->config->hooks.after);
	check_viewers(p);
	check_port(p);
	check_files(p);
	check_console(p);
	if (p->vars_path && p->firmware.template)
		findings_add_err(&p->findings, "firmware", vars_look(a->cli->root, p->config, p->user.data_dir, &p->firmware));
	if (p->tpm_dir)
		findings_add_err(&p->findings, "tpm", tpm_look(a->cli->root, p->config, p->user.data_dir));
	return NULL;
}

/* Of a machine that runs, all that is its own is in use: that is no reason by itself. */
static bool runs(struct cli *cli, const char *base, struct plan *p)
{
	const char *vm = p->config->vm.name;
	if (!root_is_host(cli->root) || !journal_alive(cli->root, base, vm))
		return false;
	findings_add(&p->findings, FINDING_BAD, "running", tr_fmt("%s runs already", vm),
		     tr_fmt("qlaunch status %s; qlaunch stop %s", vm, vm));
	return true;
}

/*
 * Whether root alone could have written the configuration. A path that is trusted now may have led to the user's own file when that was
 * read. *ret_why: who else could; NULL where that is not known.
 */
static bool roots_own_file(struct cli *cli, const struct plan *p, struct err **ret_why)
{
	const struct config *c = p->config;
	struct stat st = {};
	cleanup_free char *real = realpath(c->path, NULL);
	struct err *e = real ? trust_path(cli->root, real, 0) : NULL;
	e = e || !real ? e : root_stat(cli->root, real, &st);
	*ret_why = e;
	return real && !e && st.st_ino == c->ino && st.st_dev == c->dev;
}

/* Any file system may be on the disk: a user's file, or a --set of theirs, is about what their own desktop has mounted. */
static void check_unmount(struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	bool any = false, by_hand = false;
	for (size_t i = 0; i < c->n_disks; i++) {
		cleanup_free char *section = str_fmt("disk %s", c->disks[i].name);
		any |= c->disks[i].unmount;
		by_hand |= source_at(c->source, section, "unmount").set || source_at(c->source, section, "path").set;
	}
	if (!any)
		return;
	cleanup_err struct err *e = NULL;
	bool of_user = p->user.uid != 0 && root_is_host(cli->root), own = !of_user || (roots_own_file(cli, p, &e) && !by_hand);
	disk_unmount_findings(&p->findings, &p->disks, of_user ? p->user.name : NULL, own);
}

/*
 * Any service may be named, the firewall too: what a user writes does not stop them by root's hand. On the command line a --set is the
 * user's, whose file it may be.
 */
static void check_stop(struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	cleanup_err struct err *e = NULL;
	if (!c->host.stop.n || p->user.uid == 0 || !root_is_host(cli->root))
		return;
	if (source_at(c->source, "host", "stop").set || !roots_own_file(cli, p, &e))
		findings_add(&p->findings, FINDING_BAD, "stop",
			     tr_fmt("[host] stop: on behalf of a user only a file that root alone can write stops services%s%s",
				    e ? ": " : "", err_text(e)),
			     tr_dup("put it into /etc/qlaunch, as root's own"));
}

/* What QEMU is may be the user's to say, and what the kernel spares grows at the cost of all others. */
static void check_oom_score(struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	cleanup_err struct err *e = NULL;
	if (c->host.oom_score >= 0 || !root_is_host(cli->root))
		return;
	if (geteuid() != 0 || (p->user.uid != 0 && (source_at(c->source, "host", "oom-score").set || !roots_own_file(cli, p, &e))))
		findings_add(&p->findings, FINDING_BAD, "oom",
			     tr_dup("[host] oom-score: below 0 is for root, on behalf of a user only by a file that root alone can write"),
			     tr_dup("put it into /etc/qlaunch, as root's own; or 0 and more"));
}

/* CPUs of theirs would go. */
static void check_smt(struct plan *p)
{
	if (p->config->host.smt && p->cgroup.n_others && streq(p->power.smt, "on"))
		findings_add(&p->findings, FINDING_BAD, "smt",
			     tr_fmt("[host] smt: the machine \"%s\" runs, and would lose CPUs", p->cgroup.others[0].vm),
			     tr_fmt("qlaunch stop %s; or take smt out of [host]", p->cgroup.others[0].vm));
}

void plan_check(struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	cleanup_free char *base = journal_base();
	struct asking asking = { cli, p };
	if (runs(cli, base, p))
		return;
	claims_check(&cli->env, base, p);
	if (p->user.uid == 0)
		findings_add(&p->findings, FINDING_WARN, "user", tr_dup("QEMU runs as root, if without its capabilities"),
			     tr_dup("start it by sudo from your own account, or set vm.user"));
	check_kvm_node(cli, p);
	cpu_check(&p->findings, c, &p->cpu_facts);
	cpu_plan_check(&p->findings, &p->cpu);
	dmi_findings(&p->findings, c, &p->dmi);
	qemu_findings(&p->findings, &p->qemu_facts);
	console_findings(&p->findings, c, &p->console);
	display_findings(&p->findings, c, &p->desktop, &p->qemu_facts);
	audio_findings(&p->findings, c, &p->desktop, &p->qemu_facts);
	slot_findings(&p->findings, c, pci_ports(&p->pci) + (unsigned)p->mdevs.n);
	guest_usb_findings(&p->findings, c, &p->qemu_facts);
	guest_net_findings(&p->findings, c, &p->qemu_facts);
	pci_findings(&p->findings, c, &p->pci, cli->root);
	mdev_findings(&p->findings, &p->mdevs);
	if (c->n_pci || c->n_mdevs)
		vfio_findings(&p->findings, c, cli->root, qemu_has(&p->qemu_facts, "device:vfio-pci.fd"));
	if (p->pages_why)
		findings_add(&p->findings, FINDING_OK, "hugepages", str_dup(p->pages_why), NULL);
	memory_check(&p->findings, c, &p->memory, &p->cpu.guest);
	power_check(&p->findings, c, &p->power);
	power_profile_findings(&p->findings, c, cli->root);
	check_smt(p);
	check_oom_score(cli, p);
	tuning_findings(&p->findings, c, cli->root);
	check_stop(cli, p);
	share_findings(&p->findings, c, &p->shares);
	net_findings(&p->findings, &p->net, cli->root);
	disk_findings(&p->findings, c, &p->disks, cli->root);
	check_unmount(cli, p);
	check_controllers(cli, p);
	input_findings(&p->findings, c, &p->inputs);
	usb_findings(&p->findings, c, &p->usb);
	monitor_findings(&p->findings, c, cli->root);
	cgroup_check(&p->findings, c, &p->cgroup, &p->cpu.all, &p->cpu.host);
	if (root_is_host(cli->root))
		findings_add_err(&p->findings, "user", user_visit(&p->user, ask_as_user, &asking));
	steps_check(&cli->env, &p->steps, &p->findings);
	if (geteuid() != 0 && plan_needs_root(p)) /* `run` says so itself, as the last thing: it is no obstacle to a launch by sudo */
		findings_add(&p->findings, FINDING_WARN, "root", tr_dup("its steps need root, which a launch by sudo or pkexec has"),
			     tr_fmt("sudo qlaunch %s", c->path));
}
