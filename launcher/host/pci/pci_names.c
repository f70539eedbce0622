/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_names: names by pci.ids, through libpci; see pci.h. The only file that knows libpci. */
#include <pci/pci.h>
#include <stdlib.h>
#include "launcher/base/late.h"
#include "launcher/base/log.h"
#include "launcher/host/pci/pci.h"

#define PCI_FUNCTIONS(X) X(pci_alloc) X(pci_cleanup) X(pci_lookup_name)

static struct LATE_TABLE(PCI_FUNCTIONS) pci;

struct pci_names {
	struct pci_access *access; /* NULL without libpci: then names are numbers */
	bool tried;
};

__attribute__((format(printf, 1, 2))) static void say_nothing(char *format, ...)
{
	(void)format;
}

/* libpci's word about a pci.ids that it cannot read; it must not return. Names are asked for before anything is changed only. */
__attribute__((format(printf, 1, 2), noreturn)) static void give_up(char *format, ...)
{
	cleanup_sb struct sb text = {};
	va_list ap;
	va_start(ap, format);
	sb_vaddf(&text, format, ap);
	va_end(ap);
	log_error("libpci: %s", str_trim(text.s));
	exit(EXIT_HOST);
}

struct pci_names *pci_names_new(void)
{
	return mem_new(sizeof(struct pci_names));
}

/* Never pci_init: nothing of the host is looked at, only pci.ids. So what pci_init would set is set here; and no cache in HOME is used. */
static void begin(struct pci_names *names)
{
	static const char *const functions[] = LATE_NAMES(PCI_FUNCTIONS);
	struct err *e = late_load("libpci.so.3", functions, &pci);
	names->tried = true;
	log_err(LOG_LEVEL_WARN, e);
	if (e)
		return;
	names->access = pci.pci_alloc();
	names->access->error = give_up;
	names->access->warning = say_nothing;
	names->access->debug = say_nothing;
	names->access->id_lookup_mode = 0;
}

char *pci_names_get(struct pci_names *names, uint16_t vendor, uint16_t device)
{
	char buf[256];
	if (!names->tried)
		begin(names);
	const int how = PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_HWDB | PCI_LOOKUP_NO_NUMBERS;
	const char *name = names->access ? pci.pci_lookup_name(names->access, buf, sizeof(buf), how, vendor, device) : NULL;
	return name ? str_printable(name) : str_fmt("%04x:%04x", vendor, device);
}

void pci_names_freep(struct pci_names **names)
{
	if (!*names)
		return;
	if ((*names)->access)
		pci.pci_cleanup((*names)->access);
	free(*names);
}
