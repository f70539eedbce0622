/* SPDX-License-Identifier: GPL-2.0-or-later */
/* power: one step a clock, in the order that the drivers need, and what is said of a driver that lacks the wish. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "launcher/host/kind/attr.h"
#include "launcher/host/power/power.h"
#include "tests/unit/fakekernel.h"

#define CPU "/sys/devices/system/cpu"

static void policy(struct fake *f, int cpu, const char *related, const char *hints)
{
	const struct {
		const char *file, *text;
	} files[] = {
		{ "related_cpus", related },
		{ "scaling_driver", "amd-pstate-epp\n" },
		{ "scaling_governor", "powersave\n" },
		{ "scaling_available_governors", "performance powersave\n" },
		{ "energy_performance_preference", "balance_performance\n" },
		{ "energy_performance_available_preferences", hints },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files) - (hints ? 0 : 2); i++) {
		cleanup_free char *path = str_fmt(CPU "/cpu%d/cpufreq/%s", cpu, files[i].file);
		fake_file(f, path, files[i].text);
	}
}

static struct steps plan(struct fake *f, struct config *c, struct findings *findings)
{
	cleanup_power_facts struct power_facts facts = {};
	struct cpus guest;
	struct steps steps = {};
	assert_null(cpus_parse("2-5", &guest));
	assert_null(power_facts_read(f->root, c, &guest, &facts));
	power_steps(&steps, c, &facts);
	power_check(findings, c, &facts);
	return steps;
}

static struct config config(const char *governor, const char *energy)
{
	return (struct config){ .host.governor = (char *)(uintptr_t)governor, .host.energy = (char *)(uintptr_t)energy };
}

static void test_once_a_policy(void **state)
{
	struct fake *f = *state;
	struct config c = config("performance", "performance");
	cleanup_findings struct findings findings = {};
	policy(f, 2, "2 3\n", "default performance\n");
	policy(f, 3, "2 3\n", "default performance\n");
	policy(f, 4, "4\n", "default performance\n");
	cleanup_steps struct steps steps = plan(f, &c, &findings);
	static const char *const targets[] = {
		CPU "/cpu2/cpufreq/energy_performance_preference",
		CPU "/cpu2/cpufreq/scaling_governor",
		CPU "/cpu4/cpufreq/energy_performance_preference",
		CPU "/cpu4/cpufreq/scaling_governor",
	};
	assert_int_equal(steps.n, ARRAY_SIZE(targets));
	for (size_t i = 0; i < steps.n; i++) {
		assert_ptr_equal(steps.v[i].kind, &attr_kind);
		assert_string_equal(steps.v[i].target, targets[i]);
		assert_true(steps.v[i].optional);
		assert_null(steps.v[i].obstacle);
	}
	assert_int_equal(findings_worst(&findings), FINDING_OK);
}

static void test_driver_lacks_it(void **state)
{
	struct fake *f = *state;
	struct config c = config("schedutil", "performance");
	cleanup_findings struct findings findings = {};
	policy(f, 2, "2 3 4 5\n", NULL);
	cleanup_steps struct steps steps = plan(f, &c, &findings);
	assert_string_equal(steps.v[0].obstacle, "the driver does not have it");
	assert_string_equal(steps.v[1].obstacle, "there is only: performance, powersave");
	assert_int_equal(findings.n, 2);
	assert_int_equal(findings_worst(&findings), FINDING_WARN);
	assert_string_equal(findings.v[0].text, "amd-pstate-epp has no governor \"schedutil\"; it has: performance, powersave");
}

static void test_no_cpufreq(void **state)
{
	struct config c = config("performance", NULL), nothing = config(NULL, NULL);
	cleanup_findings struct findings findings = {}, none = {};
	cleanup_steps struct steps steps = plan(*state, &c, &findings), no_steps = plan(*state, &nothing, &none);
	assert_int_equal(steps.n + no_steps.n + none.n, 0);
	assert_int_equal(findings_worst(&findings), FINDING_WARN);
}

static void test_halt_poll(void **state)
{
	struct fake *f = *state;
	struct config c = { .host.has_halt_poll = true, .host.halt_poll_ns = 0 };
	cleanup_findings struct findings findings = {};
	cleanup_steps struct steps without = plan(f, &c, &findings);
	assert_string_equal(without.v[0].obstacle, "the kvm module is not loaded");
	fake_file(f, "/sys/module/kvm/parameters/halt_poll_ns", "200000\n");
	cleanup_steps struct steps steps = plan(f, &c, &findings);
	assert_string_equal(steps.v[0].want, "0");
	assert_null(steps.v[0].obstacle);
}

/* One thread of each core: a step where the kernel can, before all that CPUs are given to. */
static void test_smt(void **state)
{
	struct fake *f = *state;
	struct config c = { .host.smt = SMT_OFF };
	static const struct {
		const char *control;
		size_t steps;
		enum verdict worst;
	} cases[] = { { "on\n", 1, FINDING_OK }, { "off\n", 1, FINDING_OK }, { "forceoff\n", 0, FINDING_OK }, { "notsupported\n", 0, FINDING_WARN },
		      { NULL, 0, FINDING_WARN } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_power_facts struct power_facts facts = { .smt = cases[i].control ? attr_value(cases[i].control) : NULL };
		cleanup_steps struct steps steps = {};
		cleanup_findings struct findings findings = {};
		power_smt_step(&steps, &c, &facts);
		power_check(&findings, &c, &facts);
		assert_int_equal(steps.n, cases[i].steps);
		assert_int_equal(findings_worst(&findings), cases[i].worst);
	}
	fake_file(f, CPU "/smt/control", "on\n");
	cleanup_power_facts struct power_facts facts = {};
	struct cpus guest = {};
	assert_null(power_facts_read(f->root, &c, &guest, &facts));
	assert_string_equal(facts.smt, "on");
}

/* Where none runs nothing is held, and it is said. */
static void test_profile(void **state)
{
	struct fake *f = *state;
	struct config c = { .host.profile = PROFILE_PERFORMANCE };
	cleanup_steps struct steps steps = {};
	cleanup_findings struct findings findings = {};
	power_profile_step(&steps, &c, f->root, NULL);
	power_profile_findings(&findings, &c, f->root);
	assert_int_equal(steps.n, 0);
	assert_int_equal(findings_worst(&findings), FINDING_WARN);
}

static int setup(void **state)
{
	*state = fake_new();
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_once_a_policy),
		TEST(test_driver_lacks_it),
		TEST(test_no_cpufreq),
		TEST(test_halt_poll), TEST(test_smt), TEST(test_profile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
