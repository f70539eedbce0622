/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's arguments: as text, and as a real QEMU and a real swtpm take them. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/guest/args_display.h"
#include "launcher/guest/args_machine.h"
#include "launcher/host/kind/process.h"
#include "launcher/host/qemu/qemu_ask.h"
#include "ovmf/tpm.h"
#include "ovmf/vars.h"
#include "qmp/qmp.h"
#include "tests/unit/tempdir.h"

#define LIMIT_MS 60000

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static struct config config(void)
{
	return (struct config){
		.vm = { .name = (char *)"win11" },
		.cpu = { .threads = 4 },
		.memory = { .size = UINT64_C(256) << 20 },
		.firmware = { .type = FIRMWARE_UEFI, .secure_boot = true },
		.tpm = { .version = TPM_2_0 },
		.console = { .serial = (char *)"none" },
	};
}

static void all(struct args *a, const struct config *c, const struct guest_host *h)
{
	guest_machine(a, c, h);
	guest_memory(a, c, h);
	guest_firmware(a, c, h);
	guest_tpm(a, c, h);
	guest_display(a, c, &(struct desktop_facts){}, h->qemu);
	guest_console(a, c, h);
	guest_extra(a, c, h);
}

/* The value of the nth option of that name; NULL if there are fewer. */
static const char *value_of(const struct args *a, const char *option, size_t nth)
{
	for (size_t i = 0; i < a->n; i++)
		if (streq(a->v[i].option, option) && nth-- == 0)
			return a->v[i].value;
	return NULL;
}

static bool has(const struct args *a, const char *option, const char *value)
{
	const char *got;
	for (size_t i = 0; (got = value_of(a, option, i)); i++)
		if (streq(got, value))
			return true;
	return false;
}

static struct firmware secure = { .code = (char *)"/fw/CODE,4M.fd", .code_format = (char *)"raw", .vars_format = (char *)"qcow2",
				  .secure_boot = true, .requires_smm = true, .enrolled_keys = true };

static void test_secure_boot(void **state)
{
	(void)state;
	struct config c = config();
	struct guest_host h = { .accel = ACCEL_KVM, .firmware = &secure, .vars_path = "/v/a \"b\",c.fd", .fd_qmp = 3, .fd_monitor = 4, .fd_tpm = 5,
				.numa_node = -1 };
	cleanup_args struct args a = {};
	all(&a, &c, &h);
	assert_string_equal(value_of(&a, "-machine", 0), "q35,smm=on,vmport=off,hpet=off,mem-merge=off,dump-guest-core=off,"
							 "memory-backend=ram,pflash0=flash-code,pflash1=flash-vars");
	assert_true(has(&a, "-accel", "kvm"));
	assert_true(has(&a, "-global", "driver=cfi.pflash01,property=secure,value=on"));
	assert_true(has(&a, "-global", "kvm-pit.lost_tick_policy=delay"));
	assert_true(has(&a, "-blockdev", "{\"node-name\":\"flash-code\",\"driver\":\"raw\",\"read-only\":true,\"file\":{\"driver\":\"file\","
					 "\"filename\":\"/fw/CODE,4M.fd\"}}"));
	assert_true(has(&a, "-blockdev", "{\"node-name\":\"flash-vars\",\"driver\":\"qcow2\",\"read-only\":false,\"file\":{\"driver\":\"file\","
					 "\"filename\":\"/v/a \\\"b\\\",c.fd\"}}"));
	assert_true(has(&a, "-chardev", "socket,id=chr-qmp,fd=3"));
	assert_true(has(&a, "-chardev", "socket,id=chr-control,fd=4,server=on,wait=off"));
	assert_true(has(&a, "-chardev", "socket,id=chr-tpm,fd=5"));
	assert_true(has(&a, "-device", "{\"driver\":\"tpm-tis\",\"tpmdev\":\"tpm\"}"));
	assert_true(has(&a, "-m", "size=256M"));
	assert_true(has(&a, "-object", "{\"qom-type\":\"memory-backend-ram\",\"id\":\"ram\",\"size\":268435456}"));
	assert_null(value_of(&a, "-kernel", 0));
	assert_non_null(value_of(&a, "-sandbox", 0));
	assert_true(has(&a, "-mon", "chardev=chr-qmp,id=qmp,mode=control"));
	const struct qemu_facts no_seccomp = { .no_seccomp = true, .has = (char *)"object:monitor-qmp" };
	cleanup_args struct args bare = {};
	h.qemu = &no_seccomp;
	all(&bare, &c, &h);
	assert_null(value_of(&bare, "-sandbox", 0));
	assert_null(value_of(&bare, "-mon", 0)); /* deprecated there */
	assert_true(has(&bare, "-object", "monitor-qmp,id=qmp,chardev=chr-qmp"));
	assert_true(has(&bare, "-object", "monitor-qmp,id=control,chardev=chr-control"));
}

static void test_bios_and_emulation(void **state)
{
	(void)state;
	struct config c = config();
	c.firmware.type = FIRMWARE_BIOS;
	c.tpm.version = TPM_NONE;
	c.memory.size = 0x10003000;
	struct guest_host h = { .accel = ACCEL_TCG, .firmware = &secure, .numa_node = -1 };
	cleanup_args struct args a = {};
	all(&a, &c, &h);
	assert_non_null(strstr(value_of(&a, "-machine", 0), "smm=off"));
	assert_null(strstr(value_of(&a, "-machine", 0), "pflash"));
	assert_null(value_of(&a, "-blockdev", 0));
	assert_null(value_of(&a, "-tpmdev", 0));
	assert_false(has(&a, "-global", "kvm-pit.lost_tick_policy=delay"));
	assert_true(has(&a, "-m", "size=268447744B"));
}

static void test_memory(void **state)
{
	(void)state;
	struct config c = config();
	struct guest_host h = { .accel = ACCEL_KVM, .firmware = &secure, .numa_node = 1 };
	static const struct {
		enum hugepages huge;
		unsigned threads;
		size_t shares;
		const char *object;
	} cases[] = {
		{ HUGEPAGES_1G, 16, 0, "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram\",\"size\":268435456,\"share\":true,\"hugetlb\":true,"
				      "\"hugetlbsize\":1073741824,\"prealloc\":true,\"prealloc-threads\":16,\"host-nodes\":[1],\"policy\":\"bind\"}" },
		{ HUGEPAGES_2M, 64, 0, "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram\",\"size\":268435456,\"share\":true,\"hugetlb\":true,"
				      "\"hugetlbsize\":2097152,\"prealloc\":true,\"prealloc-threads\":16,\"host-nodes\":[1],\"policy\":\"bind\"}" },
		{ HUGEPAGES_TRANSPARENT, 4, 0, "{\"qom-type\":\"memory-backend-ram\",\"id\":\"ram\",\"size\":268435456,\"host-nodes\":[1],"
					      "\"policy\":\"preferred\"}" },
		{ HUGEPAGES_OFF, 4, 1, "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram\",\"size\":268435456,\"share\":true,"
				      "\"host-nodes\":[1],\"policy\":\"preferred\"}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_args struct args a = {};
		c.memory.hugepages = cases[i].huge;
		h.n_vcpus = cases[i].threads;
		c.n_shares = cases[i].shares;
		guest_memory(&a, &c, &h);
		assert_string_equal(value_of(&a, "-object", 0), cases[i].object);
	}
}

/* A guest on two nodes of the host has two itself, each with the memory and the vCPUs that are there. */
static void test_nodes(void **state)
{
	(void)state;
	uint8_t near[] = { 10, 12 }, far[] = { 12, 10 };
	struct config c = config();
	const struct cpu_plan_node nodes[] = { { 5, 6, near }, { 4, 2, far } };
	struct guest_host h = { .accel = ACCEL_KVM, .firmware = &secure, .numa_node = -1, .nodes = nodes, .n_nodes = 2, .n_vcpus = 8 };
	cleanup_args struct args a = {};
	c.memory.hugepages = HUGEPAGES_2M;
	guest_machine(&a, &c, &h);
	guest_memory(&a, &c, &h);
	assert_null(strstr(value_of(&a, "-machine", 0), "memory-backend"));
	assert_non_null(strstr(value_of(&a, "-object", 0), "\"id\":\"ram0\",\"size\":201326592"));
	assert_non_null(strstr(value_of(&a, "-object", 0), "\"host-nodes\":[5],\"policy\":\"bind\""));
	assert_non_null(strstr(value_of(&a, "-object", 1), "\"id\":\"ram1\",\"size\":67108864"));
	assert_string_equal(value_of(&a, "-numa", 0), "node,nodeid=0,memdev=ram0,cpus=0-5");
	assert_string_equal(value_of(&a, "-numa", 1), "node,nodeid=1,memdev=ram1,cpus=6-7");
	assert_string_equal(value_of(&a, "-numa", 2), "dist,src=0,dst=1,val=12");
}

static void test_console_and_boot(void **state)
{
	(void)state;
	struct config c = config();
	struct guest_host h = { .accel = ACCEL_TCG, .firmware = &secure, .numa_node = -1 };
	static const struct {
		const char *serial, *chardev;
	} cases[] = {
		{ "stdio", "stdio,id=chr-serial,signal=off" },
		{ "pty", "pty,id=chr-serial" },
		{ "/tmp/a,b", "file,id=chr-serial,path=/tmp/a,,b" },
		{ "none", NULL },
		{ NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_args struct args a = {};
		c.console.serial = (char *)cases[i].serial;
		guest_console(&a, &c, &h);
		const char *chardev = value_of(&a, "-chardev", 0);
		assert_true(streq(chardev, cases[i].chardev));
		assert_int_equal(value_of(&a, "-device", 0) != NULL, chardev != NULL);
	}
	static const struct {
		const char *agent, *chardev;
	} agents[] = {
		{ "yes", "socket,id=chr-agent,fd=6,server=on,wait=off" },
		{ "/run/a,b", "socket,id=chr-agent,path=/run/a,,b" },
		{ "no", NULL },
		{ NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(agents); i++) {
		cleanup_args struct args a = {};
		h.fd_agent = 6;
		c.console.agent = (char *)agents[i].agent;
		guest_extra(&a, &c, &h);
		assert_true(streq(value_of(&a, "-chardev", 0), agents[i].chardev));
		assert_int_equal(has(&a, "-device", "{\"driver\":\"virtio-serial-pci\",\"id\":\"agents\",\"bus\":\"pcie.0\",\"addr\":\"1c.1\"}"), agents[i].chardev != NULL);
	}
	cleanup_args struct args a = {};
	c.boot.kernel = (char *)"/k,1";
	c.boot.initrd = (char *)"/i";
	c.boot.cmdline = (char *)"console=ttyS0,115200 a=b";
	strv_add(&c.qemu.args, "-smbios");
	strv_add(&c.qemu.args, "type=1");
	guest_extra(&a, &c, &h);
	assert_true(has(&a, "-kernel", "/k,1") && has(&a, "-initrd", "/i") && has(&a, "-append", "console=ttyS0,115200 a=b"));
	cleanup_strv struct strv argv = {};
	args_argv(&a, "qemu", &argv);
	assert_string_equal(argv.v[argv.n - 2], "-smbios");
	assert_string_equal(argv.v[argv.n - 1], "type=1");
	strv_free(&c.qemu.args);
}

/* Every option says why, or the one before it says it for both. */
static void test_whys(void **state)
{
	(void)state;
	struct config c = config();
	struct guest_host h = { .accel = ACCEL_KVM, .firmware = &secure, .vars_path = "/v", .numa_node = 0 };
	cleanup_args struct args a = {};
	c.console.serial = (char *)"stdio";
	all(&a, &c, &h);
	for (size_t i = 1; i < a.n; i++)
		assert_true(a.v[i].why || a.v[i - 1].why || a.v[i - 2].why);
	assert_non_null(a.v[0].why);
}

/* ---- real ones ---- */

struct pair {
	struct process qemu, swtpm;
	struct args qemu_args, swtpm_args;
	struct strv qemu_argv, swtpm_argv;
	int qmp, monitor;
};

static void socket_pair(int *ours, int *theirs)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*ours = fds[0];
	*theirs = fds[1];
}

/* What the real one can, asked as whom it will run, and kept nowhere. */
static struct qemu_facts asked(void)
{
	cleanup_user struct user user = {};
	json_t *answer = NULL;
	ok(user_find(geteuid() == 0 ? "root" : NULL, &user));
	ok(qemu_ask("/usr/bin/qemu-system-x86_64", &user, &answer));
	struct qemu_facts f = { .has = str_dup(json_string_value(json_object_get(answer, "has"))) };
	json_decref(answer);
	return f;
}

static void start(struct pair *p, void *state, const struct config *c, const struct firmware *fw)
{
	cleanup_free char *data = str_fmt("%s/data", tempdir_path(state)), *vars = vars_path(c, data, fw), *dir = tpm_dir(c, data);
	cleanup_qemu_facts struct qemu_facts facts = asked();
	struct guest_host h = { .accel = ACCEL_TCG, .qemu = &facts, .firmware = fw, .vars_path = vars, .fd_qmp = 3, .fd_monitor = 4,
				.fd_tpm = 5, .numa_node = -1 };
	struct root *host = NULL;
	ok(root_open("/", &host));
	ok(vars_prepare(host, c, data, fw));
	ok(tpm_prepare(host, c, data));
	root_close(host);
	all(&p->qemu_args, c, &h);
	guest_swtpm(&p->swtpm_args, c, dir, PROCESS_FD);
	args_argv(&p->qemu_args, "/usr/bin/qemu-system-x86_64", &p->qemu_argv);
	args_argv(&p->swtpm_args, "/usr/bin/swtpm", &p->swtpm_argv);
	p->qemu = p->swtpm = (struct process)PROCESS_INIT;
	p->qemu.name = "qemu";
	p->qemu.argv = p->qemu_argv.v;
	p->swtpm.name = "swtpm";
	p->swtpm.argv = p->swtpm_argv.v;
	socket_pair(&p->qmp, &p->qemu.fds[0]);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/monitor", tempdir_path(state));
	p->qemu.fds[1] = p->monitor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->monitor, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(p->monitor, 1), 0);
	socket_pair(&p->swtpm.fds[0], &p->qemu.fds[2]);
	p->swtpm.n_fds = 1;
	p->qemu.n_fds = 3;
	ok(process_hold(&p->qemu));
	ok(process_hold(&p->swtpm));
	ok(process_release(&p->swtpm));
	ok(process_release(&p->qemu));
	close(p->swtpm.fds[0]);
	for (size_t i = 0; i < p->qemu.n_fds; i++)
		close(p->qemu.fds[i]);
}

static void free_pair(struct pair *p)
{
	process_close(&p->qemu);
	process_close(&p->swtpm);
	args_free(&p->qemu_args);
	args_free(&p->swtpm_args);
	strv_free(&p->qemu_argv);
	strv_free(&p->swtpm_argv);
}

static void await_end(struct process *p)
{
	struct pollfd end = { .fd = p->pidfd, .events = POLLIN };
	assert_int_equal(poll(&end, 1, LIMIT_MS), 1);
	assert_true(process_ended(p));
	process_listen(p);
	cleanup_free char *words = process_last_words(p, 5);
	assert_string_equal(words, ""); /* no warning either */
	assert_int_equal(p->status, 0);
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* What was built is what runs: Secure Boot's firmware, the VARS by their path, a TPM, paused. Then the second connection ends it. */
static void test_real(void **state)
{
	struct config c = config();
	struct pair p = {};
	struct root *host = NULL;
	cleanup_firmware struct firmware fw = {};
	ok(root_open("/", &host));
	ok(firmware_find(host, NULL, true, &fw));
	root_close(host);
	cleanup_free char *vars = str_fmt("%s/odd, \"name\"\n100%%.fd", tempdir_path(*state));
	c.firmware.vars = vars;
	start(&p, *state, &c, &fw);
	cleanup_qmp struct qmp *q = qmp_new(p.qmp);
	struct err *e = qmp_handshake(q, LIMIT_MS);
	if (e) {
		process_listen(&p.qemu);
		fail_msg("%s: %s", err_text(e), p.qemu.said.s ? p.qemu.said.s : "");
	}
	json_t *status = NULL, *tpm = NULL, *blocks = NULL;
	ok(qmp_call(q, "query-status", NULL, LIMIT_MS, &status));
	assert_string_equal(text(status, "status"), "prelaunch");
	ok(qmp_call(q, "query-tpm", NULL, LIMIT_MS, &tpm));
	assert_string_equal(text(json_array_get(tpm, 0), "model"), "tpm-tis");
	ok(qmp_call(q, "query-block", NULL, LIMIT_MS, &blocks));
	size_t i, seen = 0;
	json_t *block;
	json_array_foreach(blocks, i, block) {
		const json_t *image = json_object_get(json_object_get(block, "inserted"), "image");
		seen += streq(text(image, "filename"), vars);
	}
	assert_int_equal(seen, 1);
	json_decref(status);
	json_decref(tpm);
	json_decref(blocks);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/monitor", tempdir_path(*state));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cleanup_qmp struct qmp *second = qmp_new(fd);
	ok(qmp_call(second, "quit", NULL, LIMIT_MS, NULL));
	await_end(&p.qemu);
	await_end(&p.swtpm);
	free_pair(&p);
	/* swtpm has made its state: it is whole, and the next start copies it */
	cleanup_free char *data = str_fmt("%s/data", tempdir_path(*state));
	ok(root_open("/", &host));
	ok(tpm_prepare(host, &c, data));
	root_close(host);
	assert_true(root_exists(tempdir_root(*state), "/data/qlaunch/win11/tpm.copies/tpm2-00.permall.000001"));
}

/* QEMU's death takes swtpm with it, and its state stays whole. */
static void test_real_killed(void **state)
{
	struct config c = config();
	struct pair p = {};
	struct root *host = NULL;
	cleanup_firmware struct firmware fw = {};
	c.firmware.secure_boot = false;
	c.tpm.model = TPM_CRB;
	ok(root_open("/", &host));
	ok(firmware_find(host, NULL, false, &fw));
	start(&p, *state, &c, &fw);
	cleanup_qmp struct qmp *q = qmp_new(p.qmp);
	ok(qmp_handshake(q, LIMIT_MS));
	ok(process_stop(p.qemu.id, LIMIT_MS));
	await_end(&p.swtpm);
	free_pair(&p);
	cleanup_free char *data = str_fmt("%s/data", tempdir_path(*state));
	ok(tpm_prepare(host, &c, data));
	root_close(host);
}

static void add_sets(struct strv *sets, const char *const *v)
{
	for (; *v; v++)
		strv_add(sets, *v);
}

/* Properties of any device of ours, of the board, of a kind of device: QEMU itself reads the value, whatever its type. */
static void test_set(void **state)
{
	static const char *const wanted[] = { "disk-a.b.write-cache=off", "disk-a.b.serial=a,b", "machine.kernel-irqchip=split", "vfio-pci.x-no-kvm-intx=on",
					      "list.iops=5", NULL };
	cleanup_strv struct strv sets = {};
	cleanup_args struct args a = {};
	(void)state;
	args_json(&a, "-device", json_pack("{s:s, s:s, s:s, s:i, s:b}", "driver", "nvme", "id", "disk-a.b", "serial", "x,y", "bootindex", 1, "share-rw", 1), "");
	args_json(&a, "-device", json_pack("{s:s, s:s, s:[{s:s}, {s:s}]}", "driver", "d", "id", "list", "iothread-vq-mapping", "iothread", "io-1", "iothread", "io-2"), "");
	args_add(&a, "-machine", "q35", "");
	args_json(&a, "-device", json_pack("{s:s, s:s, s:b}", "driver", "qemu-xhci", "id", "usb", "on", 1), "");
	add_sets(&sets, wanted);
	args_set(&a, &sets);
	assert_string_equal(a.v[0].value, "nvme,id=disk-a.b,serial=x,,y,bootindex=1,share-rw=on,write-cache=off,serial=a,,b");
	assert_string_equal(a.v[1].value, "d,id=list,iothread=io-1,iops=5");
	assert_string_equal(a.v[2].value, "q35,kernel-irqchip=split");
	assert_string_equal(a.v[3].value, "qemu-xhci,id=usb,on=on"); /* else it would come after those that stand on it */
	assert_string_equal(value_of(&a, "-global", 0), "driver=vfio-pci,property=x-no-kvm-intx,value=on");
}

static void test_smbios(void **state)
{
	static char *host[SMBIOS_FIELDS] = { [SMBIOS_MANUFACTURER] = (char *)"ACME, Inc.", [SMBIOS_PRODUCT] = (char *)"Box", [SMBIOS_BIOS_VENDOR] = (char *)"AMI" };
	struct config c = config();
	struct guest_host h = { .accel = ACCEL_KVM, .firmware = &secure, .dmi = host, .machine = "pc-q35-7.2" };
	cleanup_args struct args a = {};
	(void)state;
	c.smbios.fields[SMBIOS_PRODUCT] = (char *)"Mine";
	c.clock.base = CLOCK_UTC;
	c.clock.hpet = true;
	c.vm.pcihole64 = UINT64_C(64) << 30;
	guest_machine(&a, &c, &h);
	guest_smbios(&a, &c, &h);
	assert_string_equal(value_of(&a, "-smbios", 0), "type=0,vendor=AMI");
	assert_string_equal(value_of(&a, "-smbios", 1), "type=1,manufacturer=ACME,, Inc.,product=Mine");
	assert_string_equal(value_of(&a, "-rtc", 0), "base=utc,driftfix=slew");
	assert_true(str_starts(value_of(&a, "-machine", 0), "pc-q35-7.2,smm=on,vmport=off,hpet=on"));
	assert_true(has(&a, "-global", "q35-pcihost.pci-hole64-size=68719476736"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secure_boot),
		cmocka_unit_test(test_bios_and_emulation),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_nodes), cmocka_unit_test(test_set), cmocka_unit_test(test_smbios),
		cmocka_unit_test(test_console_and_boot),
		cmocka_unit_test(test_whys),
		cmocka_unit_test_setup_teardown(test_real, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_real_killed, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
