/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli: what every command gets from the command line, and the table that main.c walks. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"
#include "launcher/base/str.h"
#include "launcher/base/phases.h"
#include "launcher/step/step.h"

struct cli {
	struct root *root;
	struct step_env env;
	struct strv sets;              /* every --set */
	bool json;                     /* --json */
	const char *install, *drivers; /* discs of `run --install`; borrowed */
	const char *answers;           /* of `--unattended`, likewise; NULL: somebody sits before it */
	struct phases phases;          /* of `run` */
	enum exit_status status;       /* what a command that said everything itself wants to end with; an error's own status wins */
};

struct verb_args;

struct verb {
	const char *name;
	const char *group; /* heading in --help; NULL: not listed */
	const char *args;  /* "CONFIG", "[VM]" */
	const char *help;  /* one line */
	const char
		*options; /* its own long options besides the common ones, blank-separated: "yes", with a value "output=", where it may be
				left out "redo[=failed]"; or NULL */
	struct err *(*run)(struct cli *cli, const struct verb_args *args);
};

/* The words after the verb: positional ones in order, and its own options. */
struct verb_args {
	struct strv words;
	struct strv options; /* "install=windows.iso", "yes" */
};
/* The value of an option, "" for one without, NULL where it was not given. */
const char *verb_option(const struct verb_args *args, const char *name);
/* Exactly `least` to `most` words, or a usage error that names the one too many or the one that misses. */
struct err *verb_words(const struct verb_args *args, size_t least, size_t most, const char *usage);

/* The verbs of main.c's table; each in verbs/verb_NAME.c. */
struct err *verb_run(struct cli *cli, const struct verb_args *args);
struct err *verb_plan(struct cli *cli, const struct verb_args *args);
struct err *verb_check(struct cli *cli, const struct verb_args *args);
struct err *verb_status(struct cli *cli, const struct verb_args *args);
struct err *verb_stop(struct cli *cli, const struct verb_args *args);
struct err *verb_disk(struct cli *cli, const struct verb_args *args);
struct err *verb_console(struct cli *cli, const struct verb_args *args);
struct err *verb_monitors(struct cli *cli, const struct verb_args *args);
struct err *verb_switch(struct cli *cli, const struct verb_args *args);
struct err *verb_desktop(struct cli *cli, const struct verb_args *args);
struct err *verb_restore(struct cli *cli, const struct verb_args *args);
struct err *verb_topology(struct cli *cli, const struct verb_args *args);
struct err *verb_top(struct cli *cli, const struct verb_args *args);
struct err *verb_bench(struct cli *cli, const struct verb_args *args);
struct err *verb_groups(struct cli *cli, const struct verb_args *args);
struct err *verb_input(struct cli *cli, const struct verb_args *args);
struct err *verb_new(struct cli *cli, const struct verb_args *args);
struct err *verb_import(struct cli *cli, const struct verb_args *args);
struct err *verb_export(struct cli *cli, const struct verb_args *args);
struct err *verb_pause(struct cli *cli, const struct verb_args *args);
struct err *verb_resume(struct cli *cli, const struct verb_args *args);
struct err *verb_reset(struct cli *cli, const struct verb_args *args);
struct err *verb_reboot(struct cli *cli, const struct verb_args *args);
struct err *verb_cdrom(struct cli *cli, const struct verb_args *args);
struct err *verb_forward(struct cli *cli, const struct verb_args *args);
struct err *verb_screenshot(struct cli *cli, const struct verb_args *args);
struct err *verb_key(struct cli *cli, const struct verb_args *args);
struct err *verb_exec(struct cli *cli, const struct verb_args *args);
struct err *verb_ssh(struct cli *cli, const struct verb_args *args);
struct err *verb_list(struct cli *cli, const struct verb_args *args);
struct err *verb_edit(struct cli *cli, const struct verb_args *args);
struct err *verb_clone(struct cli *cli, const struct verb_args *args);
struct err *verb_rename(struct cli *cli, const struct verb_args *args);
struct err *verb_remove(struct cli *cli, const struct verb_args *args);
struct err *verb_autostart(struct cli *cli, const struct verb_args *args);
struct err *verb_log(struct cli *cli, const struct verb_args *args);
struct err *verb_fetch(struct cli *cli, const struct verb_args *args);
struct err *verb_capture(struct cli *cli, const struct verb_args *args);
struct err *verb_setup(struct cli *cli, const struct verb_args *args);
struct err *verb_keys(struct cli *cli, const struct verb_args *args);
