/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quickemu: its .conf is a shell script, and is read as text, never run: lines NAME=VALUE and NAME=(VALUE …). A value
 * that only a shell could work out is a note. See import.h.
 */
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/import.h"
#include "launcher/import/quickemu.h"

/* One word of a value: quoted, or up to a blank, a closing parenthesis or a comment. Moves *at behind it; NULL: there is
 * none. */
static char *next_word(const char **at)
{
	struct sb word = {};
	const char *p = *at + strspn(*at, " \t");
	char quote = 0;
	if (!*p || strchr(");#", *p)) {
		*at = p;
		return NULL;
	}
	for (; *p && (quote || !strchr(" \t);", *p)); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? 0 : *p;
		else
			sb_addc(&word, *p);
	}
	*at = p;
	return sb_steal(&word);
}

/* NAME=VALUE, or NAME=( VALUE …, which `array` keeps open over lines. */
static void take_line(struct quickemu *q, const char *line, char **array)
{
	const char *at = line + strspn(line, " \t");
	if (!*array) {
		size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (!*at || *at == '#')
			return;
		if (!n || at[n] != '=') {
			draft_note(q->d, NOTE_MACHINE, q->line, "%.100s", at);
			return;
		}
		cleanup_free char *name = str_ndup(at, n);
		at += n + 1;
		if (*at != '(') {
			cleanup_free char *value = next_word(&at);
			quickemu_take(q, name, value ? value : "");
			at += strspn(at, " \t;");
			if (*at && *at != '#')
				draft_note(q->d, NOTE_MACHINE, q->line, "%.100s", at);
			return;
		}
		*array = steal(name);
		at++;
	}
	for (char *value; (value = next_word(&at)); free(value))
		quickemu_take(q, *array, value);
	if (*at == ')') {
		free(*array);
		*array = NULL;
	}
}

static void fill(struct quickemu *q, const char *section, const char *key, const char *value)
{
	cleanup_free char *kind = str_ndup(section, strcspn(section, " "));
	if (!draft_get(q->d, section, key) && conf_key_takes(kind, key, value))
		draft_set(q->d, 1, section, key, value);
}

static void picture(struct quickemu *q)
{
	const char *video = q->os->windows && !q->spice ? "virtio" : q->os->video;
	bool virgl = streq(video, "virtio") && !q->os->other_video && !q->no_picture;
	fill(q, "display", "mode", "window");
	fill(q, "display", "video", video);
	if (virgl)
		fill(q, "display", "gl", "yes");
	else
		draft_unset(q->d, "display", "gl");
	if (q->width && q->height)
		draft_setf(q->d, 1, "display", "resolution", "%sx%s", q->width, q->height);
}

/* Its own variables are beside the disk, by the names of several of its versions. */
static void state(struct quickemu *q)
{
	static const char *const names[] = { "OVMF_VARS.fd", "OVMF_VARS.qcow2", "OVMF_VARS_4M.fd", "OVMF_VARS-1024x768.fd",
					     "OVMF_VARS-1920x1080.fd" };
	bool uefi = streq(draft_get(q->d, "firmware", "type"), "uefi");
	for (size_t i = 0; uefi && i < ARRAY_SIZE(names); i++)
		strv_addf(&q->d->vars, "%s/%s", q->disk_dir, names[i]);
	if (uefi)
		strv_addf(&q->d->vars, "%s/%s-vars.fd", q->disk_dir, draft_get(q->d, "vm", "name"));
	strv_addf(&q->d->tpm, "%s/tpm2-00.permall", q->disk_dir);
}

/* What quickemu does where the file says nothing. */
static void defaults(struct quickemu *q, const char *name)
{
	cleanup_free char *own = draft_name(name);
	const char *disk = draft_get(q->d, "disk main", "path");
	bool mute = q->os->windows || streq(q->os->name, "macos");
	draft_set(q->d, 1, "vm", "name", own);
	fill(q, "vm", "accel", "kvm");
	if (q->os->cpu)
		fill(q, "cpu", "model", q->os->cpu);
	else
		fill(q, "cpu", "nested", "yes"); /* -cpu host, as it is */
	if (!draft_get(q->d, "cpu", "threads"))
		draft_note(q->d, NOTE_MINOR, 1, "no cpu_cores: quickemu takes about half of the host's; here [cpu] threads is qlaunch's own choice");
	if (!draft_get(q->d, "memory", "size"))
		draft_note(q->d, NOTE_MINOR, 1, "no ram: quickemu takes a part of the host's, 2G to 32G; here it is 8G");
	fill(q, "memory", "size", "8G");
	fill(q, "firmware", "type", "uefi");
	fill(q, "clock", "base", q->os->clock);
	fill(q, "clock", "pit", "discard");
	fill(q, "clock", "hpet", q->os->windows ? "no" : "yes");
	fill(q, "cpu", "hyperv", q->os->windows ? "on" : "off");
	fill(q, "console", "agent", "yes");
	fill(q, "console", "serial", mute ? "none" : "pty");
	picture(q);
	fill(q, "audio", "model", "hda");
	if (disk) {
		fill(q, "disk main", "format", str_ends(disk, ".raw") || str_ends(disk, ".img") ? "raw" : "qcow2");
		fill(q, "disk main", "bus", q->os->bus);
		fill(q, "disk main", "cache", "writeback");
	}
	if (!q->shared)
		draft_set(q->d, 1, "share public", "path", "~/Public");
	if (q->disk_dir)
		state(q);
}

static void network(struct quickemu *q)
{
	const char *mode = draft_get(q->d, "network lan", "mode");
	if (q->no_network) {
		draft_drop(q->d, "network lan");
		return;
	}
	fill(q, "network lan", "mode", "user");
	fill(q, "network lan", "model", q->os->card);
	if (q->restricted)
		draft_note(q->d, NOTE_MACHINE, 1, "network=restrict: the host reaches the guest by the guest's own address here, not by a forwarded port");
	if (mode && !streq(mode, "user"))
		return;
	if (!q->ssh) /* its first choice where it is free */
		strv_add(&q->forwards, "tcp:22220:22");
	cleanup_free char *forwards = strv_join(&q->forwards, " ");
	draft_set(q->d, q->forward_line ? q->forward_line : 1, "network lan", "forward", forwards);
}

static void read_lines(struct quickemu *q, const char *text)
{
	cleanup_free char *array = NULL;
	q->line = 0;
	while (*text) {
		size_t n = strcspn(text, "\r\n");
		cleanup_free char *line = str_ndup(text, n);
		q->line++;
		take_line(q, line, &array);
		text += n;
		text += *text == '\r';
		text += *text == '\n';
	}
}

static void quickemu_free(struct quickemu *q)
{
	strv_free(&q->forwards);
	free(q->disk_dir);
	free(q->width);
	free(q->height);
}

struct err *import_quickemu(const char *text, const char *name, const char *dir, struct draft *d)
{
	cleanup(quickemu_free) struct quickemu q = { .d = d, .dir = dir, .os = quickemu_default_os, .reads_os = true };
	read_lines(&q, text);
	q.reads_os = false;
	read_lines(&q, text);
	if (!draft_get(d, "disk main", "path") && !q.named_os)
		return err_exit(err_new("neither libvirt's domain XML nor a quickemu configuration"), EXIT_CONFIG);
	defaults(&q, name);
	network(&q);
	return NULL;
}
