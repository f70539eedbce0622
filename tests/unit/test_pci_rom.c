/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device's ROM from where the host has it: whole or not, whose, and read from a card that shows it for that moment alone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/log.h"
#include "launcher/host/pci/rom_image.h"
#include "tests/unit/pci_fixture.h"
#include "tests/unit/rom_made.h"

#define VFCT "/sys/firmware/acpi/tables/VFCT"

/* ---- images ---- */

static void expect(const struct sb *rom, size_t n, const char *text)
{
	char *exact = mem_new(n); /* of its size, so that a sanitizer sees a read past its end */
	memcpy(exact, rom->s, n);
	cleanup_err struct err *e = rom_check(exact, n, 0x10de, 0x2204);
	free(exact);
	if (!text != !e || (text && !strstr(err_text(e), text)))
		fail_msg("expected: %s; got: %s", text ? text : "nothing", err_text(e));
}

static void test_images(void **state)
{
	(void)state;
	struct sb one = {}, two = {}, other = {}, uefi = {};
	rom_made_image(&one, 0x10de, 0x2204, 0, 4, true);
	rom_made_image(&two, 0x10de, 0x2204, 0, 4, false);
	expect(&one, one.len, NULL);
	expect(&two, two.len, NULL); /* what a firmware keeps is the first alone, as a rule */
	expect(&one, 0, "55 AA");
	expect(&one, 2, "PCI data structure");
	expect(&one, 0x50, "PCI data structure");
	expect(&one, 0x58, "is cut: 1960 bytes are missing");
	expect(&one, one.len - 1, "is cut: 1 bytes");
	rom_made_image(&two, 0x10de, 0x2204, 3, 2, true);
	expect(&two, two.len, NULL);
	expect(&two, two.len - 512, "is cut: 512 bytes");
	expect(&two, 4 * 512 + 3, NULL); /* nothing that could be read follows: padding */
	rom_made_image(&other, 0x1002, 0x73bf, 0, 1, true);
	expect(&other, other.len, "of another device: 1002:73bf, and not 10de:2204");
	one.s[0x200] ^= 1;
	expect(&one, one.len, "checksum");
	rom_made_image(&uefi, 0x10de, 0x2204, 3, 1, true);
	uefi.s[0x100] ^= 1; /* nobody adds that up */
	expect(&uefi, uefi.len, NULL);
	uefi.s[0x40 + 6] ^= 1;
	expect(&uefi, uefi.len, "another device");
	memcpy(uefi.s + 0x40 + 8, "\x60\0", 2); /* of revision 3: a list of others that it is for */
	uefi.s[0x40 + 0x0c] = 3;
	memcpy(uefi.s + 0xa0, "\x01\x10\x04\x22\0\0", 6);
	expect(&uefi, uefi.len, NULL);
	uefi.s[0x40 + 0x10] = 0;
	expect(&uefi, uefi.len, "PCI data structure");
	memcpy(uefi.s + 0x60, "NPDE\0\0\0\0\1\0\x80", 11); /* NVIDIA's word counts more */
	expect(&uefi, uefi.len, NULL);
	free(one.s);
	free(two.s);
	free(other.s);
	free(uefi.s);
}

static void test_table(void **state)
{
	(void)state;
	struct sb t = {};
	struct pci_addr addr, moved;
	size_t at = 0, n = 0;
	assert_null(pci_addr_parse("03:00.0", &addr));
	assert_null(pci_addr_parse("04:00.0", &moved));
	rom_made_vfct(&t);
	cleanup_err struct err *none = rom_in_vfct(t.s, t.len, addr, 0x1002, 0x164e, &at, &n);
	assert_int_equal(err_code(none), 2);
	rom_made_vfct_add(&t, 3, 0x1002, 0x73ff, "dgpu", 4);
	rom_made_vfct_add(&t, 9, 0x1002, 0x164e, "apu!!", 5);
	assert_null(rom_in_vfct(t.s, t.len, addr, 0x1002, 0x73ff, &at, &n));
	assert_memory_equal(t.s + at, "dgpu", n);
	assert_null(rom_in_vfct(t.s, t.len, moved, 0x1002, 0x164e, &at, &n)); /* its bus has another number now */
	assert_int_equal(n, 5);
	cleanup_err struct err *wrong = rom_in_vfct(t.s, t.len, addr, 0x1002, 0x7480, &at, &n);
	assert_non_null(strstr(err_text(wrong), "another device: 1002:73ff"));
	rom_made_vfct_add(&t, 10, 0x1002, 0x164e, "twin", 4);
	cleanup_err struct err *twins = rom_in_vfct(t.s, t.len, moved, 0x1002, 0x164e, &at, &n);
	assert_int_equal(err_code(twins), 2);
	cleanup_err struct err *cut = rom_in_vfct(t.s, t.len - 1, moved, 0x1002, 0x164e, &at, &n);
	assert_non_null(strstr(err_text(cut), "cut"));
	cleanup_err struct err *empty = rom_in_vfct(t.s, 75, moved, 0x1002, 0x164e, &at, &n);
	assert_non_null(strstr(err_text(empty), "no whole table"));
	assert_int_equal(n, 5); /* untouched by what failed */
	free(t.s);
}

/* ---- of a machine ---- */

static void wanted(struct pci_fixture *f)
{
	pci_begin(f);
	f->pci[0].rom = (char *)"host";
}

static void add_table(struct pci_fixture *f, uint16_t device, size_t shorter)
{
	struct sb image = {}, t = {};
	rom_made_image(&image, 0x10de, 0x2204, 0, 4, true);
	rom_made_vfct(&t);
	rom_made_vfct_add(&t, 1, 0x10de, device, image.s, image.len - shorter);
	rom_made_file(f->fake, VFCT, &t);
	free(image.s);
	free(t.s);
}

static void add_chip(struct pci_fixture *f, uint16_t device)
{
	struct sb image = {};
	rom_made_image(&image, 0x10de, device, 0, 4, true);
	fake_file(f->fake, GPU "/rom", "");
	rom_made_file(f->fake, GPU "/chip", &image);
	free(image.s);
}

static void test_where(void **state)
{
	(void)state;
	struct pci_fixture f;
	wanted(&f);
	pci_plan(&f);
	assert_null(f.facts.picks[0].rom->from);
	assert_true(pci_has_finding(&f, FINDING_BAD, "rom", "this host shows no ROM of 01:00.0"));
	pci_end(&f);

	wanted(&f);
	add_table(&f, 0x2204, 0);
	add_chip(&f, 0x2204);
	pci_plan(&f);
	assert_string_equal(f.facts.picks[0].rom->from, VFCT);
	assert_int_equal(f.facts.picks[0].rom->len, 2048);
	assert_true(pci_has_finding(&f, FINDING_OK, "rom", "is in " VFCT " (2 KiB)"));
	for (size_t i = 0; i < f.steps.n; i++)
		assert_true(f.steps.v[i].kind != &pci_rom_kind); /* nothing is asked of the card */
	pci_end(&f);

	wanted(&f);
	add_table(&f, 0x2204, 5);
	pci_plan(&f);
	assert_true(pci_has_finding(&f, FINDING_BAD, "rom", VFCT ": it is cut: 5 bytes are missing"));
	pci_end(&f);

	wanted(&f);
	add_table(&f, 0x2208, 0);
	add_chip(&f, 0x2204);
	pci_plan(&f);
	assert_true(pci_has_finding(&f, FINDING_WARN, "rom", "of another device: 10de:2208, and not 10de:2204"));
	assert_true(pci_has_finding(&f, FINDING_OK, "rom", "is read from the card at the start"));
	pci_end(&f);

	wanted(&f); /* what nouveau got of the firmware */
	struct sb image = {};
	rom_made_image(&image, 0x10de, 0x2204, 0, 4, true);
	fake_dir(f.fake, GPU "/drm/card1");
	rom_made_file(f.fake, "/sys/kernel/debug/dri/1/vbios.rom", &image);
	pci_plan(&f);
	assert_string_equal(f.facts.picks[0].rom->from, "/sys/kernel/debug/dri/1/vbios.rom");
	free(image.s);
	pci_end(&f);
}

static size_t rom_step(const struct pci_fixture *f)
{
	size_t i = 0;
	while (i < f->steps.n && f->steps.v[i].kind != &pci_rom_kind)
		i++;
	return i;
}

static void test_read_from_card(void **state)
{
	(void)state;
	struct pci_fixture f;
	wanted(&f);
	int fd = memfd_create("rom", MFD_CLOEXEC);
	char mark[2] = "";
	add_chip(&f, 0x2204);
	pci_plan(&f);
	size_t at = rom_step(&f);
	assert_true(at < f.steps.n && f.steps.v[at + 1].kind == &pci_driver_kind); /* before its driver goes */
	f.steps.v[at].data = &fd;
	pci_must(pci_launch(&f));
	assert_int_equal(pread(fd, mark, 2, 0), 2);
	assert_memory_equal(mark, "\x55\xaa", 2);
	assert_int_equal(lseek(fd, 0, SEEK_END), 2048);
	cleanup_free char *hidden = fake_read(f.fake, GPU "/rom");
	assert_string_equal(hidden, ""); /* not until the guest's end */
	pci_give_back(&f);
	close(fd);
	pci_end(&f);
}

static void test_not_its_own(void **state)
{
	(void)state;
	struct pci_fixture f;
	wanted(&f);
	add_chip(&f, 0x2208);
	pci_plan(&f);
	struct err *e = pci_launch(&f);
	assert_non_null(strstr(err_text(e), "of another device: 10de:2208"));
	assert_non_null(strstr(err_remedy(e), "rom = FILE"));
	assert_int_equal(err_status(e), EXIT_HOST);
	err_free(e);
	pci_give_back(&f);
	pci_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_read_from_card),
		cmocka_unit_test(test_not_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
