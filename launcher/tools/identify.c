/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identify: see identify.h. libosinfo brings GLib and reads thousands of files: it works in a child, and answers by shared memory. */
#include <ctype.h>
#include <errno.h>
#include <osinfo/osinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/late.h"
#include "launcher/base/log.h"
#include "launcher/tools/identify.h"

#define LIMIT_MS 20000

#define OSINFO_FUNCTIONS(X) \
	X(osinfo_loader_new) X(osinfo_loader_process_default_path) X(osinfo_loader_get_db) X(osinfo_media_create_from_location) \
	X(osinfo_db_identify_media) X(osinfo_media_get_os) X(osinfo_product_get_short_id) X(osinfo_product_get_name)

static struct LATE_TABLE(OSINFO_FUNCTIONS) osinfo;

/*
 * NVMe has been in Windows since 8.1, e1000e's model since 7, virtio in none; virtio is in every Linux and BSD of today. Signed by Microsoft's
 * key: the shim of these distributions. Windows 8 and later take a TPM and Secure Boot where they are; 11 asks for both.
 */
static const struct guest_system systems[] = {
	{ "win11", "Windows 11", SYSTEM_WINDOWS, BUS_NVME, MODEL_E1000E, CLOCK_LOCAL, true, true, true },
	{ "win10", "Windows 10", SYSTEM_WINDOWS, BUS_NVME, MODEL_E1000E, CLOCK_LOCAL, true, true, true },
	{ "win2k2", NULL, SYSTEM_WINDOWS, BUS_NVME, MODEL_E1000E, CLOCK_LOCAL, true, true, true },
	{ "win8.1", "Windows 8.1", SYSTEM_WINDOWS, BUS_NVME, MODEL_E1000E, CLOCK_LOCAL, true, true, false },
	{ "win8", "Windows 8", SYSTEM_WINDOWS, BUS_SATA, MODEL_E1000E, CLOCK_LOCAL, true, true, false },
	{ "win7", "Windows 7", SYSTEM_WINDOWS, BUS_SATA, MODEL_E1000E, CLOCK_LOCAL, false, false, false },
	{ "winxp", "Windows XP", SYSTEM_WINDOWS, BUS_SATA, MODEL_RTL8139, CLOCK_LOCAL, false, false, false },
	{ "win", "Windows", SYSTEM_WINDOWS, BUS_NVME, MODEL_E1000E, CLOCK_LOCAL, true, true, true },
	{ "debian", "Debian", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "ubuntu", "Ubuntu", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "fedora", "Fedora", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "opensuse", "openSUSE", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "centos", "CentOS", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "almalinux", "AlmaLinux", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "rocky", "Rocky Linux", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "linuxmint", "Linux Mint", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, true, false },
	{ "archlinux", "Arch Linux", SYSTEM_LINUX, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, false, false },
	{ "freebsd", "FreeBSD", SYSTEM_OTHER, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, false, false },
	{ "openbsd", "OpenBSD", SYSTEM_OTHER, BUS_VIRTIO, MODEL_VIRTIO, CLOCK_UTC, true, false, false },
	/* what is not known: drivers that everybody has */
	{ "", NULL, SYSTEM_OTHER, BUS_SATA, MODEL_E1000E, CLOCK_UTC, true, false, false },
};

/* How the labels begin, in any case, and the identifier that they stand for. Microsoft's: architecture and language, behind words that say how
 * it was made ("CCCOMA_X64FRE_EN-US_DV9"); the same for 10 and 11. */
static const struct {
	const char *label, *id;
} labels[] = {
	{ "WIN11", "win11" },	 { "WIN10", "win10" },	    { "Debian", "debian" },	 { "Ubuntu", "ubuntu" },
	{ "Fedora", "fedora" },	 { "openSUSE", "opensuse" }, { "CentOS", "centos" },	 { "AlmaLinux", "almalinux" },
	{ "Rocky", "rocky" },	 { "Linux Mint", "linuxmint" }, { "ARCH_", "archlinux" }, { "FreeBSD", "freebsd" },
	{ "OpenBSD", "openbsd" }, { "GRMCULX", "win7" },    { "GRMCPRX", "win7" },	 { "IR5_C", "win8.1" },
};

/* A name that people, or Microsoft's download page, gave the file: "Win11_24H2…", "en-us_windows_11_…", "Win 10.iso". */
static const char *windows_of(const char *file)
{
	cleanup_sb struct sb bare = {};
	for (const char *c = file; *c; c++)
		if (isalnum((unsigned char)*c))
			sb_addc(&bare, (char)tolower((unsigned char)*c));
	const char *name = bare.s ? bare.s : "";
	return strstr(name, "win11") || strstr(name, "windows11")   ? "win11"
	       : strstr(name, "win10") || strstr(name, "windows10") ? "win10"
								    : "win";
}

static bool is_microsofts(const struct disc *disc)
{
	return disc->udf || strcasestr(disc->publisher, "MICROSOFT") || strcasestr(disc->label, "_X64FRE_");
}

const struct guest_system *identify_system(const char *id, const struct disc *disc, const char *file)
{
	for (size_t i = 0; !id && i < ARRAY_SIZE(labels); i++)
		if (strncasecmp(disc->label, labels[i].label, strlen(labels[i].label)) == 0)
			id = labels[i].id;
	/* libosinfo tells the two apart only by the sizes of discs that it has seen */
	if (is_microsofts(disc) && (!id || streq(id, "win10") || streq(id, "win11"))) {
		const char *named = windows_of(file);
		id = !id || !streq(named, "win") ? named : id;
	}
	size_t i = 0;
	while (!str_starts(id ? id : "", systems[i].id)) /* the last one fits all */
		i++;
	return &systems[i];
}

bool identify_answerable(const struct guest_system *system)
{
	return streq(system->id, "win11") || streq(system->id, "win10") || streq(system->id, "win");
}

/* ---- libosinfo, in a child ---- */

struct asking {
	const char *path;
	const struct user *user;
	char id[64], name[128];
};

/* The objects end with the process. Its classes are checked by macros that would want GLib linked: a cast says the same. */
static struct err *ask(void *data)
{
	struct asking *a = data;
	static const char *const names[] = LATE_NAMES(OSINFO_FUNCTIONS);
	GError *error = NULL;
	TRY(geteuid() == 0 ? user_become(a->user) : NULL);
	TRY(late_load("libosinfo-1.0.so.0", names, &osinfo));
	OsinfoLoader *loader = osinfo.osinfo_loader_new();
	osinfo.osinfo_loader_process_default_path(loader, &error);
	OsinfoMedia *media = osinfo.osinfo_media_create_from_location(a->path, NULL, &error);
	if (!media || !osinfo.osinfo_db_identify_media(osinfo.osinfo_loader_get_db(loader), media))
		return NULL;
	OsinfoProduct *os = (OsinfoProduct *)(void *)osinfo.osinfo_media_get_os(media);
	const char *id = os ? osinfo.osinfo_product_get_short_id(os) : NULL, *name = os ? osinfo.osinfo_product_get_name(os) : NULL;
	snprintf(a->id, sizeof(a->id), "%s", id ? id : "");
	snprintf(a->name, sizeof(a->name), "%s", name ? name : "");
	return NULL;
}

/* What it knows: "" where it is not there, knows nothing, or takes too long. */
static void ask_osinfo(const char *path, const struct user *user, struct asking *ret_answer)
{
	struct asking *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return;
	shared->path = path;
	shared->user = user;
	struct err *e = child_call(ask, shared, LIMIT_MS);
	if (e)
		log_debug("libosinfo: %s", err_text(e));
	else
		*ret_answer = *shared;
	ret_answer->id[sizeof(ret_answer->id) - 1] = ret_answer->name[sizeof(ret_answer->name) - 1] = '\0';
	err_free(e);
	munmap(shared, sizeof(*shared));
}

/* ---- both ---- */

struct looking {
	const char *path;
	struct identity found;
};

static struct err *look(void *data)
{
	struct looking *l = data;
	struct err *e = disc_read(l->path, &l->found.disc);
	if (err_code(e) == ENOENT)
		e = err_hint(e, "download it, or name where it is");
	TRY(e);
	l->found.path = realpath(l->path, NULL);
	if (l->found.path && str_is_utf8(l->found.path))
		return NULL;
	cleanup_free char *shown = str_printable(l->path);
	return err_hint(err_new("%s is no UTF-8, which QEMU is told in", shown), "rename it");
}

struct err *identify(const char *path, const struct user *user, struct identity *ret_identity)
{
	struct looking l = { .path = path };
	struct asking answer = {};
	struct err *e = user_visit(user, look, &l);
	if (e) {
		free(l.found.path);
		return err_exit(e, EXIT_USAGE);
	}
	struct identity found = l.found;
	ask_osinfo(found.path, user, &answer);
	found.system = identify_system(*answer.id ? answer.id : NULL, &found.disc, str_base(path));
	cleanup_free char *known = str_printable(answer.name);
	/* "Microsoft Windows 11": the row's is what people call it; of a Linux libosinfo knows the version */
	found.name = str_dup(found.system->family == SYSTEM_WINDOWS && found.system->name ? found.system->name
			     : *known                                                     ? known
			     : found.system->name                                         ? found.system->name
			     : *found.disc.label                                          ? found.disc.label
											  : str_base(path));
	*ret_identity = found;
	return NULL;
}

void identity_free(struct identity *i)
{
	free(i->path);
	free(i->name);
	*i = (struct identity){};
}
