/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments for passed-through devices, from facts made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/guest/args_pci.h"

static struct pci_function function(const char *addr, uint32_t class, uint64_t bar)
{
	struct pci_function fn = { .class = class, .bar = { bar } };
	struct err *e = pci_addr_parse(addr, &fn.addr);
	assert_null(e);
	return fn;
}

/* Every option and value, a line each; owned by the caller. */
static char *told(const struct args *a)
{
	struct sb sb = {};
	for (size_t i = 0; i < a->n; i++)
		sb_addf(&sb, "%s %s\n", a->v[i].option, a->v[i].value);
	return sb_steal(&sb);
}

/* A USB controller named first, a GPU with its sound and a second slot of its group. */
static void test_ports(void **state)
{
	(void)state;
	struct conf_pci conf[] = { { .name = (char *)"usb", .rom_bar = true },
				   { .name = (char *)"gpu", .rom = (char *)"/a,b \"c\".rom", .rom_bar = true } };
	struct pci_function usb[] = { function("05:00.3", 0x0c0330, 1 << 20) };
	struct pci_function gpu[] = { function("01:00.0", 0x030000, 1 << 28), function("01:00.1", 0x040300, 1 << 14),
				      function("02:00.1", 0x0c0330, 0), function("02:00.2", 0x0c8000, 0) };
	struct pci_pick picks[] = { { .conf = &conf[0], .v = usb, .n = 1 }, { .conf = &conf[1], .v = gpu, .n = 4 } };
	struct pci_facts facts = { .picks = picks, .n_picks = 2 };
	struct config config = { .pci = conf, .n_pci = 2, .firmware.type = FIRMWARE_UEFI, .display.video = VIDEO_NONE };
	cleanup_args struct args args = {};
	pci_args(&args, &config, &facts, pci_ports(&facts), -1);
	cleanup_free char *text = told(&args);
	assert_string_equal(
		text,
		"-device {\"driver\":\"pcie-root-port\",\"id\":\"port1\",\"chassis\":1,\"slot\":1,\"bus\":\"pcie.0\",\"addr\":\"10.0\"}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"pci-gpu\",\"host\":\"0000:01:00.0\",\"bus\":\"port1\",\"addr\":\"00.0\","
		"\"multifunction\":true,\"romfile\":\"/a,b \\\"c\\\".rom\"}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"fn-1-1\",\"host\":\"0000:01:00.1\",\"bus\":\"port1\",\"addr\":\"00.1\"}\n"
		"-device {\"driver\":\"pcie-root-port\",\"id\":\"port2\",\"chassis\":2,\"slot\":2,\"bus\":\"pcie.0\",\"addr\":\"11.0\"}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"fn-2-0\",\"host\":\"0000:02:00.1\",\"bus\":\"port2\",\"addr\":\"00.0\","
		"\"multifunction\":true}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"fn-2-1\",\"host\":\"0000:02:00.2\",\"bus\":\"port2\",\"addr\":\"00.1\"}\n"
		"-device {\"driver\":\"pcie-root-port\",\"id\":\"port3\",\"chassis\":3,\"slot\":3,\"bus\":\"pcie.0\",\"addr\":\"12.0\"}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"pci-usb\",\"host\":\"0000:05:00.3\",\"bus\":\"port3\",\"addr\":\"00.0\"}\n"
		"-fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=65536\n");
}

/* By descriptors, which stand in the order of the facts, where the arguments have GPUs first. */
static void test_iommufd(void **state)
{
	(void)state;
	struct conf_pci conf[] = { { .name = (char *)"usb", .rom_bar = true }, { .name = (char *)"gpu", .rom_bar = true } };
	struct pci_function usb[] = { function("05:00.3", 0x0c0330, 1 << 20) };
	struct pci_function gpu[] = { function("01:00.0", 0x030000, 1 << 28), function("01:00.1", 0x040300, 1 << 14) };
	struct pci_pick picks[] = { { .conf = &conf[0], .v = usb, .n = 1 }, { .conf = &conf[1], .v = gpu, .n = 2 } };
	struct pci_facts facts = { .picks = picks, .n_picks = 2 };
	struct config config = { .pci = conf, .n_pci = 2, .firmware.type = FIRMWARE_BIOS, .display.video = VIDEO_VIRTIO };
	cleanup_args struct args args = {};
	args_iommufd(&args, 7);
	pci_args(&args, &config, &facts, pci_ports(&facts), 8);
	cleanup_free char *text = told(&args);
	assert_string_equal(
		text,
		"-object {\"qom-type\":\"iommufd\",\"id\":\"iommufd0\",\"fd\":\"7\"}\n"
		"-device {\"driver\":\"pcie-root-port\",\"id\":\"port1\",\"chassis\":1,\"slot\":1,\"bus\":\"pcie.0\",\"addr\":\"10.0\"}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"pci-gpu\",\"fd\":\"9\",\"iommufd\":\"iommufd0\",\"bus\":\"port1\",\"addr\":\"00.0\","
		"\"multifunction\":true}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"fn-1-1\",\"fd\":\"10\",\"iommufd\":\"iommufd0\",\"bus\":\"port1\",\"addr\":\"00.1\"}\n"
		"-device {\"driver\":\"pcie-root-port\",\"id\":\"port2\",\"chassis\":2,\"slot\":2,\"bus\":\"pcie.0\",\"addr\":\"11.0\"}\n"
		"-device {\"driver\":\"vfio-pci\",\"id\":\"pci-usb\",\"fd\":\"8\",\"iommufd\":\"iommufd0\",\"bus\":\"port2\",\"addr\":\"00.0\"}\n");
}

static char *last(const struct config *config, const struct pci_facts *facts)
{
	cleanup_args struct args args = {};
	pci_args(&args, config, facts, pci_ports(facts), -1);
	return str_dup(args.v[args.n - 1].value);
}

static void test_window(void **state)
{
	(void)state;
	struct conf_pci conf = { .name = (char *)"gpu", .rom_bar = true, .rebar = UINT64_C(32) << 30 };
	struct pci_function gpu = function("01:00.0", 0x030000, UINT64_C(16) << 30);
	struct pci_pick pick = { .conf = &conf, .v = &gpu, .n = 1 };
	struct pci_facts facts = { .picks = &pick, .n_picks = 1 };
	struct config config = { .pci = &conf, .n_pci = 1, .firmware.type = FIRMWARE_UEFI };
	cleanup_free char *large = last(&config, &facts);
	assert_string_equal(large, "name=opt/ovmf/X-PciMmio64Mb,string=131072");
	config.firmware.type = FIRMWARE_BIOS; /* SeaBIOS has no such window, but the old VGA ports */
	config.display.video = VIDEO_NONE;
	cleanup_free char *bios = last(&config, &facts);
	assert_non_null(strstr(bios, "\"x-vga\":true"));
}

/* A passed disk controller is booted from by default where another disk has an index, which makes OVMF forget all that have none; and where
 * the order names it. */
static void test_boot(void **state)
{
	(void)state;
	struct conf_pci conf = { .name = (char *)"ssd", .rom = (char *)"off" };
	struct conf_disk disk = { .name = (char *)"data" };
	struct pci_function nvme[] = { function("03:00.0", 0x010802, 1 << 14) };
	struct pci_pick pick = { .conf = &conf, .v = nvme, .n = 1 };
	struct pci_facts facts = { .picks = &pick, .n_picks = 1 };
	struct config config = { .pci = &conf, .n_pci = 1, .disks = &disk, .firmware.type = FIRMWARE_UEFI };
	for (int i = 0; i < 4; i++) {
		cleanup_args struct args args = {};
		config.n_disks = i == 1 || i == 2;
		if (i == 2)
			strv_add(&config.boot.order, "data");
		if (i == 3)
			strv_add(&config.boot.order, "ssd");
		pci_args(&args, &config, &facts, pci_ports(&facts), -1);
		cleanup_free char *text = told(&args);
		assert_int_equal(strstr(text, "bootindex") != NULL, i == 1 || i == 3);
		assert_non_null(strstr(text, "\"romfile\":\"\",\"rombar\":0"));
	}
	strv_free(&config.boot.order);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ports), cmocka_unit_test(test_iommufd), cmocka_unit_test(test_window), cmocka_unit_test(test_boot) };
	return cmocka_run_group_tests_name("guest_pci", tests, NULL, NULL);
}
