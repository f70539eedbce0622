/* SPDX-License-Identifier: GPL-2.0-or-later */
/* irq: which interrupts are moved where, and what happens to those that do not move or are gone. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include "launcher/host/irq/irq.h"
#include "tests/unit/fakekernel.h"

static struct step_env env;

static void irq(struct fake *f, unsigned number, const char *list)
{
	cleanup_free char *path = str_fmt("/proc/irq/%u/smp_affinity_list", number);
	fake_file(f, path, list);
}

static int setup(void **state)
{
	struct fake *f = fake_new();
	fake_file(f, "/proc/interrupts",
		  "           CPU0       CPU1\n"
		  "   0:        114          0  IR-IO-APIC   2-edge      timer\n"
		  "  24:          0         12  IR-PCI-MSI 16385-edge      nvme0q1\n"
		  "  25:          0         12  IR-PCI-MSI 1-edge      xhci_hcd\n"
		  "  26:          0          0  IR-PCI-MSI 2-edge      eth0\n"
		  "  40:          0          0  IR-PCI-MSI-0000:01:00.0    0-edge      vfio-msi[0](0000:01:00.0)\n"
		  "  41:          0          0  IR-PCI-MSI-0000:02:00.0    0-edge      vfio-msi[0](0000:02:00.0)\n"
		  " NMI:          0          0   Non-maskable interrupts\n"
		  " 999:          0          0  nowhere\n");
	irq(f, 0, "0-7\n");
	irq(f, 24, "5\n");
	irq(f, 25, "0-7\n");
	irq(f, 26, "0-3\n");
	irq(f, 40, "0-3\n");
	irq(f, 41, "0-3\n");
	fake_file(f, "/proc/irq/default_smp_affinity", "ff\n");
	fake_file(f, "/sys/devices/virtual/workqueue/cpumask", "ff\n");
	env.root = f->root;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static struct cpus set(const char *list)
{
	struct cpus cpus;
	assert_null(cpus_parse(list, &cpus));
	return cpus;
}

static struct steps plan(struct fake *f, enum irqs irqs)
{
	cleanup_irq_facts struct irq_facts facts = {};
	struct config c = { .host.irqs = irqs };
	struct cpus guest = set("4-7"), host = set("0-3");
	struct steps steps = {};
	assert_null(irq_facts_read(f->root, &c, &facts));
	irq_steps(&steps, &c, &facts, &guest, &host);
	return steps;
}

static void test_away(void **state)
{
	static const char *const expect[][2] = {
		{ "/proc/irq", "0-3" },
		{ "/proc/irq/default_smp_affinity", "0-3" },
		{ "/sys/devices/virtual/workqueue/cpumask", "0-3" },
		{ "/proc/irq/0/smp_affinity_list", "0-3" },
		{ "/proc/irq/24/smp_affinity_list", "0-3" }, /* it had a CPU of the guest's only */
		{ "/proc/irq/25/smp_affinity_list", "0-3" },
	};
	cleanup_steps struct steps steps = plan(*state, IRQS_AWAY);
	assert_int_equal(steps.n, ARRAY_SIZE(expect));
	for (size_t i = 0; i < steps.n; i++) {
		assert_string_equal(steps.v[i].target, expect[i][0]);
		assert_string_equal(steps.v[i].want, expect[i][1]);
		assert_true(steps.v[i].optional);
	}
	assert_string_equal(steps.v[4].why, "nvme0q1 off the guest's CPUs");
	cleanup_steps struct steps none = plan(*state, IRQS_KEEP);
	assert_int_equal(none.n, 0);
}

static struct err *apply(struct step *s)
{
	TRY(s->kind->probe(&env, s, &s->prior));
	TRY(s->kind->apply(&env, s));
	return s->kind->verify(&env, s);
}

static void test_there_and_back(void **state)
{
	struct fake *f = *state;
	cleanup_steps struct steps steps = plan(f, IRQS_AWAY);
	for (size_t i = 0; i < steps.n; i++)
		assert_null(apply(&steps.v[i]));
	cleanup_free char *mask = fake_read(f, "/proc/irq/default_smp_affinity"), *list = fake_read(f, "/proc/irq/24/smp_affinity_list");
	assert_string_equal(mask, "f");
	assert_string_equal(list, "0-3");
	for (size_t i = steps.n; i-- > 0;) {
		cleanup_free char *now = NULL;
		assert_null(steps.v[i].kind->undo(&env, &steps.v[i]));
		assert_null(steps.v[i].kind->probe(&env, &steps.v[i], &now));
		assert_int_equal(step_whose(&steps.v[i], now), STEP_PRIOR);
	}
}

/* One that began while the default was narrow, and one that stood on just those CPUs before. */
static void test_born_meanwhile(void **state)
{
	struct fake *f = *state;
	fake_file(f, "/proc/irq/26/smp_affinity", "f\n");
	cleanup_steps struct steps steps = plan(f, IRQS_AWAY);
	for (size_t i = 0; i < steps.n; i++)
		assert_null(apply(&steps.v[i]));
	irq(f, 20, "0-3\n");
	fake_file(f, "/proc/irq/20/smp_affinity", "f\n");
	for (size_t i = steps.n; i-- > 0;)
		assert_null(steps.v[i].kind->undo(&env, &steps.v[i]));
	cleanup_free char *born = fake_read(f, "/proc/irq/20/smp_affinity"), *old = fake_read(f, "/proc/irq/26/smp_affinity");
	assert_string_equal(born, "ff");
	assert_string_equal(old, "f");
}

static void test_managed(void **state)
{
	struct fake *f = *state;
	cleanup_steps struct steps steps = plan(f, IRQS_AWAY);
	fake_fault(f, FAKE_FAIL, f->shared->count + 1, EIO);
	assert_null(apply(&steps.v[4])); /* stays where it is, and nobody is told */
	assert_string_equal(steps.v[4].prior, "5");
	cleanup_free char *list = fake_read(f, "/proc/irq/24/smp_affinity_list");
	assert_string_equal(list, "5");
}

/* Where irqbalance runs it spreads them over what is left: that is no stranger's change. */
static void test_balanced(void **state)
{
	struct fake *f = *state;
	struct step s = { .kind = &affinity_kind,
			  .target = (char *)(uintptr_t) "/proc/irq/24/smp_affinity_list",
			  .want = (char *)(uintptr_t) "0-3 or less" };
	assert_null(apply(&s));
	irq(f, 24, "2\n");
	assert_null(affinity_kind.verify(&env, &s));
	assert_int_equal(step_whose(&s, "2"), STEP_WANTED);
	assert_int_equal(step_whose(&s, "2,6"), STEP_FOREIGN);
	assert_null(affinity_kind.undo(&env, &s));
	cleanup_free char *list = fake_read(f, "/proc/irq/24/smp_affinity_list");
	assert_string_equal(list, "5");
	s.want = (char *)(uintptr_t) "0-3";
	assert_int_equal(step_whose(&s, "2"), STEP_FOREIGN);
	free(s.prior);
}

static void test_gone(void **state)
{
	struct fake *f = *state;
	cleanup_steps struct steps steps = plan(f, IRQS_AWAY);
	assert_null(apply(&steps.v[4]));
	assert_null(root_unlink(f->root, "/proc/irq/24/smp_affinity_list"));
	cleanup_free char *now = NULL;
	assert_null(affinity_kind.probe(&env, &steps.v[4], &now));
	assert_int_equal(step_whose(&steps.v[4], now), STEP_PRIOR);
	assert_null(root_unlink(f->root, "/proc/irq/25/smp_affinity_list"));
	assert_null(apply(&steps.v[5])); /* the device has another driver since the plan was made */
}

static void test_vfio(void **state)
{
	struct fake *f = *state;
	cleanup_irq_facts struct irq_facts facts = {};
	cleanup_steps struct steps steps = {};
	const struct pci_addr gpu = { .bus = 1 };
	struct config c = {};
	struct cpus vcpus = set("5-7"), all = set("0-7");
	assert_null(irq_facts_read(f->root, &c, &facts));
	assert_int_equal(irq_vfio_steps(&steps, &facts, &gpu, 1, &vcpus), 1);
	assert_string_equal(steps.v[0].target, "/proc/irq/40/smp_affinity_list"); /* 41 is another machine's */
	assert_string_equal(steps.v[0].want, "5-7");
	assert_true(steps.v[0].late && steps.v[0].optional);
	assert_int_equal(irq_vfio_steps(&steps, &facts, &gpu, 1, &vcpus), 0); /* known already */
	cleanup_steps struct steps within = {};
	assert_int_equal(irq_vfio_steps(&within, &facts, &gpu, 1, &all), 0);
}

/* What the kernel does with the interrupts of CPUs that go offline, as all but one do when the host sleeps. */
static void test_strayed(void **state)
{
	struct fake *f = *state;
	cleanup_irq_facts struct irq_facts facts = {}, slept = {}, renumbered = {};
	cleanup_steps struct steps steps = {};
	const struct pci_addr gpu = { .bus = 1 };
	struct config c = { .host.irqs = IRQS_AWAY };
	struct cpus guest = set("0-3"), host = set("4-7");
	irq(f, 24, "2,5\n");
	assert_null(irq_facts_read(f->root, &c, &facts));
	irq_steps(&steps, &c, &facts, &guest, &host);
	size_t away = steps.n;
	irq(f, 40, "4-7\n");
	irq_facts_free(&facts);
	assert_null(irq_facts_read(f->root, &c, &facts));
	assert_int_equal(irq_vfio_steps(&steps, &facts, &gpu, 1, &guest), 1);
	for (size_t i = 0; i < steps.n; i++) {
		assert_false(irq_strayed(&facts, &steps.v[i])); /* not done yet */
		assert_null(apply(&steps.v[i]));
		steps.v[i].state = STEP_DONE;
	}
	irq(f, 24, "0\n"); /* it may go to 5 alone, which was offline */
	irq(f, 25, "4\n"); /* somebody has narrowed it */
	irq(f, 40, "4-7\n"); /* the guest's driver has asked for it once more */
	assert_null(irq_facts_read(f->root, &c, &slept));
	for (size_t i = 0; i < steps.n; i++)
		assert_int_equal(irq_strayed(&slept, &steps.v[i]), i == away || streq(steps.v[i].target, "/proc/irq/24/smp_affinity_list"));
	irq(f, 25, "0-7\n"); /* its driver has begun anew */
	irq_facts_free(&slept);
	assert_null(irq_facts_read(f->root, &c, &slept));
	for (size_t i = 0; i < steps.n; i++)
		if (streq(steps.v[i].target, "/proc/irq/25/smp_affinity_list"))
			assert_true(irq_strayed(&slept, &steps.v[i]));
	fake_file(f, "/proc/interrupts", "           CPU0\n  24:          0  IR-PCI-MSI-0000:01:00.0    0-edge      vfio-msi[0](0000:01:00.0)\n"
					 "  40:          0  IR-PCI-MSI 1-edge      nvme0q1\n");
	assert_null(irq_facts_read(f->root, &c, &renumbered));
	for (size_t i = 0; i < steps.n; i++)
		assert_false(irq_strayed(&renumbered, &steps.v[i]));
}

static void test_watch_ends(void **state)
{
	int total = 0;
	unsigned round = 0;
	(void)state;
	for (int delay; (delay = irq_watch_delay(round)) > 0; round++)
		total += delay;
	assert_int_equal(total, 510);
	assert_int_equal(irq_watch_delay(round + 1), -1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_away),
		TEST(test_there_and_back),
		TEST(test_born_meanwhile),
		TEST(test_managed),
		TEST(test_gone),
		TEST(test_balanced),
		TEST(test_vfio),
		TEST(test_strayed),
		cmocka_unit_test(test_watch_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
