/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what a host needs for good, across boots: kernel parameters, cards that vfio-pci has before any other driver, device nodes that
 * the user may open. The one thing of qlaunch that a reboot does not undo, so:
 *
 * 1. What the host uses is never bound (setup_devices.c): the verdict is that of `groups`, and what is bound early is bound by what it is
 *    as well as by where it is, so that a host whose buses were renumbered boots as before.
 * 2. Files of our own wherever the tool reads a folder of them; in others' files a marked block at the end, or words in a line
 *    (setup_text.c). What a tool of the distribution keeps goes through that tool. The rows of host/boot/boot_table.c say which
 *    (setup_plan.c).
 * 3. Old and new texts are kept in SETUP_DIR before a file is touched (setup_apply.c), so that all can be put back byte for byte, and where
 *    somebody changed a file since, our own words are taken out of it as it is.
 * 4. What will be booted is looked into before it is called done (setup_prove.c); else everything is put back at once.
 */
#pragma once
#include <sys/stat.h>
#include "launcher/advise/survey.h"

#define SETUP_DIR "/var/lib/qlaunch/setup"
#define SETUP_EARLY "/etc/qlaunch/vfio-early"
#define SETUP_MODPROBE "/etc/modprobe.d/qlaunch.conf"
#define SETUP_RULES "/etc/udev/rules.d/10-qlaunch-vfio.rules" /* before 80-drivers.rules, which loads modules */
#define SETUP_MARK "# Written by `qlaunch setup`; `qlaunch setup --undo` takes it away.\n"

/* How a change is taken back where somebody changed the file since. */
enum setup_hold {
	SETUP_OWN,   /* the whole file is ours: it goes */
	SETUP_BLOCK, /* the lines from SETUP_BEGIN to SETUP_END go */
	SETUP_WORDS, /* the words go */
};

struct setup_change {
	char *path;
	char *old; /* NULL: there is no such file */
	char *new; /* NULL: it goes */
	mode_t mode;
	enum setup_hold hold;
	char *words; /* SETUP_WORDS: those that were put in, blanks between */
};
struct setup {
	struct setup_change *v;
	size_t n;
	struct strv run, back; /* programs that keep parameters themselves: each with the one that takes it back */
	struct strv scratch;   /* tries without effect, "%s" a file to write to */
	struct strv commands;  /* afterwards, in order */
	struct strv words;     /* parameters that were added */
	bool writes_words;     /* they were not all there before */
	bool applies;          /* and are made effective by the way's program */
	bool binds;            /* images are to hold the script */
	struct strv notes;     /* what it cannot do, and what speaks against it on this host */
};

/* The functions that are bound early with `wanted`: "ADDRESS", "ADDRESS,ADDRESS" (what is no graphics card: written twice), "none", or NULL
 * for the first card that the host can give away. *ret_v is freed by the caller. EXIT_HOST where the host uses one of them. */
struct err *setup_devices(struct root *root, const struct survey *s, const char *wanted, const struct pci_function ***ret_v, size_t *ret_n);
/* The script that binds them; owned by the caller. `g`: the whole host, for those that look the same. */
char *setup_early_script(const struct groups *g, const struct pci_function *const *devices, size_t n);

/* What is to be changed for these devices; none where all is as it should be. Reads only. EXIT_HOST. */
struct err *setup_plan(struct root *root, const struct survey *s, const struct pci_function *const *devices, size_t n_devices,
		       struct setup *ret_setup);
/* What is to be put back, of a setup of qlaunch 0.1.0, too. */
struct err *setup_plan_undo(struct root *root, const struct boot_facts *boot, struct setup *ret_setup);
/* Whether a setup has been made and not undone. */
bool setup_is_made(struct root *root);
/* Whether a setup that was made ran this program already (it shows nowhere before the reboot). */
bool setup_has_run(struct root *root, const char *command);
/* Does it and proves it. On failure everything is as before, or the error says what is not (EXIT_RESIDUE). */
struct err *setup_apply(struct root *root, const struct survey *s, const struct setup *setup);
/* Puts everything back that can be; EXIT_RESIDUE names the rest. */
struct err *setup_undo(struct root *root, const struct setup *setup);
void setup_free(struct setup *s);
#define cleanup_setup cleanup(setup_free)

/* Runs a command of a list (words with blanks between), with a limit; nothing on another root than the host's. */
struct err *setup_command(struct root *root, const char *command, char **ret_output);
/* Whether what will be booted has the words and, with `binds`, the script. `since`: when the making of it began. */
struct err *setup_prove(struct root *root, const struct boot_facts *boot, const struct setup *setup, time_t since);
/* Before anything takes effect: the tool itself reads what was written. */
struct err *setup_try(struct root *root, const struct boot_facts *boot, const struct setup *setup);

/* The plan's parameters: words, files and programs. */
struct err *setup_plan_parameters(struct root *root, const struct survey *s, struct setup *setup);
/* A change, unless the file is so already. Takes over `text`. A link stays one: what it points to is changed. `mode`: of a new file. */
struct err *setup_change_to(struct root *root, struct setup *s, const char *path, mode_t mode, enum setup_hold hold, char *text);
struct err *setup_own(struct root *root, struct setup *s, const char *path, mode_t mode, char *text);
/* Lines at the end of a file that a shell reads; refused where that is inside of something. */
struct err *setup_block_in(struct root *root, struct setup *s, const char *path, const char *lines);
/* Refuses where a file that is read after our `own` one, of its folder, sets the variable anew: the value that `lines` and it make together no
 * longer has the words. */
struct err *setup_check_later(struct root *root, const char *own, const char *lines, const char *variable, const char *words);
/* Whether the word stands in a text of command lines, assignments or lists. */
bool setup_has_word(const char *text, const char *word);

/* The whole text of a file, every byte of it; NULL in ret_text where there is none. */
struct err *setup_read(struct root *root, const char *path, char **ret_text, mode_t *ret_mode);

/* Texts that are made of others; pure, owned by the caller. */
/* The value that a shell has in `variable` after reading `text`; "" where it is never set. *ret_open: why nothing can be added at the end
 * ("a quote is not closed", translated), or NULL. */
char *setup_shell_value(const char *text, const char *variable, const char **ret_open);
/* `old` with this block at its end, in place of the one that was there; NULL for `lines` takes it out. */
char *setup_block(const char *old, const char *lines);
/* `text` without the lines that `new` has and `old` has not. */
char *setup_without_lines(const char *text, const char *old, const char *new);
/* A command line in a file: its first line that is neither empty nor a comment; NULL where there is none. */
char *setup_line(const char *old, const struct strv *words);
/* The line "options" of an entry; NULL where there is none. */
char *setup_options(const char *old, const struct strv *words);
/* `text` without those words, wherever a line has them as words, in quotes and brackets, too. */
char *setup_without(const char *text, const char *words);
/* The words that `new` has and `old` has not, blanks between. */
char *setup_added(const char *old, const char *new);
