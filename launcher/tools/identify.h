/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identify: which system an installer's disc installs, and what machine that system finds its way in without help. Known by libosinfo, where it
 * is, and else by the disc's own label. Reads the disc with the rights of the user; changes nothing.
 */
#pragma once
#include "launcher/base/user.h"
#include "launcher/config/config.h"
#include "launcher/host/disk/disc.h"

enum system_family { SYSTEM_OTHER, SYSTEM_WINDOWS, SYSTEM_LINUX };

/* What a system has drivers for on its own disc, and what its boot loader is signed by. */
struct guest_system {
	const char *id;   /* how libosinfo's short identifier begins: "win11", "debian"; the first row that fits counts */
	const char *name; /* "Windows 11"; NULL: as the disc or libosinfo calls it */
	enum system_family family;
	enum disk_bus bus;
	enum net_model net;
	enum clock_base clock;
	bool uefi;
	bool secure_boot; /* its boot loader is signed by Microsoft's key */
	bool tpm;         /* it asks for one */
};

struct identity {
	const struct guest_system *system;
	struct disc disc;
	char *path; /* of the disc, absolute and without links */
	char *name; /* for people: "Windows 11", "Debian 12" */
};

/* The error says what is wrong with the file. */
struct err *identify(const char *path, const struct user *user, struct identity *ret_identity);
void identity_free(struct identity *i);
#define cleanup_identity cleanup(identity_free)

/* Whether its installer can be answered beforehand: Windows 10 and 11 (unattend.h). */
bool identify_answerable(const struct guest_system *system);
/* The row for a disc. `id`: libosinfo's word, or NULL. `file`: its name on this host: Microsoft calls the discs of 10 and 11 the same. Pure. */
const struct guest_system *identify_system(const char *id, const struct disc *disc, const char *file);
