/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import: another program's description of a machine becomes a configuration: libvirt's domain XML, or a quickemu .conf,
 * which is read as text and never run. Pure: text in, text out; what could not be carried over is told with its line.
 */
#pragma once
#include "launcher/base/num.h"
#include "launcher/import/draft.h"

/* What this host knows of the devices that the machine gets. */
struct import_host {
	const char *(*kind)(void *data, struct pci_addr addr); /* "gpu", "nvme": a section's name; NULL where there is no such device */
	void *data;
};

/* `name`: the file's, without folder and ending; the machine's where the text names none. `dir`: its folder, from which relative paths are
 * taken. `host`: NULL where it is not asked, and a device's name is guessed. EXIT_CONFIG. */
struct err *import_read(const char *text, const char *name, const char *dir, const struct import_host *host, struct draft *ret_draft);
/* The text of the configuration that it came to; the notes are the draft's. */
struct err *import_compose(struct draft *d, char **ret_text);

/* For the files of this folder. */
struct err *import_xml(const char *text, const char *name, const struct import_host *host, struct draft *d);
struct err *import_quickemu(const char *text, const char *name, const char *dir, struct draft *d);
