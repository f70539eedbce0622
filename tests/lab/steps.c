/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steps: the host's steps alone, by the real engine and journal, with a process that only waits in QEMU's place. For
 * the lab's jobs: what takes a guest a minute to boot is seen here in seconds.
 *
 *   steps run GUEST-CPUS HOST-CPUS SECTION.KEY=VALUE...   applies, says "applied", undoes when the process has ended
 *   steps restore VM                                      undoes what a dead one left
 *   steps inhibit SECTION.KEY=VALUE...                    keeps the host awake until it is killed
 *
 * STEPS_BY_HAND in the environment: as if systemd did not run. Exit status as qlaunch's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/irq/irq.h"
#include "launcher/host/memory/memory.h"
#include "launcher/host/power/power.h"
#include "launcher/host/sleep/sleep.h"
#include "launcher/step/engine.h"

static const struct step_kind *const kinds[] = {
	&attr_kind,         &scope_kind,     &cgroup_kind,   &controller_kind, &partition_kind,
	&allowed_cpus_kind, &hugepages_kind, &affinity_kind, &irq_born_kind, &irqbalance_kind, NULL,
};
static struct root *root;
static struct step_env env = { .kinds = kinds };

static int failed(struct err *e)
{
	int status = err_status(e);
	log_err(LOG_LEVEL_ERROR, e);
	return status;
}

#define MUST(expr)                         \
	do {                               \
		struct err *bad = (expr);  \
		if (bad)                   \
			exit(failed(bad)); \
	} while (0)

static struct config *config_of(char **words)
{
	struct strv sets = {};
	struct conf_errors errors = {};
	while (*words)
		strv_add(&sets, *words++);
	struct config *c = config_parse("", "lab.conf", NULL, &sets, &errors);
	for (size_t i = 0; i < errors.lines.n; i++)
		log_error("%s", errors.lines.v[i]);
	if (!c)
		exit(EXIT_CONFIG);
	return c;
}

static void plan(struct steps *steps, const struct config *c, const char *guest_list, const char *host_list, const pid_t *held)
{
	struct cgroup_facts cgroup;
	struct memory_facts memory;
	struct power_facts power;
	struct irq_facts irq;
	struct cpus guest, host;
	MUST(cpus_parse(guest_list, &guest));
	MUST(cpus_parse(host_list, &host));
	MUST(cgroup_facts_read(root, c, &cgroup));
	MUST(memory_facts_read(root, c, &memory));
	MUST(power_facts_read(root, c, &guest, &power));
	MUST(irq_facts_read(root, c, &irq));
	if (getenv("STEPS_BY_HAND"))
		cgroup.systemd = false;
	memory_steps(steps, c, &memory, &guest);
	power_steps(steps, c, &power);
	irq_steps(steps, c, &irq, &guest, &host);
	cgroup_steps(steps, c, &cgroup, &guest, &host, held);
	steps_probe(&env, steps);
	for (size_t i = 0; i < steps->n; i++)
		printf("plan %s %s: %s -> %s%s%s\n", steps->v[i].kind->name, steps->v[i].target, steps->v[i].now, steps->v[i].want,
		       steps->v[i].obstacle ? " OBSTACLE " : "", steps->v[i].obstacle ? steps->v[i].obstacle : "");
}

static int undo(struct journal *journal, struct steps *steps, int status)
{
	struct undo_report report = engine_undo(&env, steps);
	printf("undone %zu, left %zu, residue %zu\n", report.undone, report.left, report.residue);
	if (report.residue)
		return EXIT_RESIDUE;
	MUST(journal_remove(journal));
	return status;
}

static int run(const char *guest, const char *host, char **words)
{
	struct config *c = config_of(words);
	struct steps steps = {};
	struct journal *journal;
	int status = EXIT_OK;
	pid_t held[2] = { fork() };
	if (held[0] == 0)
		for (;;)
			pause();
	plan(&steps, c, guest, host, held);
	printf("held %d\n", (int)held[0]);
	MUST(journal_create(root, "/run/qlaunch", c->vm.name, 0, NULL, &journal));
	struct engine engine = { .env = &env, .journal = journal };
	struct err *e = engine_apply(&engine, &steps);
	if (e) {
		kill(held[0], SIGKILL);
		status = failed(e);
	}
	printf("%s\n", e ? "failed" : "applied");
	fflush(stdout);
	waitpid(held[0], NULL, 0);
	return undo(journal, &steps, status);
}

static int restore(const char *vm)
{
	struct steps steps = {};
	struct journal *journal;
	struct journal_info info = {};
	MUST(journal_open(&env, "/run/qlaunch", vm, &journal, &steps, &info));
	return undo(journal, &steps, EXIT_OK);
}

static int inhibit(char **words)
{
	struct sleep_guard *guard;
	struct config *c = config_of(words);
	MUST(sleep_inhibit(root, c, getuid(), getgid(), &guard));
	printf("applied\n");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return EXIT_USAGE;
	MUST(root_open("/", &root));
	env.root = root;
	if (streq(argv[1], "restore"))
		return restore(argv[2]);
	if (streq(argv[1], "inhibit"))
		return inhibit(argv + 2);
	return argc > 4 ? run(argv[2], argv[3], argv + 4) : EXIT_USAGE;
}
