/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups: the IOMMU groups of the whole host, with a verdict each: can it be given to a guest, and what speaks against
 * it. The hardware hands over a group as a whole, so that the verdict is the group's, not the device's.
 *
 * Reads sysfs and /proc through the root. Opens no device, changes nothing.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/host/pci/pci.h"

enum group_verdict {
	GROUP_FREE, /* nobody on the host would miss it */
	GROUP_HOST, /* the host uses it now: its screen, a mounted disk, its network, its keyboard */
	GROUP_NONE, /* bridges only, or no group at all */
	GROUP_DEAD, /* a device in it does not answer, see pci_answers(); the host uses none of them */
};

struct group {
	int number;                    /* -1: functions in no group */
	const struct pci_function **v; /* by address; borrowed from `functions` */
	size_t n;
	size_t n_passed; /* those that a guest would get: all but bridges */
	enum group_verdict verdict;
	bool only_screen; /* of GROUP_HOST: nothing but the screen speaks against it, which the host can do without for a while */
	struct strv why;  /* each a line; of GROUP_FREE, what to know beforehand */
};

struct groups {
	struct pci_function *functions; /* of the whole host, by address */
	size_t n_functions;
	struct group *v; /* by number */
	size_t n;
	struct group_sound {
		const struct pci_function *gpu, *audio;
	} * sounds; /* of cards that have theirs in another slot: see pci_card_audio() */
	size_t n_sounds;
	const struct pci_function *host_gpu; /* the one with the host's screen; NULL where there is none */
	bool iommu;                          /* there are groups */
};

/* An error where there is no PCI bus; without an IOMMU, `iommu` is false and there are no groups. Owned by the caller. */
struct err *groups_read(struct root *root, struct groups *ret_groups);
void groups_free(struct groups *g);
#define cleanup_groups cleanup(groups_free)

/* The group that has the function; every function is in one. */
struct group *groups_of(const struct groups *g, const struct pci_function *fn);
/* Whether `fn` goes to the guest that gets this one, itself or what goes along: the graphics card that it is part of, and whatever is in a
 * group with any of these, as with functions = group. No bridge does. */
bool groups_with(const struct groups *g, const struct pci_function *one, const struct pci_function *fn);
/* The sound of a card that has it in another slot, where a guest can have it; else NULL. */
const struct pci_function *groups_audio(const struct groups *g, const struct pci_function *gpu);
/* What speaks against giving this one function away, whether or not there are groups: a line each, none where the host does not use it. */
void groups_uses(struct root *root, const struct groups *g, const struct pci_function *fn, struct strv *why);
/*
 * GPUs that are not the host's and whose group is free, the best for a guest first: cards before what is part of the processor or the board,
 * those with outputs before those without, virtual functions last. *ret_gpus (freed by the caller); their number is returned.
 */
size_t groups_free_gpus(const struct groups *g, const struct pci_function ***ret_gpus);
/* A graphics card that the host has beside the processor's or the board's own; no virtual function. */
bool groups_is_card(const struct groups *g, const struct pci_function *gpu);
/* The graphics of the processor that the host could use in place of its screen on a card; NULL: there is none, or the screen is on none. */
const struct pci_function *groups_other_screen(const struct groups *g);
/* A guest can have the card of the host's screen, once the desktop has ended. */
bool groups_can_release(const struct groups *g);

/* "VGA", "NVMe", "bridge": what a class is called, at most 8 columns. */
const char *group_class_word(uint32_t class);
/* A function's name with its vendor's shortened: "NVIDIA GA102 [GeForce RTX 3090]". Owned by the caller. */
char *group_name(struct pci_names *names, const struct pci_function *fn);
