/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entry: a machine as an entry of the desktop's menu, by the Desktop Entry Specification 1.4. Pure text, but for
 * entry_icon(), which looks where the program was installed.
 */
#pragma once
#include "launcher/base/str.h"

struct entry {
	const char *name, *comment;    /* what people read; comment may be NULL */
	const char *icon;              /* a name of the icon theme's, or a path */
	const char *program;           /* absolute: the desktop leaves the entry out where it is not there */
	const char *config;            /* absolute path of the configuration: by it, an entry is known as ours */
	struct strv start, stop, swap; /* commands; `swap` changes the monitors and may be empty */
};

/* The whole file. Owned by the caller. */
char *entry_text(const struct entry *e);
/* One line of the file, "KEY=VALUE\n", as the specification escapes strings. */
void entry_add(struct sb *sb, const char *key, const char *value);
/* A command line as the value of Exec=, before entry_add() escapes it once more: quoted where need be. Owned by the caller. */
char *entry_exec(const struct strv *argv);
/* The configuration that the text of an entry names; NULL where it is none of ours. Owned by the caller. */
char *entry_config(const char *text);
/* qlaunch's icon: its name in the theme, or its path where the desktop would not find it by name. Owned by the caller. */
char *entry_icon(void);
/* The path of this very program, without links; NULL where /proc is not there. Owned by the caller. */
char *entry_program(void);
