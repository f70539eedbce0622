/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run: one launch, from a plan to a host that is as before. In this order, and no other:
 *
 *  1. The signals that end us are blocked; from here on they are looked at between steps and, later, by the event loop.
 *  2. The journal is created: its lock makes this VM ours. What a dead launcher left of it is undone first.
 *  3. The user's own files (UEFI variables, TPM state) are copied and checked, as the user.
 *  4. The disks are claimed and the networks made, for QEMU inherits the descriptors of both. Then QEMU is forked and held back: it has a
 *     pid, the user's identity and no capabilities, but has not begun.
 *  5. The steps of the host are applied, one by one, each journaled before it acts.
 *  6. The IOMMU groups are looked at once more; then swtpm and QEMU are let go, QEMU paused (-S).
 *  7. Every thread of QEMU is pinned and the pinning read back; only then does the guest run its first instruction (cont).
 *  8. supervise() sleeps until QEMU ends.
 *  9. Everything is undone, last to first, whatever happened above; the journal goes when nothing is left.
 *
 * An error of 3 to 8 does not skip 9. Nothing here writes to the host itself: the engine does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/guest/args_machine.h"
#include "launcher/host/kind/caps.h"
#include "launcher/host/kind/vfio.h"
#include "launcher/plan/claims.h"
#include "launcher/tools/history.h"
#include "launcher/live/disks.h"
#include "launcher/live/hooks.h"
#include "launcher/live/inputs.h"
#include "launcher/live/machine.h"
#include "launcher/live/nets.h"
#include "launcher/live/restore.h"
#include "launcher/live/nospace.h"
#include "launcher/live/run.h"
#include "launcher/live/shares.h"
#include "launcher/live/usb_plug.h"

/* Before it greets, QEMU takes and clears its huge pages, or pins its memory for a device: 2.5 s a GiB were seen on a slow host. */
#define GREETING_LIMIT_MS 30000
#define MACHINE_LIMIT_MS 30000 /* until it is made, its memory taken */
#define MACHINE_LIMIT_MS_PER_GIB 5000
#define QEMU_END_LIMIT_MS 2000 /* from a closed monitor to the end of the process */
#define CONT_LIMIT_MS 30000
#define QEMU_WORDS 20 /* lines of its own that the log of a run keeps */
#define USER_FILES_LIMIT_MS 30000

/* Whether somebody wants us to end; asked by the engine between steps. */
static bool wants_end(void *data)
{
	const struct machine *m = data;
	struct pollfd p = { .fd = m->stop_fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

static struct err *take_journal(struct machine *m)
{
	cleanup_free char *base = journal_base();
	struct err *e = journal_create(m->cli->root, base, m->name, m->plan->user.uid, m->plan->config->path, &m->journal);
	if (err_code(e) == EEXIST) {
		err_free(e);
		log_warn("%s: the last launcher died; undoing what it left", m->name);
		TRY(restore_vm(&m->cli->env, base, m->name, false, NULL));
		e = journal_create(m->cli->root, base, m->name, m->plan->user.uid, m->plan->config->path, &m->journal);
	}
	if (err_code(e) == EBUSY)
		return err_exit(err_hint(err_wrap(e, "%s runs already", m->name), "qlaunch status %s; qlaunch stop %s", m->name, m->name),
				EXIT_HOST);
	return err_exit(e ? e : claims_take(m->cli->root, base, m->journal, m->plan), EXIT_HOST);
}

/* A socket pair whose first end is ours (closed on exec); the second goes to a child. */
static struct err *socket_pair(int *ret_ours, int *ret_theirs)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(errno, "socketpair");
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return NULL;
}

/* A socket beside the journal, for other commands (console, disk, top), given to QEMU as a descriptor. */
static struct err *listen_beside(struct machine *m, const char *name, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_free char *path = str_fmt("%s/%s", journal_dir(m->journal), name);
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_errno(ENAMETOOLONG, "%s", path);
	memcpy(addr.sun_path, path, strlen(path));
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || fchmod(fd, 0600) < 0 /* whatever our umask is */ || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, 4) < 0)
		return err_errno(errno, "%s", path);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

static struct err *seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0 ? err_errno(errno, "memfd") : NULL;
}

/* A file in memory that nobody can change. */
static struct err *sealed(const char *name, const void *bytes, size_t len, int *ret_fd)
{
	cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		return err_errno(errno, "memfd");
	TRY(seal(fd));
	*ret_fd = fd_steal(&fd);
	return NULL;
}

/* Of a card's own, a file that its step fills, and which is sealed after it. */
static struct err *open_roms(struct machine *m)
{
	const struct plan *p = m->plan;
	for (size_t i = 0; i < p->pci.n_picks; i++) {
		const struct pci_rom *r = p->pci.picks[i].rom;
		int *fd = &m->qemu.fds[m->qemu.n_fds];
		if (!r)
			continue;
		if (r->on_card && (*fd = memfd_create("rom", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0)
			return err_errno(errno, "memfd");
		if (!r->on_card)
			TRY(sealed("rom", r->bytes, r->len, fd));
		m->qemu.n_fds++;
		for (size_t k = 0; k < p->steps.n; k++)
			if (p->steps.v[k].kind == &pci_rom_kind &&
			    streq(p->steps.v[k].target, pci_addr_text(p->pci.picks[i].v[p->pci.picks[i].named].addr).s))
				p->steps.v[k].data = fd;
	}
	return NULL;
}

static struct err *seal_roms(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].kind == &pci_rom_kind)
			TRY(seal(*(const int *)steps->v[i].data));
	return NULL;
}

/* Descriptors for the children, in the order that the plan's arguments count on: PLAN_FD_QMP, PLAN_FD_MONITOR, PLAN_FD_MORE. */
static struct err *open_channels(struct machine *m, int *ret_qmp)
{
	TRY(socket_pair(ret_qmp, &m->qemu.fds[m->qemu.n_fds]));
	m->qemu.n_fds++;
	TRY(listen_beside(m, "monitor", &m->qemu.fds[m->qemu.n_fds]));
	m->qemu.n_fds++;
	if (m->plan->tpm_dir) {
		TRY(socket_pair(&m->swtpm.fds[0], &m->qemu.fds[m->qemu.n_fds]));
		m->swtpm.n_fds = 1;
		m->qemu.n_fds++;
	}
	if (guest_agent_listens(m->plan->config)) {
		TRY(listen_beside(m, "agent", &m->qemu.fds[m->qemu.n_fds]));
		m->qemu.n_fds++;
	}
	for (size_t i = 0; i < m->plan->dmi.n_tables; i++, m->qemu.n_fds++)
		TRY(sealed("acpi", m->plan->dmi.tables[i].bytes, m->plan->dmi.tables[i].len, &m->qemu.fds[m->qemu.n_fds]));
	return open_roms(m);
}

/* Bound only now, when QEMU is held: their descriptors go with the word that lets it go. */
static struct err *open_devices(struct machine *m)
{
	struct process *q = &m->qemu;
	const struct plan *p = m->plan;
	if (!p->iommufd)
		return NULL;
	if (1 + pci_count(&p->pci) + p->mdevs.n > PROCESS_LATE_FDS_MAX)
		return err_hint(err_new("more devices than iommufd is asked to hand over here (%d)", PROCESS_LATE_FDS_MAX - 1),
				"vfio = group in [host]");
	TRY(vfio_open_iommu(m->cli->root, &q->late_fds[q->n_late_fds]));
	q->n_late_fds++;
	TRY(pci_open(m->cli->root, &p->pci, q->late_fds, &q->n_late_fds));
	return mdev_open(m->cli->root, &p->mdevs, q->late_fds, &q->n_late_fds);
}

static void close_given(struct process *p)
{
	for (size_t i = 0; i < p->n_fds; i++)
		fd_closep(&p->fds[i]);
	p->n_fds = 0;
}

/* What QEMU does before it greets, by what its memory is (proc(5)): huge pages are all taken, and pinned for a passed-through device. */
static void say_memory(void *data)
{
	const struct machine *m = data;
	const struct config *c = m->plan->config;
	bool huge = c->memory.hugepages == HUGEPAGES_1G || c->memory.hugepages == HUGEPAGES_2M;
	const char *key = huge ? "HugetlbPages:" : "VmLck:";
	cleanup_free char *path = str_fmt("/proc/%d/status", (int)m->qemu.id.pid), *text = root_read_or(m->cli->root, path, "");
	cleanup_free char *size = size_format(c->memory.size);
	const char *at = strstr(text, key);
	unsigned long long kib = 0;
	if ((!huge && !c->n_pci && !c->n_mdevs) || !at || sscanf(at + strlen(key), " %llu kB", &kib) != 1 || !kib)
		return;
	cleanup_free char *what = tr_fmt(huge ? N_("QEMU takes %s of huge pages") : N_("QEMU pins %s for its devices"), size);
	progress_update((uint64_t)kib << 10, c->memory.size, what);
}

/* Why QEMU went is told better by its own last words, or by the signal that ended it, than by a closed socket. */
static struct err *last_words(struct machine *m, struct err *e)
{
	if (!e || !m->qmp || !qmp_closed(m->qmp))
		return e;
	bool ended = process_await(&m->qemu, QEMU_END_LIMIT_MS, -1);
	process_listen(&m->qemu);
	cleanup_free char *words = process_last_words(&m->qemu, 5);
	if (!*words && !ended)
		return err_wrap(e, "QEMU");
	err_free(e);
	if (!*words) {
		cleanup_free char *status = process_status_text(m->qemu.status);
		return err_new("QEMU ended without a word: %s", status);
	}
	return err_new("QEMU: %s", words);
}

static bool mentions(const struct strv *argv, const char *word)
{
	for (size_t i = 0; i < argv->n; i++)
		if (strstr(argv->v[i], word))
			return true;
	return false;
}

/* Which ports of this host are the guest's. */
static void say_ports(const struct machine *m)
{
	const struct config *c = m->plan->config;
	for (size_t i = 0; i < c->n_networks; i++)
		for (size_t k = 0; k < c->networks[i].forward.n; k++) {
			struct conf_forward f;
			if (conf_forward_parse(c->networks[i].forward.v[k], &f))
				log_info("%s: %s:%u is the guest's port %u (%s)", m->name, f.address, f.host, f.guest, f.protocol);
		}
}

static struct err *start_guest(struct machine *m)
{
	const struct cpu_plan *cpu = &m->plan->cpu;
	const struct config *c = m->plan->config;
	struct phases *phases = &m->cli->phases;
	struct vcpus_want want = {
		.cpus = cpu->vcpus, .n_cpus = cpu->n_vcpus, .emulator = cpu->emulator, .iothreads = cpu->iothread, .fifo = c->cpu.fifo,
		.limit_ms = MACHINE_LIMIT_MS + (int)(c->memory.size >> 30) * MACHINE_LIMIT_MS_PER_GIB,
		.no_iothreads = !mentions(&m->plan->qemu_argv, "iothread"),
		.unbalanced = c->cpu.isolate == ISOLATE_PARTITION && c->cpu.partition == PARTITION_ISOLATED,
	};
	progress_update(0, 0, _("waiting for QEMU"));
	progress_watch(say_memory, m);
	/* asked as soon as it speaks: while it makes its machine it reads commands, a byte at a time, but answers none */
	struct err *e = err_wrap(qmp_greet(m->qmp, GREETING_LIMIT_MS), "QEMU");
	phase_end(phases, "greeting");
	if (!e)
		e = err_wrap(vcpus_ask(m->cli->root, m->qmp, m->qemu.id.pid, &want, &m->vcpus), "pinning");
	progress_watch(NULL, NULL);
	TRY(e);
	progress_end();           /* the terminal may be the guest's console from here on */
	inputs_opened(m->inputs); /* it has opened its devices: it answers */
	phase_end(phases, "machine");
	TRY(err_wrap(vcpus_place(m->vcpus, &want), "pinning"));
	TRY(machine_console(m));
	phase_end(phases, "pinning");
	TRY(err_wrap(usb_for_boot(m), "USB devices to boot from"));
	TRY(qmp_call(m->qmp, "cont", NULL, CONT_LIMIT_MS, NULL));
	phase_end(phases, "cont");
	m->running_us = clock_us();
	m->run_state = "running";
	/* first: who waits for the word asks for the rest at once. A courtesy: without room for it the guest goes on */
	log_err(LOG_LEVEL_WARN, err_wrap(machine_status(m), "qlaunch status will not know of it"));
	log_info("%s: running after %.1f ms", m->name, (double)(m->running_us - phases->begun_us) / 1000);
	say_ports(m);
	cleanup_free char *text = phases_text(phases);
	log_debug("%s: ms: %s", m->name, text);
	return NULL;
}

static bool has_early(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (!steps->v[i].late)
			return true;
	return false;
}

/* 4 to 8. */
static struct err *launch(struct machine *m)
{
	struct plan *p = m->plan;
	struct phases *phases = &m->cli->phases;
	cleanup_fd int qmp_end = -1;
	m->began = true;
	TRY(hook_run(m, "before", p->config->hooks.before));
	TRY(open_channels(m, &qmp_end));
	cleanup_progress bool shown = progress_begin("%s:", m->name);
	TRY(nets_begin(m));
	TRY(shares_connect(m));
	disks_give(m);
	struct steps rest = { p->steps.v + p->n_early_steps, p->steps.n - p->n_early_steps };
	/* before the host is changed it must have become the user; where there is nothing to change, that may take its time */
	TRY(err_exit(has_early(&rest) ? process_hold(&m->qemu) : process_fork(&m->qemu), EXIT_HOST));
	m->plan->held[0] = m->qemu.id.pid;
	phase_end(phases, "fork");
	TRY(engine_apply(&m->engine, &rest));
	TRY(err_exit(seal_roms(&p->steps), EXIT_HOST));
	TRY(err_exit(pci_groups_check(m->cli->root, &p->pci), EXIT_HOST));
	TRY(err_exit(open_devices(m), EXIT_HOST));
	phase_end(phases, "steps");
	if (p->tpm_dir)
		TRY(engine_apply_one(&m->engine, &p->steps.v[p->swtpm_step]));
	TRY(shares_begin(m));
	TRY(engine_apply_one(&m->engine, &p->steps.v[p->qemu_step]));
	close_given(&m->swtpm);
	close_given(&m->qemu);
	phase_end(phases, "exec");
	m->qmp = qmp_new(fd_steal(&qmp_end));
	qmp_stop_on(m->qmp, m->stop_fd);
	struct err *e = last_words(m, start_guest(m));
	if (err_code(e) == ECANCELED) {
		err_free(e);
		return engine_stopped();
	}
	if (e)
		helpers_tell(&m->share_helpers);
	TRY(err_exit(e, EXIT_GUEST));
	qmp_stop_on(m->qmp, -1);
	fd_closep(&m->stop_fd); /* the signal is still there: from now on it is for the guest */
	return supervise(m);
}

static struct err *user_files(void *data)
{
	struct machine *m = data;
	if (geteuid() == 0)
		TRY(user_become(&m->plan->user));
	return plan_user_files(m->plan);
}

/* As the user: what root would read or write here is named by the user's file. */
static struct err *prepare_user_files(struct machine *m)
{
	if (!m->plan->vars_path && !m->plan->tpm_dir && !m->plan->machine_is_new)
		return NULL;
	return err_exit(child_call(user_files, m, USER_FILES_LIMIT_MS), EXIT_HOST);
}

/* 9. The launch's own error is said here when the way back has one too; the worse status wins. */
static struct err *give_back(struct machine *m, struct err *launch_error)
{
	uint64_t begun = clock_us();
	/* a launch that failed before QEMU was let go: it is in the cgroup that is to be removed */
	process_drop(&m->qemu);
	process_drop(&m->swtpm);
	process_listen(&m->qemu);
	close_given(&m->qemu); /* a disk that is claimed still cannot be mounted again */
	disks_close(m);
	cleanup_free char *words = process_last_words(&m->qemu, QEMU_WORDS);
	history_qemu(words);
	progress_begin("%s:", m->name);
	struct undo_report report = engine_undo(&m->cli->env, &m->plan->steps);
	progress_end();
	if (m->has_terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &m->terminal);
	if (m->running_us) /* what the guest has written into them is copied too: a TPM's first state, above all */
		log_err(LOG_LEVEL_WARN, prepare_user_files(m));
	if (m->began) /* refused before its `before` ran, there is nothing that `after` could put back */
		log_err(LOG_LEVEL_WARN, hook_run(m, "after", m->plan->config->hooks.after));
	log_debug("%s: host given back in %.1f ms", m->name, (double)(clock_us() - begun) / 1000);
	if (m->running_us)
		log_info("%s: ended after %.1f s; %zu of %zu steps undone%s", m->name, (double)(clock_us() - m->running_us) / 1e6,
			 report.undone, report.undone + report.left + report.residue,
			 report.left ? _(", the rest left as somebody changed it") : "");
	struct err *e = restore_finish(m->journal, m->name, &report);
	if (!e)
		return launch_error;
	log_err(LOG_LEVEL_ERROR, launch_error);
	return e;
}

static void machine_close(struct machine *m)
{
	fd_closep(&m->stop_fd);
	close_given(&m->qemu);
	close_given(&m->swtpm);
	process_close(&m->qemu);
	process_close(&m->swtpm);
	process_close(&m->viewer);
	helpers_close(&m->net_helpers);
	helpers_close(&m->share_helpers);
	disks_close(m);
	inputs_free(m->inputs);
	qmp_free(m->qmp);
	vcpus_free(m->vcpus);
	usb_end(m->usb);
	nospace_free(m->nospace);
	if (m->event)
		sd_event_unref(m->event);
	journal_close(m->journal);
	free(m->failure);
	free(m->console);
}

struct err *run_machine(struct cli *cli, struct plan *plan, double *ret_seconds)
{
	struct machine m = {
		.cli = cli, .plan = plan, .name = plan->config->vm.name, .run_state = "prelaunch",
		.qemu = PROCESS_INIT, .swtpm = PROCESS_INIT, .viewer = PROCESS_INIT,
	};
	sigset_t ends = end_signals();
	sigprocmask(SIG_BLOCK, &ends, NULL);
	m.stop_fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGTTOU, SIG_IGN);                                   /* the terminal is put back even if it is no longer ours */
	m.has_terminal = tcgetattr(STDIN_FILENO, &m.terminal) == 0; /* a serial console on stdio makes it raw */
	plan_bind(plan, &m.qemu, &m.swtpm, &m.viewer);
	nets_bind(&m);
	shares_bind(&m);
	disks_bind(&m);
	m.inputs = inputs_new(&m);
	struct err *e = take_journal(&m);
	phase_end(&cli->phases, "journal");
	if (m.journal) {
		history_beside(cli->root, journal_dir(m.journal));
		m.engine = (struct engine){ &cli->env, m.journal, wants_end, &m };
		/* not before: what a dead launcher left may need others to be undone than this plan does */
		if (!e && geteuid() == 0)
			e = caps_drop_to(caps_needed(&plan->steps) | caps_oom_score(plan->config->host.oom_score));
		if (!e)
			e = prepare_user_files(&m);
		phase_end(&cli->phases, "user files");
		if (!e)
			e = launch(&m);
		fd_closep(&m.stop_fd); /* nobody stops the way back */
		e = give_back(&m, e);
	}
	*ret_seconds = m.running_us ? (double)(clock_us() - m.running_us) / 1e6 : 0;
	machine_close(&m);
	return e;
}
