/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top: counters out of texts and JSON, rates out of two samples, and what is said where something is not known. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include "launcher/top/rate.h"
#include "tests/unit/fakekernel.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-6)

static const struct vcpu_count unknown = { .cpu = -1, .ran_on = -1, .run_ns = COUNT_NONE, .delay_ns = COUNT_NONE, .exits = COUNT_NONE };

static void test_schedstat(void **state)
{
	(void)state;
	struct vcpu_count v = unknown;
	assert_true(count_schedstat("254729564 25508851 568\n", &v));
	assert_int_equal(v.run_ns, 254729564);
	assert_int_equal(v.delay_ns, 25508851);
	v = unknown;
	assert_false(count_schedstat("0 0 0\n", &v)); /* a kernel that keeps none */
	assert_false(count_schedstat("", &v));
	assert_int_equal(v.delay_ns, COUNT_NONE);
}

static void test_task_stat(void **state)
{
	(void)state;
	static const char stat[] =
		"77 (CPU 0) KVM) R 1 1 1 0 -1 4194368 10 0 0 0 250 50 0 0 20 0 5 0 440926 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -1 9 0";
	struct vcpu_count v = unknown;
	assert_true(count_task_stat(stat, 100, &v));
	assert_int_equal(v.ran_on, 9);
	assert_int_equal(v.run_ns, UINT64_C(3000000000)); /* 300 ticks */
	v.run_ns = 7;
	assert_true(count_task_stat(stat, 100, &v));
	assert_int_equal(v.run_ns, 7); /* schedstat's is finer */
	v = unknown;
	assert_false(count_task_stat("77 (x) R 1 1", 100, &v));
	assert_int_equal(v.ran_on, -1);
}

static void test_cpu_times(void **state)
{
	(void)state;
	struct cpu_count cpus[2] = {};
	count_cpu_times("cpu  9 9 9 9 9 9 9 9 9 9\ncpu1 100 20 3 4000 50 6 7 8 90 0\ncpu2 1 1 1 1 1 1 1 1 1 1\nintr 5\n", cpus, 2);
	assert_int_equal(cpus[1].busy, 100 + 20 + 3 + 6 + 7); /* neither idle nor iowait; the guest's 90 are in user */
	assert_int_equal(cpus[1].steal, 8);
	assert_int_equal(cpus[0].busy, 0);
}

static const char interrupts[] = "           CPU0       CPU2\n"
				 "  24:        1         12  IR-PCI-MSI 16385-edge      nvme0q1\n"
				 "  40:        0        700  IR-PCI-MSI-0000:01:00.0    0-edge      vfio-msi[0](0000:01:00.0)\n"
				 " LOC:     1000       2000   Local timer interrupts\n"
				 " RES:        5          6   Rescheduling interrupts\n"
				 " CAL:       10         20   Function call interrupts\n"
				 " PIN:        0          3   Posted-interrupt notification event\n"
				 " NMI:        0          4   Non-maskable interrupts\n"
				 " ERR:          9\n";

static void test_interrupts(void **state)
{
	(void)state;
	struct cpu_count cpus[4];
	memset(cpus, 0xff, sizeof(cpus));
	assert_true(count_interrupts(interrupts, cpus, 4)); /* the second column is CPU 2: CPU 1 is offline */
	assert_int_equal(cpus[2].irqs[IRQ_TIMER], 2000);
	assert_int_equal(cpus[2].irqs[IRQ_IPI], 26);
	assert_int_equal(cpus[2].irqs[IRQ_GUEST], 703);
	assert_int_equal(cpus[2].irqs[IRQ_DEVICE], 12);
	assert_int_equal(cpus[2].irqs[IRQ_OTHER], 4);
	assert_int_equal(cpus[0].irqs[IRQ_OTHER], 0); /* "ERR" is nobody's */
	assert_int_equal(cpus[1].irqs[IRQ_TIMER], COUNT_NONE);
	assert_int_equal(cpus[3].irqs[IRQ_TIMER], COUNT_NONE);
	assert_false(count_interrupts("", cpus, 4));
	assert_true(count_interrupts(interrupts, cpus, 1)); /* only those that are asked for */
}

/* As QEMU 7.2 says it of a guest with KVM: not in the order of the vCPUs. */
static const char kvm_stats[] =
	"[{\"provider\":\"kvm\",\"qom-path\":\"/machine/unattached/device[2]\",\"stats\":[{\"name\":\"halt_exits\",\"value\":1},{\"name\":\"exits\",\"value\":30}]},"
	"{\"provider\":\"kvm\",\"qom-path\":\"/machine/unattached/device[0]\",\"stats\":[{\"name\":\"mmio_exits\",\"value\":376},{\"name\":\"halt_exits\",\"value\":4},"
	"{\"name\":\"exits\",\"value\":7828}]}]";
static const char kvm_cpus[] =
	"[{\"cpu-index\":0,\"qom-path\":\"/machine/unattached/device[0]\"},{\"cpu-index\":1,\"qom-path\":\"/machine/unattached/device[2]\"}]";

static void test_exits(void **state)
{
	(void)state;
	struct vcpu_count vcpus[2] = { unknown, unknown };
	uint64_t sums[EXITS_KINDS];
	memset(sums, 0xff, sizeof(sums));
	json_t *stats = json_loads(kvm_stats, 0, NULL), *cpus = json_loads(kvm_cpus, 0, NULL), *none = json_array();
	assert_true(count_exits(stats, cpus, vcpus, 2, sums));
	assert_int_equal(vcpus[0].exits, 7828);
	assert_int_equal(vcpus[1].exits, 30);
	assert_int_equal(sums[EXITS_ALL], 7858);
	assert_int_equal(sums[EXITS_HALT], 5);
	assert_int_equal(sums[EXITS_MMIO], 376);
	assert_int_equal(sums[EXITS_IO], COUNT_NONE);
	assert_true(count_exits(stats, cpus, vcpus, 1, sums)); /* more than there should be: no write beyond */
	assert_false(count_exits(none, cpus, vcpus, 2, sums));
	assert_false(count_exits(NULL, NULL, vcpus, 2, sums));
	json_decref(stats);
	json_decref(cpus);
	json_decref(none);
}

static void test_disks(void **state)
{
	(void)state;
	struct disk_count *disks = NULL;
	json_t *stats =
		json_loads("[{\"node-name\":\"code\",\"stats\":{}},"
			   "{\"node-name\":\"snapshot-1\",\"qdev\":\"/machine/peripheral/disk-windows/virtio-backend\","
			   "\"stats\":{\"rd_bytes\":1,\"wr_bytes\":2,\"rd_operations\":3,\"wr_operations\":4,\"rd_total_time_ns\":5}},"
			   "{\"node-name\":\"cdrom-install\",\"stats\":{}}, 7]",
			   0, NULL);
	assert_int_equal(count_disks(stats, &disks), 2);
	assert_string_equal(disks[0].name, "windows");
	assert_int_equal(disks[0].bytes[DISK_WRITE], 2);
	assert_int_equal(disks[0].ns[DISK_READ], 5);
	assert_int_equal(disks[0].ns[DISK_WRITE], COUNT_NONE);
	assert_string_equal(disks[1].name, "install");
	free(disks[0].name);
	free(disks[1].name);
	free(disks);
	json_decref(stats);
}

/* A machine of two vCPUs on CPUs 2 and 3, its QEMU 100, as the kernel shows it at one of two moments. */
static void put_moment(struct fake *f, bool later)
{
	fake_file(f, "/proc/100/task/101/schedstat", later ? "1500000000 30000000 9" : "1000000000 10000000 9");
	fake_file(f, "/proc/100/task/101/stat",
		  "101 (CPU 0/KVM) R 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 5 0 4 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -1 2 0");
	fake_file(f, "/proc/100/task/102/schedstat", later ? "2000000000 0 9" : "2000000000 0 9");
	fake_file(f, "/proc/100/task/102/stat",
		  "102 (CPU 1/KVM) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 5 0 4 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -1 0 0");
	/* CPU 2: 60 of 100 ticks busy, 50 by the vCPU; 3 stolen */
	fake_file(f, "/proc/stat",
		  later ? "cpu2 1060 0 0 40 0 0 0 13\ncpu3 20 0 0 90 0 0 0 0\n" : "cpu2 1000 0 0 0 0 0 0 10\ncpu3 20 0 0 0 0 0 0 0\n");
	fake_file(f, "/proc/interrupts",
		  later ? " CPU2 CPU3\nLOC: 1250 40 timer\n9: 5 0 eth0\n" : " CPU2 CPU3\nLOC: 1000 40 timer\n9: 1 0 eth0\n");
	fake_file(f, "/proc/100/status", "Name:\tqemu\nHugetlbPages:\t 1048576 kB\n");
	fake_file(f, "/proc/100/smaps_rollup", "Rss: 5 kB\nAnonHugePages:     4096 kB\nShmemPmdMapped:     2048 kB\n");
	fake_file(f, "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "4");
	fake_file(f, "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "3");
	fake_file(f, "/sys/kernel/debug/kvm/100-14/exits", later ? "6000" : "1000");
	fake_file(f, "/sys/kernel/debug/kvm/100-14/halt_exits", later ? "70" : "20");
	fake_file(f, "/sys/kernel/debug/kvm/1001-14/exits", "5");
	static const char *const links[] = { "tap0", "mac0" };
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		static const char *const files[][3] = { { "rx_bytes", "1000", "3000" }, { "tx_bytes", "500", "10500" },
							{ "rx_packets", "1", "3" },     { "tx_packets", "5", "15" },
							{ "rx_dropped", "0", "0" },     { "tx_dropped", "1", "2" } };
		for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
			cleanup_free char *path = str_fmt("/sys/class/net/%s/statistics/%s", links[i], files[k][0]);
			fake_file(f, path, files[k][later ? 2 : 1]);
		}
	}
	fake_file(f, "/sys/class/net/tap0/ifalias", "qlaunch win11 lan\n");
	fake_file(f, "/sys/class/net/mac0/ifalias", "qlaunch win11 wan\n");
}

static struct top_machine machine(struct fake *f, const char *accel)
{
	cleanup_free char *text = str_fmt(
		"{\"qemu\":100,\"accel\":\"%s\",\"vcpus\":[{\"vcpu\":0,\"thread\":101,\"cpu\":2},{\"vcpu\":1,\"thread\":102,\"cpu\":3}]}",
		accel);
	json_t *status = json_loads(text, 0, NULL);
	struct top_machine m = {};
	assert_null(top_machine_parse(f->root, "win11", "/run/qlaunch/win11", status, &m));
	json_decref(status);
	strv_add(&m.links, "tap0");
	strv_add(&m.taps, "tap0");
	strv_add(&m.links, "mac0");
	return m;
}

/* Both moments, one second apart. */
static void two_samples(struct fake *f, const struct top_machine *m, struct sample *before, struct sample *now)
{
	put_moment(f, false);
	sample_take(m, NULL, 100, before);
	put_moment(f, true);
	sample_take(m, before, 100, now);
	now->at_ns = before->at_ns + 1000000000;
	now->qemu_at_ns = before->qemu_at_ns + 1000000000;
}

static void test_rates(void **state)
{
	struct fake *f = *state;
	cleanup_top_machine struct top_machine m = machine(f, "kvm");
	cleanup_sample struct sample before = {}, now = {};
	cleanup_rates struct rates r = {};
	two_samples(f, &m, &before, &now);
	rates_make(&m, &before, &now, 100, &r);
	assert_int_equal(r.n_vcpus, 2);
	assert_int_equal(r.vcpus[0].ran_on, 2);
	NEAR(r.vcpus[0].usage, 0.5);
	NEAR(r.vcpus[0].delay, 0.02);
	NEAR(r.vcpus[0].others, 0.1);
	NEAR(r.vcpus[0].steal, 0.03);
	NEAR(r.vcpus[0].irqs[IRQ_TIMER], 250);
	NEAR(r.vcpus[0].irqs[IRQ_DEVICE], 4);
	NEAR(r.vcpus[1].usage, 0);
	assert_int_equal(r.vcpus[1].ran_on, 0); /* it is not where it should be */
	NEAR(r.exits[EXITS_ALL], 5000);         /* of the folder of this QEMU, not of 1001's */
	NEAR(r.exits[EXITS_HALT], 50);
	assert_true(isnan(r.exits[EXITS_IO]));
	assert_true(isnan(r.vcpus[0].exits));
	/* a tap receives what the guest sends; a macvtap sends it */
	assert_string_equal(r.nets[0].name, "lan");
	NEAR(r.nets[0].bytes[NET_OUT], 2000);
	NEAR(r.nets[0].bytes[NET_IN], 10000);
	NEAR(r.nets[0].dropped, 1);
	assert_string_equal(r.nets[1].name, "wan");
	NEAR(r.nets[1].bytes[NET_OUT], 10000);
	assert_int_equal(now.hugetlb, UINT64_C(1) << 30);
	assert_int_equal(now.transparent, 6 << 20);
	assert_int_equal(now.pools[0].free, 3);
}

static void test_a_counter_that_begins_anew_has_no_rate(void **state)
{
	struct fake *f = *state;
	cleanup_top_machine struct top_machine m = machine(f, "kvm");
	cleanup_sample struct sample before = {}, now = {};
	cleanup_rates struct rates r = {};
	two_samples(f, &m, &before, &now);
	before.vcpus[0].delay_ns = now.vcpus[0].delay_ns + 1;
	before.vcpus[1].thread = 999; /* another thread */
	before.cpus[3].busy = 1 << 20;
	rates_make(&m, &before, &now, 100, &r);
	assert_true(isnan(r.vcpus[0].delay));
	assert_true(isnan(r.vcpus[1].usage));
	assert_true(isnan(r.vcpus[1].others));
	before.at_ns = now.at_ns; /* no time has gone */
	rates_free(&r);
	rates_make(&m, &before, &now, 100, &r);
	assert_true(isnan(r.vcpus[0].usage));
}

static bool missing(const struct sample *s, const char *what)
{
	for (size_t i = 0; i < s->missing.n; i++)
		if (str_starts(s->missing.v[i], what))
			return true;
	return false;
}

static void test_what_is_missing_is_named(void **state)
{
	struct fake *f = *state;
	cleanup_top_machine struct top_machine m = machine(f, "tcg");
	cleanup_sample struct sample s = {};
	sample_take(&m, NULL, 100, &s); /* an empty host */
	assert_true(missing(&s, "VM exits: only KVM counts them"));
	assert_true(missing(&s, "run delay"));
	assert_true(missing(&s, "interrupts"));
	assert_true(missing(&s, "network: tap0"));
	assert_true(missing(&s, "transparent huge pages"));
	assert_true(missing(&s, "disks"));
	cleanup_top_machine struct top_machine kvm = machine(f, "kvm");
	cleanup_sample struct sample none = {};
	sample_take(&kvm, NULL, 100, &none);
	assert_true(missing(&none, "VM exits: /sys/kernel/debug/kvm"));
}

static void test_status_that_is_none(void **state)
{
	struct fake *f = *state;
	struct top_machine m = {};
	json_t *status = json_loads("{\"qemu\":0,\"accel\":\"tcg\",\"vcpus\":[]}", 0, NULL);
	struct err *e = top_machine_parse(f->root, "x", "/run/x", status, &m);
	assert_non_null(e);
	err_free(e);
	json_decref(status);
}

static void test_text_fits_and_colours_what_disturbs(void **state)
{
	struct fake *f = *state;
	cleanup_top_machine struct top_machine m = machine(f, "kvm");
	cleanup_sample struct sample before = {}, now = {};
	cleanup_rates struct rates r = {};
	cleanup_strv struct strv plain = {}, coloured = {};
	two_samples(f, &m, &before, &now);
	now.hugetlb = COUNT_NONE;
	rates_make(&m, &before, &now, 100, &r);
	rates_text(&r, false, &plain);
	for (size_t i = 0; i < plain.n; i++) {
		assert_null(strchr(plain.v[i], '\033'));
		assert_true(str_width(plain.v[i]) <= 79);
	}
	cleanup_free char *text = strv_join(&plain, "\n");
	assert_non_null(strstr(text, "\n   0    2      2   50 %  20.0 ms    10 %    3 %        -"));
	assert_non_null(strstr(text, "exits    5000/s: halt 50, io -, mmio -"));
	assert_non_null(strstr(text, "pool of 1G pages: 1 of 4 in use"));
	rates_text(&r, true, &coloured);
	cleanup_free char *colours = strv_join(&coloured, "\n");
	assert_non_null(strstr(colours, "\033[31m20.0 ms\033[0m")); /* two frames lost a second */
	assert_non_null(strstr(colours, "\033[31m10 %\033[0m"));
	assert_non_null(strstr(colours, "\033[31m0\033[0m")); /* vCPU 1 is astray */
}

static void test_json_has_null_for_what_is_not_known(void **state)
{
	struct fake *f = *state;
	cleanup_top_machine struct top_machine m = machine(f, "kvm");
	cleanup_sample struct sample before = {}, now = {};
	cleanup_rates struct rates r = {};
	two_samples(f, &m, &before, &now);
	rates_make(&m, &before, &now, 100, &r);
	json_t *o = rates_json(&r), *vcpu = json_array_get(json_object_get(o, "vcpus"), 0);
	NEAR(json_number_value(json_object_get(vcpu, "delay_ms_per_s")), 20);
	assert_true(json_is_null(json_object_get(vcpu, "exits_per_s")));
	assert_true(json_is_null(json_object_get(o, "disks")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "memory"), "transparent")), 6 << 20);
	NEAR(json_number_value(json_object_get(json_object_get(o, "exits_per_s"), "halt")), 50);
	json_decref(o);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedstat),
		cmocka_unit_test(test_task_stat),
		cmocka_unit_test(test_cpu_times),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_disks),
		cmocka_unit_test_setup_teardown(test_rates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_counter_that_begins_anew_has_no_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_missing_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_that_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_fits_and_colours_what_disturbs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json_has_null_for_what_is_not_known, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
