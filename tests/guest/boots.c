/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boots: a UEFI program that says on the first serial port which disk was booted, and by which way, and powers off. `tests/guest/bootable`
 * makes it and the disk that it stands on.
 *
 *   "boots: DISK entry."     by a saved boot entry of its own, as Windows and every Linux make one
 *   "boots: DISK fallback."  by \EFI\BOOT\BOOTX64.EFI, which needs none
 *
 * Built with SETUP it does what an operating system's setup does: it saves such an entry for the file ENTRY on its own disk, first in the
 * order, and says "boots: DISK setup.". Structures and numbers by the UEFI Specification 2.10, no header of anybody's.
 */
#include <stddef.h>
#include <stdint.h>

#define EFI __attribute__((ms_abi))
typedef uint64_t status;
struct guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};
struct runtime { /* 4.5 */
	char header[24];
	void *before[8];
	EFI status (*set_variable)(const uint16_t *name, const struct guid *vendor, uint32_t attributes, size_t size, const void *data);
	void *counter;
	EFI void (*reset)(int type, status s, size_t size, void *data);
};
struct boot { /* 4.4 */
	char header[24];
	void *before[16];
	EFI status (*handle_protocol)(void *handle, const struct guid *protocol, void **ret);
};
struct system { /* 4.3 */
	char header[24];
	void *before[8];
	struct runtime *runtime;
	struct boot *boot;
};
struct loaded { /* 9.1 */
	uint32_t revision;
	void *parent, *system, *device, *path;
};
struct node { /* 10.2: a device path is a list of these */
	uint8_t type, subtype, length[2];
	uint8_t data[];
};
enum { MEDIA = 4, HARD_DRIVE = 1, FILE_PATH = 4, END = 0x7f };

static const struct guid loaded_image = { 0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b } };

static void say(const char *text)
{
	for (; *text; text++)
		__asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)0x3f8));
}

static unsigned length(const struct node *n)
{
	return n->length[0] | (unsigned)n->length[1] << 8;
}

static struct node *find(struct node *n, uint8_t type, uint8_t subtype)
{
	while (n->type != END && (n->type != type || n->subtype != subtype))
		n = (struct node *)((char *)n + length(n));
	return n->type == END ? NULL : n;
}

#ifdef SETUP
static const struct guid device_path = { 0x09576e91, 0x6d3f, 0x11d2, { 0x8e, 0x39, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b } };
static const struct guid global = { 0x8be4df61, 0x93ca, 0x11d2, { 0xaa, 0x0d, 0, 0xe0, 0x98, 0x03, 0x2b, 0x8c } };

static size_t put(uint8_t *at, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile uint8_t *)at)[i] = ((const uint8_t *)data)[i];
	return n;
}

/* 3.1.3, EFI_LOAD_OPTION: attributes (1: active), length of the path, a name, the path: the partition by its signature, and the file. */
static status save(const struct runtime *r, const struct node *drive)
{
	static const uint16_t name[] = u"Windows Boot Manager", file[] = ENTRY, order[] = { 0x0077 };
	static const uint8_t end[] = { END, 0xff, 4, 0 };
	uint8_t option[512], *p = option;
	const uint16_t file_length = 4 + sizeof(file), path_length = (uint16_t)(length(drive) + file_length + sizeof(end));
	const struct node head = { MEDIA, FILE_PATH, { file_length & 0xff, file_length >> 8 } };
	p += put(p, &(uint32_t){ 1 }, 4);
	p += put(p, &path_length, 2);
	p += put(p, name, sizeof(name));
	p += put(p, drive, length(drive));
	p += put(p, &head, 4);
	p += put(p, file, sizeof(file));
	p += put(p, end, sizeof(end));
	status s = r->set_variable(u"Boot0077", &global, 7, (size_t)(p - option), option); /* 7: kept, at boot, at run time */
	return s ? s : r->set_variable(u"BootOrder", &global, 7, sizeof(order), order);
}
#else
static int is_fallback(struct node *file)
{
	static const uint16_t name[] = u"\\EFI\\BOOT\\BOOTX64.EFI";
	for (size_t i = 0; i < sizeof(name) / 2; i++)
		if (file->data[2 * i] != (name[i] & 0xff))
			return 0;
	return 1;
}
#endif

EFI status start(void *handle, struct system *system)
{
	struct loaded *me = NULL;
	system->boot->handle_protocol(handle, &loaded_image, (void **)&me);
	say("\r\nboots: " DISK);
#ifdef SETUP
	struct node *path = NULL;
	system->boot->handle_protocol(me->device, &device_path, (void **)&path);
	say(save(system->runtime, find(path, MEDIA, HARD_DRIVE)) ? " failed.\r\n" : " setup.\r\n");
#else
	say(is_fallback(find(me->path, MEDIA, FILE_PATH)) ? " fallback.\r\n" : " entry.\r\n");
#endif
	system->runtime->reset(2 /* EfiResetShutdown */, 0, 0, NULL);
	return 0;
}
