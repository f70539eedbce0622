/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * propose: a machine for this host, from its survey: the card that is not the host's, CPUs below one cache, half of the
 * memory, firmware and TPM as Windows 11 wants them, a disk image, keyboard and mouse by their stable names. Pure: facts
 * in, the text of a commented configuration out.
 */
#pragma once
#include "launcher/advise/survey.h"
#include "launcher/tools/identify.h"

struct proposal {
	char *name;
	const struct pci_function **gpus; /* that the guest can have, or could once the IOMMU is on */
	size_t n_gpus;
	const struct pci_function *host_gpu;  /* the one with the host's screen: to be had by stopping the desktop. NULL: none */
	bool release;                         /* the guest gets the host's own, for which the desktop ends */
	const struct pci_function *gpu;       /* any of these; NULL: a picture in a window */
	const struct pci_function *gpu_audio; /* its sound, where that is in another slot and free */
	unsigned threads;
	uint64_t memory; /* bytes */
	enum hugepages hugepages;
	bool secure_boot, tpm, kvm;
	char *disk;         /* path of the image */
	uint64_t disk_size; /* bytes, where it is to be made; 0: it is not */
	struct identity os; /* what it is for, by its installer's disc; os.system NULL: nobody has said, and it is made for Windows 11 */
	char *keyboard, *mouse; /* paths; NULL: none */
	struct proposal_monitor {
		char *match;
		unsigned input; /* where the guest's card is plugged in */
		unsigned host;  /* where the host's is; 0: as it tells itself */
	} * monitors;
	size_t n_monitors;
	const char *display;
};

/* The defaults. The survey must outlive it. */
void propose(const char *name, const struct survey *s, struct proposal *ret_proposal);
void proposal_free(struct proposal *p);
#define cleanup_proposal cleanup(proposal_free)

/* Another card than the proposed one, by its address, or "none"; EXIT_USAGE where it is no graphics card of this host. */
struct err *propose_gpu(struct proposal *p, const struct survey *s, const char *wanted);
/* What its installer's disc says; takes it over. */
void propose_for(struct proposal *p, struct identity *os);
/* It stops the desktop, and so is run as a service. */
bool propose_service(const struct proposal *p);
/* The largest part of `size` for which huge pages are there now: what hugepages = is to be for so much memory. */
enum hugepages propose_hugepages(const struct survey *s, const struct proposal *p);
const char *propose_hugepages_word(enum hugepages value);

/* The whole configuration, owned by the caller. */
char *proposal_text(const struct proposal *p, const struct survey *s);
/* An example's text with what depends on the host replaced by the proposal's; sections of devices that this host does
 * not have become comments. `dir`: the folder of the example, from which its relative paths are taken. */
char *proposal_fill(const struct proposal *p, const char *example, const char *dir);
