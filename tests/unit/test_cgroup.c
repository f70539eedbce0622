/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup: facts of v1, hybrid and v2 hosts, the steps of each way of isolation, and their life on a cgroupfs that
 * reacts like the kernel's. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include "launcher/host/kind/attr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/kind/systemd.h"
#include "launcher/host/kind/unit.h"
#include "tests/unit/fakekernel.h"

#define GROUP CGROUP_MOUNT "/qlaunch_win11"

static struct step_env env;

static int setup(void **state)
{
	struct fake *f = fake_new();
	fake_file(f, CGROUP_MOUNT "/cgroup.controllers", "cpuset cpu io memory\n");
	fake_file(f, CGROUP_MOUNT "/cgroup.subtree_control", "\n");
	fake_file(f, CGROUP_MOUNT "/cpuset.cpus.effective", "0-31\n");
	fake_file(f, "/sys/devices/system/cpu/online", "0-31\n");
	env.root = f->root;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static void assert_file(struct fake *f, const char *path, const char *text)
{
	cleanup_free char *now = fake_read(f, path);
	assert_string_equal(now, text);
}

static struct cpus set(const char *list)
{
	struct cpus cpus;
	assert_null(cpus_parse(list, &cpus));
	return cpus;
}

static struct steps plan(struct fake *f, enum isolate isolate, const char *vm, const char *guest, const char *host, const pid_t *held)
{
	cleanup_cgroup_facts struct cgroup_facts facts = {};
	struct config c = { .vm.name = (char *)(uintptr_t)vm, .cpu.isolate = isolate };
	struct cpus guest_set = set(guest), host_set = set(host);
	struct steps steps = {};
	assert_null(cgroup_facts_read(f->root, &c, &facts));
	cgroup_steps(&steps, &c, &facts, &guest_set, &host_set, held);
	return steps;
}

static void assert_step(const struct step *s, const struct step_kind *kind, const char *target, const char *want)
{
	assert_ptr_equal(s->kind, kind);
	assert_string_equal(s->target, target);
	assert_string_equal(s->want, want);
}

static void assert_now(struct step *s, const char *value)
{
	cleanup_free char *now = NULL;
	assert_null(s->kind->probe(&env, s, &now));
	assert_string_equal(now, value);
}

/* What the engine does to apply one. */
static struct err *apply(struct step *s)
{
	TRY(s->kind->probe(&env, s, &s->prior));
	TRY(s->kind->apply(&env, s));
	if (s->kind->verify)
		return s->kind->verify(&env, s);
	cleanup_free char *now = NULL;
	TRY(s->kind->probe(&env, s, &now));
	assert_int_equal(step_whose(s, now), STEP_WANTED);
	return NULL;
}

static void test_names(void **state)
{
	(void)state;
	cleanup_free char *escaped = systemd_escape("my-vm.2 \xc3\xa9"), *back = systemd_unescape(escaped), *dot = systemd_escape(".a");
	assert_string_equal(escaped, "my\\x2dvm.2\\x20\\xc3\\xa9");
	assert_string_equal(back, "my-vm.2 \xc3\xa9");
	assert_string_equal(dot, "\\x2ea");
}

static void test_plan_by_hand(void **state)
{
	cleanup_steps struct steps steps = plan(*state, ISOLATE_PARTITION, "win11", "7-15,23-31", "0-6,16-22", NULL);
	assert_int_equal(steps.n, 3);
	assert_step(&steps.v[0], &controller_kind, CGROUP_MOUNT "/cgroup.subtree_control", "+cpuset");
	assert_step(&steps.v[1], &cgroup_kind, GROUP, "active 7-15,23-31");
	assert_step(&steps.v[2], &partition_kind, GROUP, "isolated 7-15,23-31");
	assert_null(steps.v[0].obstacle);
	cleanup_steps struct steps off = plan(*state, ISOLATE_OFF, "win11", "7-15", "0-6", NULL);
	assert_int_equal(off.n, 0);
	cleanup_steps struct steps slices = plan(*state, ISOLATE_SLICES, "win11", "7-15", "0-6", NULL);
	assert_non_null(slices.v[0].obstacle);
}

static void test_plan_with_systemd(void **state)
{
	struct fake *f = *state;
	fake_file(f, "/run/systemd/system/x", "");
	cleanup_steps struct steps steps = plan(f, ISOLATE_PARTITION, "win-11", "7-15,23-31", "0-6,16-22", NULL);
	assert_int_equal(steps.n, 3);
	assert_step(&steps.v[2], &unit_property_kind, "qlaunch_win\\x2d11.scope", "ManagedOOMPreference=omit");
	assert_true(steps.v[2].optional);
	assert_step(&steps.v[0], &scope_kind, "qlaunch_win\\x2d11.scope", "active 7-15,23-31");
	assert_step(&steps.v[1], &partition_kind, CGROUP_MOUNT "/qlaunch_win\\x2d11.slice", "isolated 7-15,23-31");
	cleanup_steps struct steps slices = plan(f, ISOLATE_SLICES, "win11", "7-15,23-31", "0-6,16-22", NULL);
	assert_int_equal(slices.n, 5);
	assert_step(&slices.v[0], &allowed_cpus_kind, "system.slice", "0-6,16-22 of 0-31");
	assert_step(&slices.v[2], &allowed_cpus_kind, "init.scope", "0-6,16-22 of 0-31");
	assert_now(&slices.v[0], "all");
	assert_null(slices.v[0].obstacle);
}

static void test_plan_properties(void **state)
{
	struct fake *f = *state;
	cleanup_cgroup_facts struct cgroup_facts facts = {};
	cleanup_steps struct steps steps = {};
	cleanup_findings struct findings findings = {};
	struct config c = { .vm.name = (char *)"win11", .cpu.isolate = ISOLATE_PARTITION, .host = { .weight = 300, .oomd = OOMD_NONE } };
	struct cpus guest = set("7-15"), host = set("0-6");
	fake_file(f, "/run/systemd/system/x", "");
	assert_null(cgroup_facts_read(f->root, &c, &facts));
	cgroup_steps(&steps, &c, &facts, &guest, &host, NULL);
	assert_int_equal(steps.n, 3);
	assert_step(&steps.v[2], &unit_property_kind, "qlaunch_win11.slice",
		    "CPUWeight=300"); /* its neighbours are system.slice and user.slice */
	c.cpu.isolate = ISOLATE_OFF;
	cgroup_check(&findings, &c, &facts, &guest, &host);
	assert_int_equal(findings_worst(&findings), FINDING_WARN);
	assert_non_null(strstr(findings.v[0].text, "weight does nothing"));
}

static void test_plan_beside_a_list(void **state)
{
	struct fake *f = *state;
	fake_file(f, "/run/systemd/system/x", "");
	fake_file(f, CGROUP_MOUNT "/system.slice/cpuset.cpus", "0-31\n"); /* what systemd leaves of a limit that was taken away */
	fake_file(f, CGROUP_MOUNT "/user.slice/cpuset.cpus", "0-3\n");    /* somebody's limit: not ours to change */
	cleanup_steps struct steps steps = plan(f, ISOLATE_PARTITION, "win11", "7-15,23-31", "0-6,16-22", NULL);
	assert_int_equal(steps.n, 4);
	assert_step(&steps.v[1], &attr_kind, CGROUP_MOUNT "/system.slice/cpuset.cpus", "0-6,16-22");
	assert_null(apply(&steps.v[1]));
	assert_null(attr_kind.undo(&env, &steps.v[1]));
	cleanup_free char *list = fake_read(f, CGROUP_MOUNT "/system.slice/cpuset.cpus");
	assert_string_equal(list, "0-31");
	/* a limit that the guest's CPUs are in is in the way, by name; for isolate = slices and on a new kernel it is not */
	fake_file(f, CGROUP_MOUNT "/docker/cpuset.cpus", "3-8\n");
	cleanup_steps struct steps held = plan(f, ISOLATE_PARTITION, "win11", "7-15,23-31", "0-6,16-22", NULL);
	assert_non_null(strstr(held.v[0].obstacle, "the group docker of the host lists CPU 7-8"));
	cleanup_steps struct steps slices = plan(f, ISOLATE_SLICES, "win11", "7-15,23-31", "0-6,16-22", NULL);
	assert_null(slices.v[0].obstacle);
	fake_file(f, "/proc/sys/kernel/osrelease", "7.2.13-amd64\n");
	cleanup_steps struct steps newer = plan(f, ISOLATE_PARTITION, "win11", "7-15,23-31", "0-6,16-22", NULL);
	assert_null(newer.v[0].obstacle);
}

/* The text of the first finding of that verdict, and its remedy; NULL. Owned by the caller. */
static char *found(struct fake *f, const char *guest, const char *host, enum verdict verdict)
{
	cleanup_cgroup_facts struct cgroup_facts facts = {};
	cleanup_findings struct findings findings = {};
	struct config c = { .vm.name = (char *)(uintptr_t) "win11", .cpu.isolate = ISOLATE_PARTITION };
	struct cpus guest_set = set(guest), host_set = set(host);
	assert_null(cgroup_facts_read(f->root, &c, &facts));
	cgroup_check(&findings, &c, &facts, &guest_set, &host_set);
	for (size_t i = 0; i < findings.n; i++)
		if (findings.v[i].verdict == verdict)
			return str_fmt("%s → %s", findings.v[i].text, findings.v[i].remedy ? findings.v[i].remedy : "");
	return NULL;
}

/* Docker's, below the top level by either of its cgroup drivers; a slice that a hook has left limited; a limit on every CPU, which is
 * none. */
static void test_groups_that_list(void **state)
{
	struct fake *f = *state;
	cleanup_cgroup_facts struct cgroup_facts facts = {};
	cleanup_strv struct strv told = {};
	struct config c = { .vm.name = (char *)(uintptr_t) "win11", .cpu.isolate = ISOLATE_PARTITION };
	struct cpus online = set("0-31"), left = set("8-9,12");
	fake_file(f, "/run/systemd/system/x", "");
	fake_file(f, CGROUP_MOUNT "/docker/cgroup.procs", "");
	fake_file(f, CGROUP_MOUNT "/docker/cgroup.subtree_control", "cpu cpuset\n");
	fake_file(f, CGROUP_MOUNT "/docker/3f2a/cpuset.cpus", "8-9\n");
	fake_file(f, CGROUP_MOUNT "/docker/77aa/cpuset.cpus", "0-31\n");
	fake_file(f, CGROUP_MOUNT "/system.slice/cgroup.procs", "");
	fake_file(f, CGROUP_MOUNT "/system.slice/cgroup.subtree_control", "cpuset memory\n");
	fake_file(f, CGROUP_MOUNT "/system.slice/docker-9c.scope/cpuset.cpus", "12\n");
	fake_file(f, CGROUP_MOUNT "/user.slice/cgroup.procs", "");
	fake_file(f, CGROUP_MOUNT "/user.slice/x/cpuset.cpus", "13\n"); /* no longer: cpuset is not on for its children */
	fake_file(f, CGROUP_MOUNT "/qlaunch_other.slice/cpuset.cpus", "1\n");
	assert_null(cgroup_facts_read(f->root, &c, &facts));
	assert_int_equal(facts.n_listed, 2);
	assert_string_equal(facts.listed[0].vm, "docker/3f2a");
	assert_string_equal(facts.listed[1].vm, "system.slice/docker-9c.scope");
	assert_true(facts.listed[0].below && facts.listed[1].below);
	struct cpus avoid = cgroup_avoid(&facts, &online), want = set("8-9,12");
	assert_true(cpus_equal(&avoid, &want));
	cgroup_tell_left(&facts, &left, &told);
	assert_int_equal(told.n, 2);
	assert_string_equal(
		told.v[1],
		"CPUs 12 are left to the host's group system.slice/docker-9c.scope, which lists them; cpu.place can name them all the same");
	/* the kernel takes them from a group below the top level: said, and no obstacle */
	cleanup_free char *below = found(f, "8-15", "0,2-7,16-31", FINDING_WARN), *bad = found(f, "8-15", "0,2-7,16-31", FINDING_BAD);
	assert_string_equal(
		below,
		"the group docker/3f2a of the host lists CPU 8-9: what runs there has other CPUs while the guest has these → choose other "
		"CPUs by cpu.place");
	assert_null(bad);
	/* one of the top level is in the way; systemd's own is named with what takes it back */
	fake_file(f, CGROUP_MOUNT "/system.slice/cpuset.cpus", "0,2-12\n");
	cleanup_free char *slice = found(f, "8-15", "0,2-7,16-31", FINDING_BAD);
	assert_string_equal(
		slice,
		"the group system.slice of the host lists CPU 8-12: the kernel makes no partition of them (see system.slice/cpuset.cpus) → "
		"systemctl revert system.slice, if nobody needs its AllowedCPUs= any more; or choose other CPUs by cpu.place");
	cleanup_free char *apart = found(f, "14-15", "0,2-13,16-31", FINDING_BAD), *quiet = found(f, "14-15", "0,2-13,16-31", FINDING_WARN);
	assert_null(apart);
	assert_null(quiet);
	fake_file(f, "/proc/sys/kernel/osrelease", "7.2.13-amd64\n");
	cleanup_free char *newer = found(f, "8-15", "0,2-7,16-31", FINDING_BAD), *said = found(f, "8-15", "0,2-7,16-31", FINDING_WARN);
	assert_null(newer);
	assert_non_null(said);
}

static void test_plan_refused(void **state)
{
	struct fake *f = *state;
	cleanup_steps struct steps all = plan(f, ISOLATE_PARTITION, "win11", "0-31", "", NULL);
	assert_string_equal(all.v[2].obstacle, "the guest has every CPU: none is left for the host");
	fake_file(f, CGROUP_MOUNT "/qlaunch_other\\x2done.slice/cpuset.cpus", "14-17\n");
	cleanup_steps struct steps overlap = plan(f, ISOLATE_PARTITION, "win11", "7-15", "0-6,16-31", NULL);
	assert_string_equal(overlap.v[0].obstacle, "the machine \"other-one\" has CPU 14-15 now");
	cleanup_steps struct steps apart = plan(f, ISOLATE_PARTITION, "win11", "7-13", "0-6,14-31", NULL);
	assert_null(apart.v[0].obstacle);
	cleanup_steps struct steps own = plan(f, ISOLATE_PARTITION, "other-one", "7-15", "0-6,16-31", NULL);
	assert_null(own.v[0].obstacle);
}

static void assert_obstacle(struct fake *f, const char *part)
{
	cleanup_steps struct steps steps = plan(f, ISOLATE_PARTITION, "win11", "1", "0", NULL);
	assert_true(steps.n > 0);
	for (size_t i = 0; i < steps.n; i++) {
		assert_non_null(steps.v[i].obstacle);
		assert_non_null(strstr(steps.v[i].obstacle, part));
	}
	cleanup_cgroup_facts struct cgroup_facts facts = {};
	cleanup_findings struct findings findings = {};
	struct config c = { .vm.name = (char *)(uintptr_t) "win11", .cpu.isolate = ISOLATE_PARTITION };
	struct cpus guest = set("1"), host = set("0");
	assert_null(cgroup_facts_read(f->root, &c, &facts));
	cgroup_check(&findings, &c, &facts, &guest, &host);
	assert_int_equal(findings_worst(&findings), FINDING_BAD);
	assert_non_null(findings.v[0].remedy);
}

static void test_other_versions(void **state)
{
	struct fake *f = *state;
	fake_file(f, CGROUP_MOUNT "/cgroup.controllers", "cpu memory\n");
	assert_obstacle(f, "no cpuset controller");
	assert_null(root_unlink(f->root, CGROUP_MOUNT "/cgroup.controllers"));
	assert_obstacle(f, "no cgroup v2 is mounted");
	fake_file(f, CGROUP_MOUNT "/cpuset/tasks", "");
	assert_obstacle(f, "cgroup v1, which");
	fake_file(f, CGROUP_MOUNT "/unified/cgroup.controllers", "");
	assert_obstacle(f, "hybrid");
}

static void test_by_hand(void **state)
{
	struct fake *f = *state;
	const pid_t held[] = { 1 << 30, 0 }; /* beyond every pid there is */
	cleanup_steps struct steps steps = plan(f, ISOLATE_PARTITION, "win11", "7-15,23-31", "0-6,16-22", held);
	for (size_t i = 0; i < steps.n; i++)
		assert_null(apply(&steps.v[i]));
	cleanup_free char *pid = str_fmt("%d", (int)held[0]);
	assert_file(f, GROUP "/cgroup.procs", pid);
	assert_now(&steps.v[2], "isolated 7-15,23-31");
	/* a second machine with the same CPUs is refused when it comes to it, whatever its plan said */
	struct step second = { .kind = &cgroup_kind,
			       .target = (char *)(uintptr_t)CGROUP_MOUNT "/qlaunch_b",
			       .want = (char *)(uintptr_t) "active 31-33",
			       .data = (void *)(uintptr_t)held };
	cleanup_err struct err *refused = apply(&second);
	assert_non_null(strstr(err_text(refused), "\"win11\" has some of these CPUs"));
	free(second.prior);
	for (size_t i = steps.n; i-- > 0;) {
		assert_null(steps.v[i].kind->undo(&env, &steps.v[i]));
		assert_now(&steps.v[i], i == 2 ? "member 7-15,23-31" : steps.v[i].prior);
	}
	assert_false(root_exists(f->root, GROUP));
	assert_now(&steps.v[0], "-cpuset");
}

static void test_group_in_the_way(void **state)
{
	struct fake *f = *state;
	const pid_t held[] = { 4711, 0 };
	cleanup_steps struct steps steps = plan(f, ISOLATE_PARTITION, "win11", "7", "0-6", held);
	fake_file(f, GROUP "/cpuset.cpus", "7\n");
	cleanup_err struct err *e = apply(&steps.v[1]);
	assert_int_equal(err_code(e), EEXIST); /* never "as wanted already" */
	assert_non_null(err_remedy(e));
}

static void test_group_not_empty(void **state)
{
	struct fake *f = *state;
	const pid_t held[] = { 4711, 0 };
	cleanup_steps struct steps steps = plan(f, ISOLATE_PARTITION, "win11", "7", "0-6", held);
	assert_null(apply(&steps.v[1]));
	fake_file(f, GROUP "/cgroup.events", "populated 1\nfrozen 0\n");
	cleanup_err struct err *e = cgroup_kind.undo(&env, &steps.v[1]);
	assert_int_equal(err_code(e), EBUSY);
	assert_non_null(strstr(err_text(e), "4711"));
	assert_true(root_exists(f->root, GROUP));
}

static void partition_fails(struct fake *f, const char *cpus, const char *says)
{
	cleanup_free char *want = str_fmt("isolated %s", cpus);
	struct step s = { .kind = &partition_kind, .target = (char *)(uintptr_t)GROUP, .want = want };
	assert_null(root_mkdir(f->root, GROUP, 0755));
	assert_null(root_write(f->root, GROUP "/cpuset.cpus", cpus));
	cleanup_err struct err *e = apply(&s);
	assert_non_null(e);
	assert_non_null(strstr(err_text(e), says));
	cleanup_free char *now = NULL;
	assert_null(partition_kind.probe(&env, &s, &now));
	assert_int_equal(step_whose(&s, now), STEP_BETWEEN);
	assert_null(partition_kind.undo(&env, &s));
	assert_file(f, GROUP "/cpuset.cpus.partition", "member");
	free(s.prior);
}

static void test_partition_invalid(void **state)
{
	fake_file(*state, CGROUP_MOUNT "/foo.slice/cpuset.cpus", "15-17\n");
	partition_fails(*state, "7-15", "the kernel says: isolated invalid (Cpu list in cpuset.cpus not exclusive)");
}

static void test_partition_short(void **state)
{
	partition_fails(*state, "7,40", "\"isolated 7\"");
}

static void test_whose(void **state)
{
	(void)state;
	static const struct {
		const struct step_kind *kind;
		const char *prior, *want, *now;
		enum step_whose whose;
	} cases[] = {
		{ &partition_kind, "member 7", "isolated 7", "absent", STEP_PRIOR },
		{ &partition_kind, "member 7", "isolated 7", "member 0-9", STEP_PRIOR },
		{ &partition_kind, "member 7", "isolated 7", "isolated 7", STEP_WANTED },
		{ &partition_kind, "member 7", "isolated 7", "isolated invalid (x)", STEP_BETWEEN },
		{ &scope_kind, "absent", "active 7", "absent", STEP_PRIOR },
		{ &scope_kind, "absent", "active 7", "active", STEP_BETWEEN },
		{ &cgroup_kind, "absent", "active 7", "active 7", STEP_WANTED },
		{ &allowed_cpus_kind, "all", "0-3 of 0-7", "all", STEP_PRIOR },
		{ &allowed_cpus_kind, "all", "0-3 of 0-7", "0-3 set", STEP_WANTED },
		{ &allowed_cpus_kind, "all", "0-3 of 0-7", "0-7 set", STEP_BETWEEN },
		{ &allowed_cpus_kind, "all", "0-3 of 0-7", "0-7",
		  STEP_PRIOR }, /* the kernel does not let it be emptied */
		{ &allowed_cpus_kind, "0-5", "0-3 of 0-7", "0-7 set", STEP_BETWEEN },
		{ &allowed_cpus_kind, "all", "0-3 of 0-7", "0-5 set", STEP_FOREIGN },
		{ &allowed_cpus_kind, "0-5", "0-3 of 0-7", "all", STEP_FOREIGN },
		{ &controller_kind, "-cpuset", "+cpuset", "+cpuset in use", STEP_FOREIGN },
		{ &controller_kind, "-cpuset", "+cpuset", "+cpuset", STEP_WANTED },
		{ &controller_kind, "+cpuset in use", "+cpuset", "+cpuset", STEP_PRIOR },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step s = { .kind = cases[i].kind,
				  .prior = (char *)(uintptr_t)cases[i].prior,
				  .want = (char *)(uintptr_t)cases[i].want };
		assert_int_equal(step_whose(&s, cases[i].now), cases[i].whose);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), TEST(test_plan_by_hand),      TEST(test_plan_with_systemd),
		TEST(test_plan_refused),      TEST(test_other_versions),    TEST(test_by_hand),
		TEST(test_plan_properties), TEST(test_plan_beside_a_list), TEST(test_groups_that_list),
		TEST(test_group_in_the_way),  TEST(test_group_not_empty),   TEST(test_partition_invalid),
		TEST(test_partition_short),   cmocka_unit_test(test_whose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
