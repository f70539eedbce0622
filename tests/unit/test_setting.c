/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the running kernel a configuration may set, to what, and what becomes of it on a host that has it or has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/config/setting.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/kind/unit.h"
#include "launcher/host/power/power.h"
#include "launcher/host/tuning/tuning.h"
#include "tests/unit/fakekernel.h"

static void test_parse(void **state)
{
	(void)state;
	static const struct {
		const struct setting *all;
		const char *text, *value, *problem;
	} cases[] = {
		{ setting_sysctls, "vm.stat_interval=120", "120", NULL },
		{ setting_sysctls, "kernel.sched_rt_runtime_us=-1", "-1", NULL },
		{ setting_sysctls, "kernel.watchdog=0", "0", NULL },
		{ setting_kvm, "ignore_msrs=1", "Y", NULL },
		{ setting_kvm, "ignore_msrs=0", "N", NULL },
		{ setting_sysctls, "kernel.core_pattern=|/home/me/x", NULL, "may not be set" },
		{ setting_sysctls, "kernel.modprobe=/home/me/x", NULL, "may not be set" },
		{ setting_sysctls, "vm/stat_interval=1", NULL, "did you mean vm.stat_interval" },
		{ setting_sysctls, "vm.stat_interval=", NULL, "a number" },
		{ setting_sysctls, "vm.stat_interval=1x", NULL, "a number" },
		{ setting_sysctls, "vm.stat_interval=99999999999", NULL, "a number" },
		{ setting_sysctls, "vm.stat_interval", NULL, "NAME=VALUE" },
		{ setting_sysctls, "kernel.watchdog=2", NULL, "0 or 1" },
		{ setting_kvm, "ignore_msr=1", NULL, "did you mean ignore_msrs" },
		{ setting_kvm, "ignore_msrs=Y", NULL, "0 or 1" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct setting *setting = NULL;
		cleanup_free char *value = NULL;
		cleanup_err struct err *e = setting_parse(cases[i].all, cases[i].text, &setting, &value);
		if (cases[i].value) {
			assert_null(e);
			assert_string_equal(value, cases[i].value);
		} else {
			assert_non_null(e);
			assert_non_null(strstr(err_text(e), cases[i].problem));
		}
	}
}

static char *words(const char *word)
{
	return (char *)(uintptr_t)word;
}

static void test_steps(void **state)
{
	(void)state;
	struct fake *f = fake_new();
	char *sysctls[] = { words("vm.stat_interval=120"), words("vm.swappiness=1"), NULL }, *kvm[] = { words("ignore_msrs=1"), NULL },
	     *stop[] = { words("fancontrol.service"), NULL };
	struct config c = { .host = { .sysctl = { sysctls, 2 }, .kvm = { kvm, 1 }, .stop = { stop, 1 } } };
	cleanup_steps struct steps steps = {};
	cleanup_findings struct findings findings = {};
	fake_file(f, "/proc/sys/vm/stat_interval", "1\n");
	fake_file(f, "/sys/module/kvm/parameters/ignore_msrs", "N\n");
	fake_dir(f, "/run/systemd/system");
	tuning_stop_steps(&steps, &c, f->root);
	tuning_steps(&steps, &c, f->root);
	tuning_findings(&findings, &c, f->root);
	assert_int_equal(steps.n, 3);
	assert_ptr_equal(steps.v[0].kind, &unit_kind);
	assert_string_equal(steps.v[0].want, "inactive");
	assert_null(steps.v[0].obstacle);
	assert_string_equal(steps.v[1].target, "/proc/sys/vm/stat_interval");
	assert_string_equal(steps.v[2].target, "/sys/module/kvm/parameters/ignore_msrs");
	assert_string_equal(steps.v[2].want, "Y"); /* as the kernel tells it: else it would never be taken for set */
	assert_int_equal(findings.n, 1);
	assert_non_null(strstr(findings.v[0].text, "vm.swappiness"));
	fake_free(f);
}

/* Intel's file says what AMD's denies. */
static void test_boost(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum boost boost;
		const char *want;
	} cases[] = {
		{ "/sys/devices/system/cpu/intel_pstate/no_turbo", BOOST_OFF, "1" },
		{ "/sys/devices/system/cpu/intel_pstate/no_turbo", BOOST_ON, "0" },
		{ "/sys/devices/system/cpu/cpufreq/boost", BOOST_OFF, "0" },
		{ "/sys/devices/system/cpu/cpufreq/boost", BOOST_ON, "1" },
		{ NULL, BOOST_OFF, NULL },
		{ "/sys/devices/system/cpu/cpufreq/boost", BOOST_KEPT, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake *f = fake_new();
		struct config c = { .host.boost = cases[i].boost };
		struct cpus guest = {};
		cleanup_power_facts struct power_facts facts = {};
		cleanup_steps struct steps steps = {};
		cleanup_findings struct findings findings = {};
		if (cases[i].path)
			fake_file(f, cases[i].path, "0\n");
		assert_null(power_facts_read(f->root, &c, &guest, &facts));
		power_steps(&steps, &c, &facts);
		power_check(&findings, &c, &facts);
		assert_int_equal(steps.n, cases[i].want ? 1 : 0);
		if (cases[i].want)
			assert_string_equal(steps.v[0].want, cases[i].want);
		assert_int_equal(findings.n, cases[i].path ? 0 : 1);
		fake_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_steps), cmocka_unit_test(test_boost) };
	return cmocka_run_group_tests_name("setting", tests, NULL, NULL);
}
