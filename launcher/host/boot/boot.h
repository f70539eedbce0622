/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: how this host starts: who keeps the kernel's parameters, who builds the initial RAM disk, and for each what is read, written, run,
 * proven and undone. Two tables (boot_table.c) that `check` and `setup` both speak from; the first row whose signs are all there is the
 * host's. Facts from files below /etc, /boot, /usr and the firmware's variables; reads only.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/base/str.h"

/* In which form the parameters are kept. */
enum boot_form {
	BOOT_UNKNOWN,
	BOOT_SHELL,   /* a file of assignments, read from its beginning to its end: a line at its end adds to the variable */
	BOOT_LINE,    /* the first line that is neither empty nor a comment is the command line */
	BOOT_OPTIONS, /* the line "options" of each entry (Boot Loader Specification, type 1) */
	BOOT_PROGRAM, /* a program keeps them */
	BOOT_BY_HAND, /* known, and not changed by qlaunch: `hand` says the file */
	BOOT_REFUSED, /* a host that is described elsewhere: nothing at all is written here; `hand` says where */
};

enum boot_images {
	BOOT_LEAVES_IMAGES,
	BOOT_COPIES_IMAGES, /* to where they are booted from: so after every build of them */
	BOOT_BUILDS_IMAGES,
};

struct boot_sign {
	const char *
		path; /* files or folders, one of which is there, as for boot_glob(); NULL ends the list. "!" in front: must not be there */
	const char *holds; /* and the text of one has this, "^" in front: at a line's beginning, "!" before that: has not; NULL: whatever */
};

struct boot_way {
	const char *name;
	const char *started; /* how the firmware's LoaderInfo begins when it started this kernel; NULL: whoever did */
	struct boot_sign signs[4];
	enum boot_form form;
	const char *file;                          /* read and written; of BOOT_PROGRAM read only; NULL where there is none */
	const char *drop_in;                       /* BOOT_SHELL: a file of our own instead, when the tool reads its folder; NULL */
	const char *drop_in_reader, *drop_in_word; /* the tool, and what stands in it if it reads that folder */
	const char *variable;                      /* BOOT_SHELL */
	const char *line;                          /* BOOT_SHELL: what adds to it; %s is the words */
	const char *add, *remove;                  /* BOOT_PROGRAM: for each word; %s is the word */
	const char *scratch;                       /* tries the change without effect; %s is a file to write to; NULL */
	const char *apply;                         /* afterwards, as for boot_commands(); NULL: nothing is needed */
	enum boot_images images;                   /* what applies does with initial RAM disks */
	bool from_running; /* BOOT_LINE: the file is not there, and what is written there instead is made of the running kernel's line */
	bool replaces;     /* BOOT_PROGRAM: what adds "key=value" takes away the key's other values */
	const char *read;  /* where the words must be found afterwards: files as for boot_glob, or "$ COMMAND"; NULL: not told anywhere */
	const char *hand;  /* where and how by hand (translated); %s is the words */
};

/* What a builder of initial RAM disks reads. */
enum boot_initramfs { INITRAMFS_UNKNOWN, INITRAMFS_TOOLS, INITRAMFS_DRACUT, INITRAMFS_MKINITCPIO, INITRAMFS_OSTREE };

struct boot_image {
	const char *name;
	struct boot_sign signs[3];
	enum boot_initramfs kind;
	const char *rebuild; /* builds those of all kernels anew, as for boot_commands() */
	const char *list;    /* prints the names in an image; %s is its path */
	const char *hand;    /* INITRAMFS_UNKNOWN: the file that qlaunch does not write (translated) */
};

/* Entries of the Boot Loader Specification on the usual mount points, and unified images, as for boot_glob(). */
extern const char boot_entries[];
/* Ends with a row of BOOT_UNKNOWN, of INITRAMFS_UNKNOWN. */
extern const struct boot_way boot_ways[];
extern const struct boot_image boot_images[];

struct boot_facts {
	const struct boot_way *way;     /* never NULL */
	const struct boot_image *image; /* never NULL */
	bool drop_in;                   /* the tool reads the folder of way->drop_in */
	struct strv files;              /* that hold parameters; of BOOT_OPTIONS, every entry of a Linux kernel that is no recovery */
	struct strv parameters;         /* of the kernel that runs */
	char *selected;                 /* of boot_entries, the one that started it, unless that is a recovery; NULL: not told */
};

/* Never fails: what cannot be read is BOOT_UNKNOWN, INITRAMFS_UNKNOWN or empty. Freed by boot_facts_free(). */
void boot_facts_read(struct root *root, struct boot_facts *ret_facts);
void boot_facts_free(struct boot_facts *f);
#define cleanup_boot_facts cleanup(boot_facts_free)

/* Whether the kernel that runs was given this parameter ("intel_iommu=on"). */
bool boot_has(const struct boot_facts *f, const char *parameter);
/* "GRUB", "systemd-boot", "not known". */
const char *boot_loader_name(const struct boot_facts *f);
/* A command of the tables, or a line, with its one "%s" filled in. Owned by the caller. */
char *boot_fill(const char *template, const char *word);
/* What to do to add parameters for good on this very host: a line. Owned by the caller. */
char *boot_remedy(const struct boot_facts *f, const char *words);
/* What to do to take one out that stands there: a line. Owned by the caller. */
char *boot_take_out(const struct boot_facts *f, const char *word);
/* What builds the initial RAM disks that are booted, as for boot_commands(); NULL where nobody is known. */
const char *boot_rebuild(const struct boot_facts *f);
/* A command of the tables; one with "%k" in it for each kernel that is installed: its version, and for "%i" its image. */
void boot_commands(struct root *root, const char *command, struct strv *ret_commands);
/* Files that a list of blank-separated paths names, a star as a name's beginning for all in a folder that end so. */
void boot_glob(struct root *root, const char *patterns, struct strv *ret_files);
