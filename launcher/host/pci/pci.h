/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the devices that the guest gets. Facts from /sys/bus/pci/devices, which device a [pci NAME] section means, the
 * steps that hand it to vfio-pci and back, and what `check` says of it. Reads only the groups that the configuration
 * needs; binds by address, never by id (new_id takes every card of that id).
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

#define PCI_BARS 6

/* One function of a device, as sysfs shows it (Documentation/ABI/testing/sysfs-bus-pci). */
struct pci_function {
	struct pci_addr addr;
	uint16_t vendor, device, sub_vendor, sub_device;
	uint32_t class;     /* 24 bits; 0x030000 is a VGA controller */
	char *driver;       /* NULL: none */
	int group;          /* IOMMU group; -1: none */
	int numa_node;      /* -1: the firmware names none */
	bool boot_vga;      /* the firmware's screen is on it */
	bool is_vf;         /* a virtual function (physfn) */
	bool is_planned;    /* a virtual function that the launch makes: what it is, its physical function says; its group, nobody yet */
	unsigned vfs;       /* virtual functions that it has made (sriov_numvfs) */
	char *reset_method; /* NULL where there is no such attribute; so the next two */
	char *d3cold_allowed;
	char *power_control;
	uint64_t bar[PCI_BARS];     /* bytes; 0: none */
	uint64_t bar_can[PCI_BARS]; /* resizable BAR: bit n set, it can be 2^n MiB; 0: it cannot be resized */
	struct strv blocks;         /* block devices behind it: "nvme0n1", "sda" */
	bool claimed;               /* a machine that runs has it: its holders are that one's, which the claim names; set by the plan */
};

/* A module that a section wants unloaded. */
struct pci_module {
	char *name; /* as the kernel writes it: "nvidia_drm" */
	bool loaded;
	bool drives;    /* it is of the driver of what is passed, or builds upon that */
	char *other;    /* another device that it drives, "0000:09:00.0"; NULL: none */
	char *users;    /* modules that use it and are not unloaded before; NULL: none */
	unsigned count; /* who else uses it now */
};

/* A device's ROM, as this host has it (pci_rom.c). */
struct pci_rom {
	char *from;   /* the file; NULL: nowhere */
	bool on_card; /* it is the card's own attribute, read by a step; else it is in `bytes` */
	char *bytes;  /* checked */
	size_t len;
	char *problem; /* of what was found first: cut, another device's; NULL: none */
	bool secret;   /* some of it is for root alone */
	int fd;        /* of QEMU's; set by the plan */
};

/* What one [pci NAME] section comes to. */
struct pci_pick {
	const struct conf_pci *conf; /* borrowed */
	struct pci_function *v;      /* what the guest gets, by address; no bridges; of no other section */
	size_t n;
	size_t named; /* which of them the section names */
	/* Where that is a virtual function which is not there: how many the launch makes, and of which function. 0: none. */
	unsigned make;
	struct pci_addr parent;
	bool shared;                /* it is there, and the launch of another machine has made it; set by the plan */
	struct pci_module *modules; /* of `unload`, in its order */
	size_t n_modules;
	struct pci_rom *rom; /* where `rom` is "host"; NULL: not asked for */
	/* Why there is none: n is 0, or the address is not there and v holds only the address. */
	char *problem, *remedy;
};

struct pci_facts {
	bool iommu;             /* the kernel has an IOMMU in use */
	bool vfio;              /* the driver vfio-pci is loaded */
	bool vendor_reset;      /* the module vendor-reset is loaded */
	bool intel;             /* the host's CPU; otherwise taken for AMD's */
	bool no_remapping;      /* the IOMMU does not check interrupts, so that vfio refuses to hand anything over */
	bool iommu_disabled;    /* by the kernel's command line */
	struct pci_pick *picks; /* one per section, in their order */
	size_t n_picks;
	struct pci_function *rest; /* members of the picks' groups that stay with the host, bridges too */
	size_t n_rest;
	struct strv strangers; /* members of those groups that are no PCI devices */
};

/* Never fails for what the host lacks: that becomes a pick's problem, so that `plan` can always answer. */
struct err *pci_facts_read(struct root *root, const struct config *c, struct pci_facts *ret_facts);
void pci_facts_free(struct pci_facts *f);
#define cleanup_pci_facts cleanup(pci_facts_free)

/* One function, or all of the host by address (for lists). */
struct err *pci_function_read(struct root *root, struct pci_addr addr, struct pci_function *ret_fn);
struct err *pci_scan(struct root *root, struct pci_function **ret_v, size_t *ret_n);
void pci_function_free(struct pci_function *fn);
/* Whether its configuration space answers: all ones are nobody there (PCI Local Bus 3.0, 3.7.4.3), but for the ids
 * of a virtual function, which are always so (PCI Express 5.0, 9.3.4.1.1). True where there is none to read. */
bool pci_answers(struct root *root, struct pci_addr addr);
/* PCI-to-PCI bridges and the like (base class 06): vfio does not want them bound. */
bool pci_is_bridge(const struct pci_function *fn);
bool pci_is_gpu(const struct pci_function *fn);
bool pci_has_outputs(const struct pci_function *fn); /* of a GPU: a monitor can be plugged in; a "3D controller" of a laptop has none */
bool pci_is_storage(const struct pci_function *fn);  /* a disk controller: NVMe, SATA, … */
/* Whether the guest gets it, by any of the sections. */
bool pci_is_passed(const struct pci_facts *f, struct pci_addr addr);
/* Adds the addresses of all functions in its slot, itself too. */
void pci_slot(struct root *root, struct pci_addr addr, struct strv *ret_names);
bool pci_same_slot(struct pci_addr a, struct pci_addr b);
/* Whether they are of one card, if it is a graphics card at all: see pci_card(). */
bool pci_one_card(const struct pci_function *a, const struct pci_function *b);
/*
 * Adds the other functions of the graphics card that it is part of: those of its slot and vendor, where one of them has a picture. What
 * else a processor has in the slot of its own graphics (USB, sound: another vendor's id) is none, nor are virtual functions. A card in
 * groups of its own each goes to one guest as a whole all the same: the sound comes out of the picture's cable.
 */
void pci_card(struct root *root, const struct pci_function *fn, struct strv *ret_names);
/* The sound of a graphics card that has it in another slot, behind the card's own switch (Intel Arc). False: there is none. */
bool pci_card_audio(struct root *root, const struct pci_function *fn, struct pci_addr *ret_addr);
/* It can be reset without its neighbours. Otherwise only its whole bus can, with all functions of the slot at once. True where the kernel does
 * not tell (before 5.15). */
bool pci_resets_alone(const struct pci_function *fn);
/* An attribute's number ("0x10de", "-1"), or `otherwise`. Where one is enough: pci_function_read() reads the disks behind it, too. */
long long pci_number(struct root *root, struct pci_addr addr, const char *attr, long long otherwise);
/* "/sys/bus/pci/devices/0000:01:00.0/ATTR"; owned by the caller. */
char *pci_path(struct pci_addr addr, const char *attr);
/* Has this driver in an IOMMU group beside the guest's functions no say over DMA? NULL (none) has none. */
bool pci_driver_harmless(const char *driver);

/* Names by pci.ids, "NVIDIA Corporation GA102 [GeForce RTX 3090]"; the 1.3 MB file is read at the first call.
 * "10de:2204" for an unknown one. */
struct pci_names;
struct pci_names *pci_names_new(void);
char *pci_names_get(struct pci_names *names, uint16_t vendor, uint16_t device);
void pci_names_freep(struct pci_names **names);
#define cleanup_pci_names cleanup(pci_names_freep)

/* Finds the function that a section means. On failure *ret_problem and *ret_remedy say why (without where in the file).
 */
bool pci_find(struct root *root, const struct conf_pci *conf, struct pci_addr *ret_addr, char **ret_problem, char **ret_remedy);

/*
 * Turns the physical function `pick->parent` into the virtual one that the section wants: as it is, or as it will be once `pick->make` are
 * made. Where there can be none, *ret_problem and *ret_remedy say why (without where in the file).
 */
bool pci_virtual_find(struct root *root, struct pci_pick *pick, struct pci_function *ret_fn, char **ret_problem, char **ret_remedy);
/* What makes the virtual functions that the picks want, before any of them is bound. */
void pci_virtual_steps(struct steps *out, const struct pci_facts *f);
/*
 * virtual-functions: target the address of a physical function, values how many it has (sriov_numvfs), want that or PCI_VIRTUAL_SHARED of those
 * that another machine has made. Undone, they go where nobody uses one any more: so the last machine to end removes them.
 */
#define PCI_VIRTUAL_SHARED "shared"
extern const struct step_kind pci_virtual_kind;

/* "01:00.0", with the domain only where it is not 0000. In the struct returned. */
struct pci_addr_text pci_addr_short(struct pci_addr addr);
/* The firmware keeps memory of a device in this group for itself (RMRR of Intel's, a unity mapping of AMD's): the kernel gives none of it away. */
bool pci_group_reserved(struct root *root, int group);
/* Interrupts are not remapped, and the kernel has not been told to do without (vfio_iommu_type1.allow_unsafe_interrupts). False where it
 * cannot be told. */
bool pci_no_remapping(struct root *root);
/* Adds a line for each use that the host makes of the function, beside its disks (disk_uses()) and its screen: network, input, the board's
 * own bus. */
void pci_used(struct root *root, const struct pci_function *fn, struct strv *ret_why);

/*
 * In *ret_holders names and pids of the processes that hold one of the function's nodes open ("Xorg (812), steam (4711)"); NULL if there are
 * none that this user may see. Owned by the caller. Error: the kernel does not tell its nodes in time, as while an unbinding hangs: then
 * nobody knows, and nothing is unbound. Its nodes are all that its part of /sys/devices names (drm, i2c below the card and below its outputs, sound, hidraw, iio,
 * disks, vfio), and NVIDIA's. With `blocking`, only those whose driver waits for them when it is unbound: not input and USB, whose nodes die
 * under their holders, and no sound server, which lets go by itself. `manager`: a display manager that is stopped before; who ends with it
 * is not told. NULL: none.
 */
struct err *pci_holders(struct root *root, struct pci_addr addr, bool blocking, const char *manager, char **ret_holders);

/* All functions that the guest gets; and descriptors of them by iommufd, in the order of the facts, once they are bound. */
size_t pci_count(const struct pci_facts *f);
struct err *pci_open(struct root *root, const struct pci_facts *f, int fds[], size_t *n);

/* The module, then each function: reset method, D3cold, power, vfio-pci, BAR size; then the groups' nodes for the user
 * of QEMU. */
void pci_steps(struct steps *out, const struct config *c, const struct pci_facts *f, uid_t uid, gid_t gid);
void pci_findings(struct findings *out, const struct config *c, const struct pci_facts *f, struct root *root);
/* A finding where `no_remapping`. */
void pci_remapping_check(struct findings *out, bool no_remapping);
/* Just before QEMU starts: every function on vfio-pci, nobody else's driver in its group. */
struct err *pci_groups_check(struct root *root, const struct pci_facts *f);

/*
 * pci-driver: target an address, want "vfio-pci". Values: the driver or "none", then " override=X" where
 * driver_override is set; on vfio-pci, an override of vfio-pci is not told. "absent" is a function that is not there: nothing to give back.
 */
extern const struct step_kind pci_driver_kind;
extern int pci_holders_limit_ms; /* how long it waits for programs of a stopped desktop to let go of the card; tests shorten it */
/* pci-bar: target "0000:01:00.0/resource1_resize", values sizes ("256M", "32G"), or "absent". The function is taken off vfio-pci for
 * it and put back. */
extern const struct step_kind pci_bar_kind;
/*
 * pci-rescan: target an address, values "there" and "gone", want "again". Takes a function that is on vfio-pci, and that nobody has open, off
 * its bus (`remove`, sysfs-bus-pci) and has the kernel find it (`rescan`), on the way there and on the way back, takes it from the driver
 * that the kernel has given it to, and binds it to vfio-pci as it was.
 */
extern const struct step_kind pci_rescan_kind;

/*
 * pci_rom.c: `rom = host`. Where this host has a device's ROM: the firmware's table VFCT, else the copy of its driver, else the card.
 * pci_rom_step() makes the step for the last of these.
 */
struct pci_rom *pci_rom_read(struct root *root, const struct pci_function *fn);
void pci_rom_free(struct pci_rom *r);
void pci_rom_step(struct steps *out, const struct pci_pick *pick);
void pci_rom_findings(struct findings *out, const struct pci_pick *pick);
/*
 * pci-rom: target an address, values "hidden" and "shown" of its attribute `rom`, want "read". step->data is a descriptor's int *, to which the
 * image is written once it is checked. It is over when it is applied: what undo finds shown, a launcher that was killed has left.
 */
extern const struct step_kind pci_rom_kind;

/* pci_modules.c: `unload`. Which of the modules go: those that are loaded, of what is passed, and of nothing else. */
void pci_modules_read(struct root *root, struct pci_facts *f);
void pci_modules_steps(struct steps *out, const struct pci_facts *f);
void pci_modules_findings(struct findings *out, const struct pci_facts *f);
