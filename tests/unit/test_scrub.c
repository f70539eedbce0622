/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What says whose a text is is replaced, one stand-in for one secret; what only looks like it stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "launcher/tools/scrub.h"

static void becomes(struct scrub *s, const char *text, const char *expected)
{
	cleanup_free char *now = scrub_text(s, text, SCRUB_TEXT), *again = scrub_text(s, now, SCRUB_TEXT);
	assert_string_equal(now, expected);
	assert_string_equal(again, expected);
}

static void forms(void **state)
{
	cleanup_scrub struct scrub s = {};
	(void)state;
	becomes(&s, "mac=52:54:00:12:34:56 de-ad-be-ef-00-11 52:54:00:12:34:56",
		"mac=02:00:00:00:00:01 02:00:00:00:00:02 02:00:00:00:00:01");
	becomes(&s, "root=UUID=1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed.", "root=UUID=00000000-0000-0000-0000-000000000001.");
	becomes(&s, "0123456789abcdef0123456789abcdef", "00000000000000000000000000000002");
	becomes(&s, "ip=10.1.2.3/24, (192.168.1.20). via fe80::1 [fd42:1::9]:80",
		"ip=192.0.2.1/24, (192.0.2.2). via 2001:db8::3 [2001:db8::4]:80");
}

/* Addresses on the PCI bus, masks, versions, the kernel's numbers, what is everybody's. */
static void lookalikes(void **state)
{
	static const char *const same[] = {
		"0000:01:00.0 0000:0c:00.1", "ffffffff,00000000,0000ffff", "6.6.87.2-microsoft-standard", "QEMU 7.2.22", "255.255.255.0",
		"127.0.0.1 0.0.0.0 ::1 ::", "ff:ff:ff:ff:ff:ff", "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe",
		"00000000000000000000000000000000", "12:30:45", "max_cstate=1 memory.max", "1:2:3:4:5:6", "", ":", "a:b",
	};
	cleanup_scrub struct scrub s = {};
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		becomes(&s, same[i], same[i]);
	assert_int_equal(s.n, 0);
}

static void told(void **state)
{
	cleanup_scrub struct scrub s = {};
	(void)state;
	scrub_tell(&s, SCRUB_USER, "max", NULL);
	scrub_tell(&s, SCRUB_SERIAL, "S5XY-0123 AB", NULL);
	scrub_tell_by_id(&s, "nvme-Maker_980_S5XY-0123_AB-part2", true);
	becomes(&s, "/home/max/x max_cstate memory.max maxim", "/home/user1/x max_cstate memory.user1 maxim");
	becomes(&s, "\"S5XY-0123 AB\" nvme-Maker_980_S5XY-0123_AB-part2 and ata-X_S5XY-0123_AB",
		"\"serial1\" nvme-disk01-part2 and ata-X_serial1");
	cleanup_free char *kernel = scrub_text(&s, "memory.max /sys/max", SCRUB_KERNEL);
	assert_string_equal(kernel, "memory.max /sys/max");
}

static void said_nothing(void **state)
{
	static const char *const nothing[] = { "Default string", "0000:00:14.0", "0", "000000000000", "To be filled by O.E.M.", "----", "" };
	cleanup_scrub struct scrub s = {};
	(void)state;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		scrub_tell(&s, SCRUB_SERIAL, nothing[i], NULL);
	scrub_tell(&s, SCRUB_SERIAL, "2048", NULL); /* a size elsewhere */
	scrub_tell(&s, SCRUB_SERIAL, "AB1", NULL);
	assert_int_equal(s.n, 0);
	assert_true(scrub_says_nothing("Default string"));
	assert_false(scrub_says_nothing("S5XY0123"));
}

static void links_of_input(void **state)
{
	cleanup_scrub struct scrub s = {};
	(void)state;
	scrub_tell_by_id(&s, "usb-Logitech_USB_Receiver-if02-event-mouse", false);
	scrub_tell_by_id(&s, "usb-Logitech_G502-event-mouse", false);
	assert_int_equal(s.n, 0);
	scrub_tell_by_id(&s, "usb-Logitech_G502_0B3A5C7D1234-event-mouse", false);
	becomes(&s, "/dev/input/by-id/usb-Logitech_G502_0B3A5C7D1234-event-mouse",
		"/dev/input/by-id/usb-Logitech_G502_serial1-event-mouse");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(lookalikes), cmocka_unit_test(told),
					    cmocka_unit_test(said_nothing), cmocka_unit_test(links_of_input) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
