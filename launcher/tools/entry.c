/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry: see entry.h. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/tools/entry.h"

#define OURS "X-Qlaunch-Config"

/* "Value types": what a string must escape. */
static const struct {
	char plain, letter;
} escapes[] = { { '\\', '\\' }, { '\n', 'n' }, { '\t', 't' }, { '\r', 'r' } };

void entry_add(struct sb *sb, const char *key, const char *value)
{
	sb_addf(sb, "%s=%s", key, *value == ' ' ? "\\s" : "");
	for (const char *p = value + (*value == ' '); *p; p++) {
		char letter = *p;
		for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
			if (*p == escapes[i].plain) {
				sb_addc(sb, '\\');
				letter = escapes[i].letter;
			}
		sb_addc(sb, letter);
	}
	sb_addc(sb, '\n');
}

/* "The Exec key": a percent sign is doubled everywhere; four characters take a backslash within double quotes. */
char *entry_exec(const struct strv *argv)
{
	struct sb sb = {};
	for (size_t i = 0; i < argv->n; i++) {
		const char *word = argv->v[i], *quote = !*word || strpbrk(word, " \t\n\r\"'\\><~|&;$*?#()`") ? "\"" : "";
		sb_addf(&sb, "%s%s", i ? " " : "", quote);
		for (const char *p = word; *p; p++) {
			if (strchr("\"`$\\", *p))
				sb_addc(&sb, '\\');
			else if (*p == '%')
				sb_addc(&sb, '%');
			sb_addc(&sb, *p);
		}
		sb_add(&sb, quote);
	}
	return sb_steal(&sb);
}

static void add_exec(struct sb *sb, const struct strv *argv)
{
	cleanup_free char *line = entry_exec(argv);
	entry_add(sb, "Exec", line);
}

char *entry_text(const struct entry *e)
{
	static const struct {
		const char *id, *names;
	} actions[] = {
		{ "stop", "Name=Stop\nName[pt_BR]=Desligar\n" },
		{ "switch", "Name=Switch monitor\nName[pt_BR]=Trocar o monitor\n" },
	};
	const struct strv *const lines[] = { &e->stop, &e->swap };
	struct sb sb = {};
	sb_add(&sb, "[Desktop Entry]\nType=Application\nVersion=1.4\n");
	entry_add(&sb, "Name", e->name);
	sb_add(&sb, "GenericName=Virtual Machine\nGenericName[pt_BR]=Máquina virtual\n");
	if (e->comment && *e->comment)
		entry_add(&sb, "Comment", e->comment);
	entry_add(&sb, "Icon", e->icon);
	entry_add(&sb, "TryExec", e->program);
	add_exec(&sb, &e->start);
	sb_add(&sb, "Terminal=false\nStartupNotify=false\nCategories=System;Emulator;\nKeywords=VM;GPU;passthrough;\n");
	sb_add(&sb, e->swap.n ? "Actions=stop;switch;\n" : "Actions=stop;\n");
	entry_add(&sb, OURS, e->config);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!lines[i]->n)
			continue;
		sb_addf(&sb, "\n[Desktop Action %s]\n%s", actions[i].id, actions[i].names);
		add_exec(&sb, lines[i]);
	}
	return sb_steal(&sb);
}

char *entry_config(const char *text)
{
	const char *line = strstr(text, "\n" OURS "=");
	struct sb sb = {};
	if (!line)
		return NULL;
	for (const char *p = line + strlen("\n" OURS "="); *p && *p != '\n'; p++) {
		char c = *p;
		if (c == '\\' && p[1] && p[1] != '\n') {
			c = *++p == 's' ? ' ' : *p;
			for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
				if (*p == escapes[i].letter)
					c = escapes[i].plain;
		}
		sb_addc(&sb, c);
	}
	return sb_steal(&sb);
}

char *entry_program(void)
{
	return realpath("/proc/self/exe", NULL);
}

/* Beside the program, as it is installed, and as it is built: BUILD/qlaunch has share/ next to BUILD. */
char *entry_icon(void)
{
	cleanup_free char *program = entry_program();
	char *slash = program ? strrchr(program, '/') : NULL;
	if (!slash)
		return str_dup("qlaunch");
	*slash = '\0';
	cleanup_free char *file = str_fmt("%s/../share/icons/hicolor/scalable/apps/qlaunch.svg", program);
	cleanup_free char *share = str_fmt("%s/../share", program), *real = realpath(share, NULL), *icon = realpath(file, NULL);
	const char *dirs = getenv("XDG_DATA_DIRS");
	cleanup_strv struct strv all = {};
	strv_split(&all, dirs && *dirs ? dirs : "/usr/local/share:/usr/share", ":");
	return !icon || !real || strv_has(&all, real) ? str_dup("qlaunch") : steal(icon);
}
