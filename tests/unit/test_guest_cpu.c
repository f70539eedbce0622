/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's processor as arguments: on AMD and Intel, by what KVM and QEMU have, and under emulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/guest/args_cpu.h"
#include "tests/unit/tempdir.h"

#define AMD "fpu svm topoext constant_tsc nonstop_tsc"
#define INTEL "fpu vmx constant_tsc nonstop_tsc"
#define BASICS                                                                                                         \
	"hv-relaxed=on,hv-vapic=on,hv-vpindex=on,hv-runtime=on,hv-time=on,hv-synic=on,hv-stimer=on,hv-stimer-direct="  \
	"on,hv-frequencies=on"

struct host {
	struct config c;
	struct cpu_facts f;
	struct cpu_plan p;
	struct qemu_facts q; /* those that are assumed of QEMU 7.2 */
	enum accel accel;
	struct args args;
};

static void setup(struct host *h, void *state, enum cpu_vendor vendor, const char *flags, const char *kernel)
{
	struct user user = {};
	*h = (struct host){
		.f = { .vendor = vendor, .kernel = str_dup(kernel), .flags = str_dup(flags) },
		.p = { 16, .sockets = 1, .dies = 2, .cores = 4, .threads = 2, .exclusive = true, .smt_true = true },
		.c = { .clock.kvmclock = true },
		.accel = ACCEL_KVM,
	};
	assert_null(qemu_facts_read(tempdir_root(state), &h->c, &user, &h->q));
}

static void drop(struct host *h)
{
	cpu_facts_free(&h->f);
	qemu_facts_free(&h->q);
	args_free(&h->args);
}

/* The value of an option, NULL where it is not given. */
static const char *made(struct host *h, const char *option)
{
	const char *value = NULL;
	args_free(&h->args);
	guest_cpu(&h->args, &h->c, &h->f, &h->p, &h->q, h->accel);
	for (size_t i = 0; i < h->args.n; i++) {
		assert_true(h->args.v[i].why && *h->args.v[i].why);
		if (streq(h->args.v[i].option, option))
			value = h->args.v[i].value;
	}
	return value;
}

static void has(struct host *h, const char *flag, bool wanted)
{
	struct strv parts = {};
	strv_split(&parts, made(h, "-cpu"), ",");
	if (strv_has(&parts, flag) != wanted)
		fail_msg("%s %s in %s", flag, wanted ? "is not" : "is", made(h, "-cpu"));
	strv_free(&parts);
}

static void amd(void **state)
{
	struct host h;
	setup(&h, *state, CPU_AMD, AMD, "6.1.0-18-amd64");
	assert_string_equal(made(&h, "-cpu"), "host,migratable=no,topoext=on,invtsc=on,svm=off," BASICS
					      ",hv-tlbflush=on,hv-ipi=on,hv-xmm-input=on,hv-no-nonarch-coresharing=on");
	assert_string_equal(made(&h, "-smp"), "16,sockets=1,dies=2,cores=4,threads=2");
	assert_null(made(&h, "-overcommit"));
	h.f.avic = true;
	has(&h, "hv-avic=on", true);
	h.c.cpu.nested = true;
	has(&h, "svm=off", false);
	has(&h, "hv-emsr-bitmap=on", true);
	has(&h, "hv-evmcs=on", false);
	drop(&h);
}

static void intel(void **state)
{
	struct host h;
	setup(&h, *state, CPU_INTEL, INTEL, "6.6.0");
	assert_string_equal(made(&h, "-cpu"), "host,migratable=no,invtsc=on,vmx=off," BASICS
					      ",hv-tlbflush=on,hv-tlbflush-ext=on,hv-ipi=on,hv-xmm-input=on,hv-no-nonarch-coresharing=on");
	h.c.cpu.nested = true;
	has(&h, "hv-evmcs=on", true);
	has(&h, "vmx=off", false);
	drop(&h);
}

/* What KVM says of itself counts more than its version: a distribution may have taken things in or out. */
static void by_kvm(void **state)
{
	struct host h;
	setup(&h, *state, CPU_INTEL, INTEL, "6.6.0");
	h.f.hyperv.known = true;
	assert_string_equal(made(&h, "-cpu"), "host,migratable=no,invtsc=on,vmx=off,hv-no-nonarch-coresharing=on");
	h.f.hyperv = (struct cpu_hyperv){ .known = true, .features = 0x2a7e, .misc = 0x80110, .hints = 0xc2c, .nested = 0x20001 };
	has(&h, "hv-time=on", true);
	has(&h, "hv-stimer-direct=on", true);
	has(&h, "hv-runtime=on", false);      /* bit 0 of the features */
	has(&h, "hv-tlbflush-ext=on", false); /* bit 14 of misc */
	h.f.hyperv.hints = 1 << 2;            /* a flush without the masks that QEMU asks for too */
	has(&h, "hv-tlbflush=on", false);
	h.c.cpu.nested = true;
	has(&h, "hv-evmcs=on", true);
	h.f.hyperv.nested = 0;
	has(&h, "hv-evmcs=on", false);
	drop(&h);
}

/* An old kernel, a QEMU without the newer flags, a virtual host without topoext or a steady clock. */
static void poor(void **state)
{
	struct host h;
	setup(&h, *state, CPU_AMD, "fpu svm", "4.14.0");
	assert_string_equal(made(&h, "-cpu"), "host,migratable=no,svm=off,hv-relaxed=on,hv-vapic=on,hv-vpindex=on,hv-runtime=on,hv-time=on,"
					      "hv-synic=on,hv-stimer=on,hv-no-nonarch-coresharing=on");
	*h.q.has = '\0';
	assert_string_equal(made(&h, "-cpu"), "host,svm=off");
	drop(&h);
}

/* That no core is shared with strangers is said only where it is so. */
static void coresharing(void **state)
{
	struct host h;
	setup(&h, *state, CPU_AMD, AMD, "6.1.0");
	h.p.smt_true = false;
	has(&h, "hv-no-nonarch-coresharing=on", false);
	h.p.smt_true = true;
	h.p.exclusive = false;
	has(&h, "hv-no-nonarch-coresharing=on", false);
	has(&h, "hv-spinlocks=0xfff", false);
	h.p.overcommitted = true;
	has(&h, "hv-spinlocks=0xfff", true);
	drop(&h);
}

static void by_config(void **state)
{
	struct host h;
	setup(&h, *state, CPU_AMD, AMD, "6.1.0");
	h.c.cpu.hyperv = HYPERV_OFF;
	h.c.cpu.hide_kvm = true;
	h.c.cpu.model = (char *)"EPYC-Milan";
	assert_string_equal(made(&h, "-cpu"), "EPYC-Milan,topoext=on,invtsc=on,svm=off,kvm=off");
	h.c.cpu.hyperv = HYPERV_ON;
	h.c.cpu.vendor_id = (char *)"a,kvm=on";
	assert_non_null(strstr(made(&h, "-cpu"), ",hv-vendor-id=a,,kvm=on"));
	h.c.cpu.cpu_pm = true;
	h.c.cpu.isolate = ISOLATE_PARTITION;
	assert_string_equal(made(&h, "-overcommit"), "cpu-pm=on");
	h.p.exclusive = false;
	assert_null(made(&h, "-overcommit"));
	h.p.exclusive = true;
	h.c.cpu.isolate = ISOLATE_OFF;
	assert_null(made(&h, "-overcommit"));
	drop(&h);
}

static void emulated(void **state)
{
	struct host h;
	setup(&h, *state, CPU_AMD, AMD, "6.1.0");
	h.accel = ACCEL_TCG;
	h.c.cpu.hyperv = HYPERV_ON;
	h.c.cpu.cpu_pm = true;
	h.c.cpu.isolate = ISOLATE_PARTITION;
	assert_string_equal(made(&h, "-cpu"), "max");
	assert_null(made(&h, "-overcommit"));
	h.c.cpu.model = (char *)"host";
	assert_string_equal(made(&h, "-cpu"), "max");
	h.c.cpu.caches = CACHES_HOST; /* by the user's word; of the models, only this one can */
	assert_string_equal(made(&h, "-cpu"), "max,host-cache-info=on,l3-cache=off");
	h.c.cpu.model = (char *)"EPYC";
	assert_string_equal(made(&h, "-cpu"), "EPYC");
	h.c.cpu.caches = CACHES_AUTO;
	h.c.cpu.model = (char *)"host";
	h.c.cpu.model = (char *)"qemu64";
	assert_string_equal(made(&h, "-cpu"), "qemu64");
	drop(&h);
}

/* What the user says of flags stands after all of ours; the caches are the host's where the guest has whole ones. */
static void wishes(void **state)
{
	static const char *const flags[] = { "+x2apic", "-hypervisor", "tsc-frequency=3000000000", NULL };
	struct host h;
	setup(&h, *state, CPU_AMD, AMD, "6.1.0-18-amd64");
	has(&h, "host-cache-info=on", false);
	has(&h, "kvmclock=off", false);
	h.c.cpu.caches = CACHES_HOST;
	has(&h, "host-cache-info=on", true);
	h.c.cpu.caches = CACHES_AUTO;
	h.p.whole_l3s = true;
	has(&h, "host-cache-info=on", true);
	has(&h, "l3-cache=off", true);
	h.c.cpu.caches = CACHES_SHAPE;
	has(&h, "host-cache-info=on", false);
	h.c.clock.kvmclock = false;
	has(&h, "kvmclock=off", true);
	for (size_t i = 0; flags[i]; i++)
		strv_add(&h.c.cpu.flags, flags[i]);
	assert_true(str_ends(made(&h, "-cpu"), ",x2apic=on,hypervisor=off,tsc-frequency=3000000000"));
	assert_null(made(&h, "-machine")); /* 7.2 cannot be told who shares a cache */
	h.q.major = 10;
	h.q.minor = 0;
	char *has = str_fmt("%s machine:smp-cache", h.q.has);
	str_set(&h.q.has, has);
	free(has);
	assert_string_equal(made(&h, "-machine"), "smp-cache.0.cache=l1d,smp-cache.0.topology=core,smp-cache.1.cache=l1i,"
						  "smp-cache.1.topology=core,smp-cache.2.cache=l2,smp-cache.2.topology=core,"
						  "smp-cache.3.cache=l3,smp-cache.3.topology=die");
	strv_free(&h.c.cpu.flags);
	drop(&h);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)
	const struct CMUnitTest tests[] = { TEST(amd),	       TEST(intel),	TEST(by_kvm),  TEST(poor),
					    TEST(coresharing), TEST(by_config), TEST(emulated), TEST(wishes) };
	return cmocka_run_group_tests_name("guest cpu", tests, NULL, NULL);
}
