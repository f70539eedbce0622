/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: what is read, what is refused and with which words, --set, and the table of keys itself. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/config/docs.h"
#include "launcher/config/parse.h"
#include "launcher/config/value.h"

/* Texts that are refused, and all lines of the answer. `sets` are words of the command line, one a line. */
static const struct {
	const char *text, *sets, *want;
} refused[] = {
	{ "[memory]\nhugepage = 1G\n", NULL, "t.conf:2:1: unknown key \"hugepage\" in [memory]; did you mean \"hugepages\"?" },
	{ "[memory]\nthreads = 4\n", NULL, "t.conf:2:1: unknown key \"threads\" in [memory]; there is one in [cpu]" },
	{ "[memory]\nquux = 4\n", NULL, "t.conf:2:1: unknown key \"quux\" in [memory]" },
	{ "[memmory]\nsize = 4G\n", NULL, "t.conf:1:1: unknown section [memmory]; did you mean [memory]?" },
	{ "  [nonsense]\n", NULL, "t.conf:1:3: unknown section [nonsense]" },
	{ "[disk]\n[cpu main]\n", NULL, "t.conf:1:1: [disk] needs a name: [disk NAME]\nt.conf:2:1: [cpu] takes no name" },
	{ "[disk a b]\n", NULL, "t.conf:1:1: \"a b\" cannot be a name: letters, digits, \"_\", \".\" and \"-\", the first a letter or digit" },
	{ "[cpu] # all\n", NULL, "t.conf:1:1: a section is written [name] on a line of its own" },
	{ "[cpu\nthreads = 2\n", NULL, "t.conf:1:1: a section is written [name] on a line of its own" },
	{ "threads = 2\n", NULL, "t.conf:1:1: \"threads\" stands before the first [section]" },
	{ "[cpu]\nthreads\n", NULL, "t.conf:2:1: neither [section] nor key = value" },
	{ "[cpu]\nthreads: 4\n", NULL, "t.conf:2:1: neither [section] nor key = value" },
	{ "[cpu]\n = 4\n", NULL, "t.conf:2:2: neither [section] nor key = value" },
	{ "[cpu]\nthreads ; = 4\n", NULL, "t.conf:2:1: unknown key \"threads ;\" in [cpu]; did you mean \"threads\"?" },
	{ "[cpu]\nthreads = many\n", NULL, "t.conf:2:11: threads: \"many\" is not a whole number" },
	{ "[cpu]\nthreads = 0\n", NULL, "t.conf:2:11: threads: 0 is out of range: 1 to 1024" },
	{ "[cpu]\nthreads = 4 # cores\n", NULL,
	  "t.conf:2:11: threads: \"4 # cores\" is not a whole number; a comment stands on a line of its own" },
	{ "[cpu]\nthreads =\n", NULL, "t.conf:2:10: threads: the value is missing" },
	{ "[cpu]\nthreads = 2\nthreads = 4\n", NULL, "t.conf:3:1: \"threads\" stands at line 2 already" },
	{ "[cpu]\nthreads = 2\n[vm]\n[cpu]\nthreads = 3\n", NULL,
	  "t.conf:4:1: [cpu] stands at line 1 already\nt.conf:5:1: \"threads\" stands at line 2 already" },
	{ "[cpu]\nisolate = partitions\n", NULL, "t.conf:2:11: isolate: \"partitions\" is none of its values; did you mean \"partition\"?" },
	{ "[cpu]\nisolate = full\n", NULL, "t.conf:2:11: isolate: \"full\" is none of its values: partition, slices, off" },
	{ "[cpu]\nhide-kvm = maybe\n", NULL, "t.conf:2:12: hide-kvm: \"maybe\" is neither yes nor no" },
	{ "[cpu]\nplace = l3 x\n", NULL, "t.conf:2:9: place: l3: \"x\" is not a whole number" },
	{ "[cpu]\nplace = here\n", NULL,
	  "t.conf:2:9: place: \"here\" is not a CPU list such as 8-15,24-31, nor auto, nor l3 and a number" },
	{ "[cpu]\nthreads = 4\nplace = 2-3\n", NULL, "t.conf:3:9: place: 2 CPUs are too few for threads = 4" },
	{ "[cpu]\nfifo = yes\n", NULL, "t.conf:2:8: fifo = yes on CPUs shared with the host would starve it: set isolate = partition" },
	{ "[cpu]\nvendor-id = much-too-long\n", NULL,
	  "t.conf:2:13: vendor-id: \"much-too-long\" is not a vendor: at most 12 characters, no comma" },
	{ "[cpu]\nflags = x2apic\n", NULL, "t.conf:2:9: flags: \"x2apic\" is none of +FLAG, -FLAG and PROPERTY=VALUE" },
	{ "[vm]\nmachine = pc-i440fx-7.2\n", NULL, "t.conf:2:11: machine: \"pc-i440fx-7.2\" is no pc-q35-VERSION, nor q35" },
	{ "[qemu]\nset = disk-main\n", NULL, "t.conf:2:7: set: \"disk-main\" is not NAME.PROPERTY=VALUE" },
	{ "[firmware]\ncode = /c\n", NULL, "t.conf:2:8: code needs vars =, a copy of that firmware's own template" },
	{ "[memory]\nsize = 16Q\n", NULL, "t.conf:2:8: size: \"16Q\" is not a size such as 16G or 512M" },
	{ "[memory]\nsize = 1M\n", NULL, "t.conf:2:8: size: 1M is out of range: 16M to 16T" },
	{ "[memory]\nsize = 1536M\nhugepages = 1G\n", NULL, "t.conf:2:8: size: 1536M is not a multiple of 1G, the size of its huge pages" },
	{ "[firmware]\ntype = bios\nsecure-boot = yes\nvars = /v\n", NULL,
	  "t.conf:3:15: secure-boot = yes needs type = uefi\nt.conf:4:8: vars: a BIOS has none; they belong to type = uefi" },
	{ "[tpm]\nversion = none\nmodel = crb\n", NULL, "t.conf:3:9: model: there is no TPM with version = none" },
	{ "[boot]\ninitrd = /i\n", NULL, "t.conf:2:10: initrd belongs to a kernel, and none is set" },
	{ "[boot]\norder = mian\n[disk main]\npath = /d\n", NULL,
	  "t.conf:2:9: order: \"mian\" is nothing to boot from; did you mean \"main\"?" },
	{ "[boot]\norder = a, a\n[disk a]\npath = /d\n", NULL, "t.conf:2:9: order: \"a\" stands there twice" },
	{ "[console]\nserial = ptty\n", NULL, "t.conf:2:10: serial: \"ptty\" is none of its values; did you mean \"pty\"?" },
	{ "[console]\nagent = yess\n", NULL, "t.conf:2:9: agent: \"yess\" is none of its values; did you mean \"yes\"?" },
	{ "[disk a]\n", NULL, "t.conf:1:1: [disk a] needs path =" },
	{ "[disk a]\npath = /d\n[disk b]\npath = /d\n", NULL, "t.conf:4:8: path: [disk a] has the same" },
	{ "[cdrom a]\npath = /d\nbus = virtio\n", NULL, "t.conf:3:7: bus: \"virtio\" is none of its values: sata, scsi" },
	{ "[pci gpu]\n", NULL, "t.conf:1:1: [pci gpu] needs one of address, id, match" },
	{ "[pci gpu]\naddress = 01:00.0\nid = 10de:2204\n", NULL,
	  "t.conf:3:6: [pci gpu] has id as well as address; only one of address, id, match can name it" },
	{ "[pci gpu]\naddress = 1:0\n", NULL, "t.conf:2:11: address: \"1:0\" is not a PCI address such as 01:00.0" },
	{ "[pci gpu]\nid = 10de-2204\n", NULL, "t.conf:2:6: id: \"10de-2204\" is not an id such as 10de:2204" },
	{ "[pci gpu]\nmatch = RTX\nrebar = 3G\n", NULL, "t.conf:3:9: rebar: a power of two, such as 256M or 32G" },
	{ "[pci a]\naddress = 03:00.0\nvirtual-function = 2\nvfs = 2\n[pci b]\naddress = 03:00.0\nvirtual-function = 1\n[pci c]\naddress = 04:00.0\nvfs = 1\n", NULL,
	  "t.conf:4:7: vfs: 2 have no number 2: they are counted from 0\n"
	  "t.conf:10:7: vfs belongs to virtual-function =" },
	{ "[pci a]\naddress = 03:00.0\nvirtual-function = 0\n[pci b]\naddress = 03:00.0\nvirtual-function = 0\n", NULL,
	  "t.conf:5:11: address: [pci a] has the same" },
	{ "[mdev a]\n[mdev b]\nparent = 00:02.0\n[mdev c]\nuuid = C2177883-f1bb-47f0-914d-32a22e3a8804\n[mdev d]\ntype = a-1\n"
	  "parent = 00:02.0\ndisplay = yes\n", NULL,
	  "t.conf:1:1: [mdev a] needs parent and type, or uuid\n"
	  "t.conf:3:10: [mdev b] needs both parent and type, or uuid alone\n"
	  "t.conf:5:8: uuid: \"C2177883-f1bb-47f0-914d-32a22e3a8804\" is none such as c2177883-f1bb-47f0-914d-32a22e3a8804, in lower case\n"
	  "t.conf:9:11: display = yes needs a mode in [display]" },
	{ "[disk a]\npath = 0000:01:00.0\n", NULL,
	  "t.conf:2:8: path: a drive by its PCI address is passed whole: [pci a] with address = 0000:01:00.0" },
	{ "[pci a]\naddress = 01:00.0\n[pci b]\naddress = 0000:01:00.0\n", NULL, "t.conf:4:11: address: [pci a] has the same" },
	{ "[usb pad]\nid = 045e:02ea\nport = 1-\n", NULL,
	  "t.conf:3:8: port: \"1-\" is not a USB port such as 1-2 or 1-2.3\n"
	  "t.conf:3:8: [usb pad] has port as well as id; only one of id, port can name it" },
	{ "[network lan]\nmode = bridge\n", NULL, "t.conf:2:8: [network lan] needs bridge = with this mode" },
	{ "[network lan]\nbridge = br0\nsubnet = 10.0.0.0/24\n", NULL,
	  "t.conf:2:10: bridge belongs to mode = bridge or macvtap\nt.conf:3:10: subnet belongs to mode = nat or isolated" },
	{ "[network lan]\nmode = nat\nsubnet = 10.0.0.0\nmac = 01:00:00:00:00:01\nforward = tcp:0:22\n", NULL,
	  "t.conf:3:10: subnet: \"10.0.0.0\" is not a network such as 192.168.77.0/24\n"
	  "t.conf:4:7: mac: \"01:00:00:00:00:01\" is a multicast address: the first byte must be even\n"
	  "t.conf:5:11: forward: \"tcp:0:22\" is not a forward such as tcp:2222:22 (protocol, port of the host, port of the guest) or tcp:0.0.0.0:2222:22 (with an address of the host)" },
	{ "[display]\nmode = looking-glass\n", NULL, "t.conf:2:8: mode = looking-glass needs resolution =, by which its memory is sized" },
	{ "[display]\nresolution = 0x10\n", NULL, "t.conf:2:14: resolution: \"0x10\" is not a resolution such as 2560x1440" },
	{ "[monitor m]\nmatch =\nguest-input = 0x10000\nswitch = 30\n", NULL,
	  "t.conf:2:8: [monitor m] needs match =\nt.conf:3:15: guest-input: 0x10000 is out of range: 1 to 65535\n"
	  "t.conf:4:10: switch: \"30\" is none of its values: guest-ready, start, or seconds such as 30s" },
	{ "[host]\ninhibit-sleep = yes\nsleep = pause\n", NULL, "t.conf:3:9: sleep contradicts inhibit-sleep = yes" },
	{ "[host]\ngovernor = ../x\n", NULL,
	  "t.conf:2:12: governor: \"../x\" is not one word of letters, digits, \"_\", \".\" and \"-\"" },
	{ "[qemu]\nargs = -name \"a b\n", NULL, "t.conf:2:8: args: a quote is left open, or a backslash stands at the end" },
	{ "[vm]\nname = ../up\n", NULL,
	  "t.conf:2:8: name: \"../up\" cannot be a name: letters, digits, \"_\", \".\" and \"-\", the first a letter or digit" },
	{ "[cpu]\ncpu-pm = yes\nemulator = x\n", NULL,
	  "t.conf:2:10: cpu-pm = yes on CPUs shared with the host would starve it: set isolate = partition\n"
	  "t.conf:3:12: emulator: \"x\" is not a CPU list such as 8-15,24-31, nor auto" },
	{ "[boot]\ncmdline = quiet\norder = x\n", NULL,
	  "t.conf:2:11: cmdline belongs to a kernel, and none is set\n"
	  "t.conf:3:9: order: \"x\" is no disk, cdrom, network or passed device of this machine" },
	{ "[boot]\norder = a\n[disk a]\npath = /d\n[cdrom a]\npath = /i\n", NULL,
	  "t.conf:2:9: order: \"a\" fits 2 sections; give them different names" },
	{ "[input a]\ndevice = /d\n[input b]\ndevice = /d\n", NULL, "t.conf:4:10: device: [input a] has the same" },
	{ "[network a]\nmode = macvtap\nbridge = eth/0\nforward = udp:1:1\nmac = 52:54:00:00:00:0x\n", NULL,
	  "t.conf:3:10: bridge: \"eth/0\" cannot be a network interface\n"
	  "t.conf:4:11: forward belongs to mode = user or nat; elsewhere the guest is reached directly\n"
	  "t.conf:5:7: mac: \"52:54:00:00:00:0x\" is not a MAC address such as 52:54:00:12:34:56" },
	{ "[network a]\nmac = 52:54:00:00:00:0a\n[network b]\nmac = 52:54:00:00:00:0A\n", NULL,
	  "t.conf:4:7: mac: [network a] has the same" },
	{ "[monitor a]\nmatch = A\nguest-input = 1\nhost-input = 0x01\n", NULL,
	  "t.conf:4:14: host-input is the same as guest-input" },
	{ "[qemu]\nargs = a\\\n", NULL, "t.conf:2:8: args: a quote is left open, or a backslash stands at the end" },
	{ "[disk a-name-of-more-than-32-characters]\n", NULL,
	  "t.conf:1:1: \"a-name-of-more-than-32-characters\" is too long for a name: at most 32 characters" },
	/* Bytes. Columns count characters. */
	{ "[vm]\ndescription = ol\xc3\xa1 \xff\n", NULL, "t.conf:2:19: not UTF-8" },
	{ "[vm]\ndescription = \xed\xa0\x80\n", NULL, "t.conf:2:15: not UTF-8" },
	{ "[vm]\ndescription = a\x1b[31m\n", NULL, "t.conf:2:16: a control character" },
	{ "[vm]\ndescription = a\rb\n", NULL, "t.conf:2:16: a control character" },
	{ "\xef\xbb\xbf[cpu]\r\nthread = 2\r\n[memory]\r\nsize = x", NULL,
	  "t.conf:2:1: unknown key \"thread\" in [cpu]; did you mean \"threads\"?\n"
	  "t.conf:4:8: size: \"x\" is not a size such as 16G or 512M" },
	/* The command line. */
	{ "", "cpu.thread=2", "--set cpu.thread: unknown key \"thread\" in [cpu]; did you mean \"threads\"?" },
	{ "", "cpu.threads=none", "--set cpu.threads: threads: \"none\" is not a whole number" },
	{ "", "pci gpu.adress=1", "--set pci gpu.adress: unknown key \"adress\" in [pci gpu]; did you mean \"address\"?\n"
				  "--set pci gpu.adress: [pci gpu] needs one of address, id, match" },
	{ "", "pci.rom=/r", "--set pci.rom: [pci] needs a name: [pci NAME]" },
	{ "", "threads=4", "--set threads: write --set section.key=value, or --set 'section name.key=value'" },
	{ "", "cpu.threads", "--set cpu.threads: write --set section.key=value, or --set 'section name.key=value'" },
	{ "[cpu]\nthreads = x\n", "memory.size=\x01",
	  "t.conf:2:11: threads: \"x\" is not a whole number\n--set memory.size: a control character: \"memory.size=\\x01\"" },
};

static struct config *parse(const char *text, const char *sets, struct strv *ret_errors)
{
	cleanup_strv struct strv list = {};
	struct conf_errors errors = {};
	strv_split(&list, sets ? sets : "", "\n");
	struct config *c = config_parse(text, "t.conf", "/dir", &list, &errors);
	*ret_errors = errors.lines;
	return c;
}

/* A text that must be fine. */
static struct config *good(const char *text, const char *sets)
{
	cleanup_strv struct strv errors = {};
	struct config *c = parse(text, sets, &errors);
	if (!c)
		fail_msg("%s", errors.v[0]);
	assert_int_equal(errors.n, 0);
	return c;
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		cleanup_strv struct strv errors = {};
		cleanup_config struct config *c = parse(refused[i].text, refused[i].sets, &errors);
		cleanup_free char *got = strv_join(&errors, "\n");
		assert_string_equal(got, refused[i].want);
		assert_null(c);
	}
}

static void test_nul_and_length(void **state)
{
	static const char nul[] = "[cpu]\nthreads = \0 4\nthread = 2\n";
	struct conf_errors errors = {};
	(void)state;
	assert_null(config_parse_bytes(nul, sizeof(nul) - 1, "t.conf", NULL, NULL, &errors));
	assert_int_equal(errors.lines.n, 2);
	assert_string_equal(errors.lines.v[0], "t.conf:2:11: a NUL byte");
	strv_free(&errors.lines);
	cleanup_sb struct sb text = {};
	sb_add(&text, "[boot]\nkernel = /k\ncmdline = ");
	while (text.len < 5000)
		sb_add(&text, "word ; ");
	cleanup_config struct config *c = good(text.s, NULL); /* long, with what others take for comments */
	assert_int_equal(strlen(c->boot.cmdline), strlen(strstr(text.s, "word")) - 1);
	while (text.len < 9000)
		sb_add(&text, "word ; ");
	assert_null(config_parse(text.s, "t.conf", NULL, NULL, &errors));
	assert_string_equal(errors.lines.v[0], "t.conf:3:1: the line is longer than 8192 bytes");
	strv_free(&errors.lines);
}

static void test_bounds(void **state)
{
	cleanup_sb struct sb many = {}, wrong = {};
	cleanup_strv struct strv errors = {}, more = {};
	(void)state;
	for (int i = 0; i < SECTIONS_MAX + 1; i++)
		sb_addf(&many, "[usb u%d]\nid = 1234:5678\n", i);
	assert_null(parse(many.s, NULL, &errors));
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.v[0], "t.conf:129:1: more than 64 sections [usb]");
	for (int i = 0; i < PROBLEMS_MAX * 2; i++)
		sb_add(&wrong, "[x]\n");
	assert_null(parse(wrong.s, NULL, &more));
	assert_int_equal(more.n, PROBLEMS_MAX + 1);
	assert_string_equal(more.v[PROBLEMS_MAX], "t.conf: and more");
}

static void test_defaults(void **state)
{
	(void)state;
	cleanup_config struct config *c = good("", NULL);
	assert_string_equal(c->vm.name, "t");
	assert_int_equal(c->vm.accel, ACCEL_AUTO);
	assert_int_equal(c->cpu.threads, 0); /* the host decides */
	assert_int_equal(c->cpu.place, PLACE_AUTO);
	assert_true(c->cpu.emulator_auto);
	assert_int_equal(c->cpu.isolate, ISOLATE_OFF); /* nothing that needs root */
	assert_int_equal(c->memory.size, 4ULL << 30);
	assert_int_equal(c->firmware.type, FIRMWARE_UEFI);
	assert_false(c->firmware.secure_boot);
	assert_int_equal(c->tpm.version, TPM_NONE);
	assert_int_equal(c->audio.model, AUDIO_NONE);
	assert_int_equal(c->host.sleep, SLEEP_INHIBIT);
	assert_string_equal(c->console.serial, "none");
	assert_string_equal(c->console.agent, "no");
	assert_null(c->qemu.binary);
	assert_int_equal(c->n_networks + c->n_disks + c->n_pci, 0);

	cleanup_config struct config *d = good("[tpm]\n[audio]\n[network lan]\n[display]\nmode = spice\n[cdrom iso]\npath = w.iso\n"
					       "[host]\nsleep = pause\n[pci gpu]\nmatch = RTX 3090\n[disk a]\npath = ../a b,c.img\n",
					       NULL);
	assert_int_equal(d->tpm.version, TPM_2_0);
	assert_int_equal(d->audio.model, AUDIO_HDA);
	assert_int_equal(d->networks[0].mode, NET_USER);
	assert_int_equal(d->display.video, VIDEO_VIRTIO);
	assert_int_equal(d->cpu.isolate, ISOLATE_PARTITION);
	assert_false(d->host.inhibit_sleep);
	assert_true(d->cdroms[0].readonly);
	assert_int_equal(d->cdroms[0].bus, BUS_SATA);
	assert_string_equal(d->cdroms[0].path, "/dir/w.iso");
	assert_string_equal(d->disks[0].path, "/a b,c.img");
	assert_true(d->disks[0].discard && d->disks[0].iothread && !d->disks[0].readonly);
	assert_string_equal(d->pci[0].match, "RTX 3090");
}

static void test_values(void **state)
{
	(void)state;
	cleanup_config struct config *c =
		good("# comment\n; comment\n[cpu]\n   place = 8-15,24-31\n\tthreads=16\nemulator = 7,23\n[boot]\norder = b, a\n"
		     "[disk a]\npath = /x;y # z\n[disk b]\npath = /b\n[qemu]\nargs = -device '{\"driver\": \"x\"}' \"a \\\"b\" c\\ d \"\"\n"
		     "[monitor m]\nmatch = ROG\nguest-input = 0x0f\nhost-input = 18\nswitch = 30s\n[host]\nhalt-poll = 0\n"
		     "[network n]\nforward = tcp:2222:22 udp:53:53\nmac = 52:54:00:12:34:56\n"
		     "[pci gpu]\naddress = 01:00.1\nrebar = 16G\n[display]\nresolution = 2560x1440\n"
		     "[console]\nserial = ./log\nagent = ./yes\n[hooks]\nbefore = ../bin/h\nafter = true\n[usb pad]\nport = 1-2.3\n",
		     NULL);
	cleanup_free char *place = cpus_format(&c->cpu.place_cpus), *emulator = cpus_format(&c->cpu.emulator);
	assert_int_equal(c->cpu.place, PLACE_CPUS);
	assert_string_equal(place, "8-15,24-31");
	assert_string_equal(emulator, "7,23");
	assert_false(c->cpu.emulator_auto);
	assert_string_equal(c->boot.order.v[0], "b");
	assert_string_equal(c->disks[0].path, "/x;y # z"); /* a path is taken as it is */
	assert_int_equal(c->qemu.args.n, 5);
	assert_string_equal(c->qemu.args.v[1], "{\"driver\": \"x\"}");
	assert_string_equal(c->qemu.args.v[2], "a \"b");
	assert_string_equal(c->qemu.args.v[3], "c d");
	assert_string_equal(c->qemu.args.v[4], "");
	assert_int_equal(c->monitors[0].guest_input, 0x0f);
	assert_int_equal(c->monitors[0].host_input, 0x12);
	assert_int_equal(c->monitors[0].when, SWITCH_AFTER);
	assert_int_equal(c->monitors[0].after_seconds, 30);
	assert_true(c->host.has_halt_poll);
	assert_int_equal(c->networks[0].forward.n, 2);
	assert_string_equal(pci_addr_text(c->pci[0].address).s, "0000:01:00.1");
	assert_int_equal(c->pci[0].rebar, 16ULL << 30);
	assert_string_equal(c->console.serial, "/dir/log");
	assert_string_equal(c->console.agent, "/dir/yes");
	assert_string_equal(c->hooks.before, "/bin/h"); /* a program with a slash is a path, */
	assert_string_equal(c->hooks.after, "true");    /* one without is looked up in PATH */
	assert_string_equal(c->usb[0].port, "1-2.3");
}

static void test_sets(void **state)
{
	static const char text[] = "[cpu]\nthreads = 16\n[pci gpu]\naddress = 01:00.0\n[boot]\norder = a\n[disk a]\npath = /a\n";
	(void)state;
	cleanup_config struct config *c = good(text, "cpu.threads = 2\ncpu.threads=8\npci gpu.rom=/x=y.rom\npci gpu.address=\n"
						     "pci gpu.match=RTX 3090\npci net.id=8086:1533\nboot.order=b a\ndisk b.path=/b\n"
						     "cpu.place=l3 1\nvm.name=other");
	assert_int_equal(c->cpu.threads, 8); /* the last one wins */
	assert_int_equal(c->n_pci, 2);
	assert_string_equal(c->pci[0].rom, "/x=y.rom");
	assert_false(c->pci[0].has_address); /* an empty value takes the key back */
	assert_string_equal(c->pci[0].match, "RTX 3090");
	assert_string_equal(c->pci[1].name, "net");
	assert_int_equal(c->boot.order.n, 2);
	assert_int_equal(c->cpu.place_l3, 1);
	assert_string_equal(c->vm.name, "other");
	cleanup_config struct config *d = good(text, "disk a.path=sub/a.img");
	cleanup_free char *cwd = realpath(".", NULL), *want = str_fmt("%s/sub/a.img", cwd);
	assert_string_equal(d->disks[0].path, want);
}

static void test_where(void **state)
{
	(void)state;
	cleanup_config struct config *c = good("[cpu]\n\nthreads = 4\n[pci gpu]\nid = 10de:2204\n", "pci gpu.rom=/r");
	static const struct {
		const char *section, *key, *want;
	} cases[] = { { "cpu", "threads", "t.conf:3" }, { "cpu", "place", "t.conf:1" }, { "pci gpu", "id", "t.conf:5" },
		      { "pci gpu", "rom", "--set pci gpu.rom" }, { "memory", "size", "t.conf" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *where = config_where(c, cases[i].section, cases[i].key);
		assert_string_equal(where, cases[i].want);
	}
}

/* Each key: documented, its default and every word of it accepted through --set as through the file. */
static void test_table(void **state)
{
	(void)state;
	for (const struct conf_key *k = conf_keys; k->section; k++) {
		const struct conf_section *s = conf_section_find(k->section);
		assert_non_null(s);
		assert_ptr_equal(conf_key_find(k->section, k->name), k); /* no key twice */
		assert_true(k->help && strlen(k->help) >= 8 && str_ends(k->help, "."));
		assert_true(k->type->form || k->words);
		assert_false(k->initial && k->unset);
		assert_true((k->type == &TYPE_ENUM) == (k->words != NULL));
		cleanup_free char *item = mem_new(s->named ? s->size : sizeof(struct config));
		if (k->initial) {
			struct err *e = k->type->set(k, item, k->initial, NULL);
			assert_null(e);
			k->type->clear(k, item);
		}
		for (const struct conf_word *w = k->words; w && w->word; w++)
			assert_null(k->type->set(k, item, w->word, NULL));
		k->type->clear(k, item);
		for (size_t i = 0; i < (s->named ? s->size : sizeof(struct config)); i++)
			assert_int_equal(item[i], 0); /* clear leaves nothing */
	}
	for (const struct conf_section *s = conf_sections; s->name; s++)
		assert_true(s->help && str_ends(s->help, "."));
	assert_int_equal(offsetof(struct conf_disk, name) + offsetof(struct conf_pci, name) + offsetof(struct conf_input, name) +
			 offsetof(struct conf_usb, name) + offsetof(struct conf_network, name) + offsetof(struct conf_monitor, name) +
			 offsetof(struct conf_share, name), 0); /* as section_base relies on */
}

/* What goes into the manual page, or into completion for `c`. */
static char *written(bool man, const struct config *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	if (man)
		keys_write_man(out);
	else
		keys_write_names(out, c);
	fclose(out);
	return text;
}

static void test_docs(void **state)
{
	(void)state;
	cleanup_config struct config *c = good("[pci gpu]\nid = 10de:2204\n", NULL);
	cleanup_free char *man = written(true, NULL), *names = written(false, NULL), *own = written(false, c);
	for (const struct conf_key *k = conf_keys; k->section; k++) {
		bool named = conf_section_find(k->section)->named;
		cleanup_free char *heading = str_fmt("## [%s%s]\n", k->section, named ? " NAME" : "");
		cleanup_free char *term = str_fmt("\n*%s* = ", k->name), *name = str_fmt("%s%s.%s=\n", k->section, named ? " NAME" : "", k->name);
		const char *section = strstr(man, heading);
		assert_non_null(section);
		assert_non_null(strstr(section, term));
		assert_non_null(strstr(names, name));
	}
	assert_non_null(strstr(man, "*auto* takes KVM where /dev/kvm opens")); /* marked words stay marked, */
	assert_non_null(strstr(man, "(SCHED\\_FIFO)"));                        /* and nothing else becomes markup */
	assert_non_null(strstr(man, "From 16M to 16T. Default: 4G."));
	assert_non_null(strstr(own, "pci gpu.functions=own\n"));
	assert_null(strstr(own, "NAME"));
}

static void test_examples(void **state)
{
	DIR *dir = opendir("configs");
	int n = 0;
	(void)state;
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		if (!str_ends(d->d_name, ".conf"))
			continue;
		cleanup_free char *path = str_fmt("configs/%s", d->d_name);
		cleanup_config struct config *c = NULL;
		cleanup_err struct err *e = config_load(path, NULL, &c);
		if (e)
			fail_msg("%s", err_text(e));
		assert_non_null(c->vm.description);
		n++;
	}
	closedir(dir);
	assert_true(n >= 2);
	cleanup_config struct config *w = NULL;
	assert_null(config_load("configs/win11.conf", NULL, &w));
	assert_int_equal(w->cpu.threads, 16);
	assert_int_equal(w->memory.size, 16ULL << 30);
	assert_int_equal(w->memory.hugepages, HUGEPAGES_1G);
	assert_int_equal(w->pci[0].functions, FUNCTIONS_GROUP);
	assert_string_equal(pci_addr_text(w->pci[0].address).s, "0000:01:00.0");
	assert_true(w->firmware.secure_boot && w->tpm.version == TPM_2_0 && w->vm.accel == ACCEL_KVM);
}

static void load_fails(const char *arg, const char *want)
{
	cleanup_config struct config *c = NULL;
	cleanup_err struct err *e = config_load(arg, NULL, &c);
	assert_non_null(e);
	assert_null(c);
	if (!strstr(err_text(e), want))
		fail_msg("\"%s\" is not in: %s", want, err_text(e));
	assert_int_equal(err_status(e), EXIT_CONFIG);
}

static void test_load(void **state)
{
	char dir[] = "/tmp/qlaunch-config-XXXXXX";
	(void)state;
	assert_non_null(mkdtemp(dir));
	cleanup_free char *fifo = str_fmt("%s/f.conf", dir), *own = str_fmt("%s/.config", dir), *sub = str_fmt("%s/.config/qlaunch", dir);
	cleanup_free char *file = str_fmt("%s/.config/qlaunch/box.conf", dir), *big = str_fmt("%s/big.conf", dir);
	cleanup_free char *wrong = str_fmt("%s/w w.conf", dir);
	assert_int_equal(mkfifo(fifo, 0600) | mkdir(own, 0700) | mkdir(sub, 0700), 0);
	FILE *f = fopen(file, "we");
	assert_non_null(f);
	fputs("[disk a]\npath = ~/a.img\n[disk b]\npath = b.img\n", f);
	fclose(f);
	f = fopen(wrong, "we");
	assert_non_null(f);
	fputs("[x]\n[y]\n", f);
	fclose(f);
	f = fopen(big, "we");
	assert_non_null(f);
	for (unsigned i = 0; i <= CONFIG_FILE_MAX; i++)
		fputc('\n', f);
	fclose(f);
	load_fails(fifo, "not a regular file"); /* and does not wait for a writer */
	load_fails("/dev/zero", "/dev/zero: not a regular file");
	load_fails(dir, "not a regular file");
	load_fails(big, "larger than 1 MiB");
	load_fails("./nowhere.conf", "./nowhere.conf: No such file");
	load_fails(wrong, "/w w.conf:1:1: unknown section [x]\n");
	load_fails(wrong, "/w w.conf: \"w w\" cannot be a name");
	setenv("HOME", dir, 1);
	load_fails("nobody", "there is no machine \"nobody\"");
	cleanup_config struct config *c = NULL;
	assert_null(config_load("box", NULL, &c));
	cleanup_free char *a = str_fmt("%s/a.img", dir), *b = str_fmt("%s/b.img", sub);
	assert_string_equal(c->vm.name, "box");
	assert_string_equal(c->disks[0].path, a);
	assert_string_equal(c->disks[1].path, b);
	struct stat st;
	assert_int_equal(stat(file, &st), 0);
	assert_true(c->ino == st.st_ino && c->dev == st.st_dev);
	assert_int_equal(unlink(file) | unlink(big) | unlink(wrong) | unlink(fifo) | rmdir(sub) | rmdir(own) | rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_nul_and_length), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_values), cmocka_unit_test(test_sets), cmocka_unit_test(test_where),
		cmocka_unit_test(test_table), cmocka_unit_test(test_docs), cmocka_unit_test(test_examples), cmocka_unit_test(test_load),
	};
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
