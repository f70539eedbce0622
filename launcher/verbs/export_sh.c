/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export_sh: see export_sh.h. */
#include <jansson.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/verbs/export_sh.h"

#define DIR "@DIR@" /* becomes "$dir", outside of the single quotes */

/* A word of the shell's. */
static void add_word(struct sb *out, const char *word)
{
	sb_addc(out, '\'');
	while (*word) {
		if (str_starts(word, DIR)) {
			sb_add(out, "'\"$dir\"'");
			word += strlen(DIR);
		} else if (*word == '\'') {
			sb_add(out, "'\\''");
			word++;
		} else {
			sb_addc(out, *word++);
		}
	}
	sb_addc(out, '\'');
}

/* "socket,id=chr-tpm,fd=5" → "socket,id=chr-tpm,path=@DIR@/chr-tpm". */
static char *chardev(const char *value)
{
	const char *fd = strstr(value, ",fd="), *id = strstr(value, "id=");
	if (!fd || !id)
		return str_dup(value);
	const char *name = id + strlen("id="), *rest = fd + strlen(",fd=");
	rest += strspn(rest, "0123456789");
	return str_fmt("%.*s,path=" DIR "/%.*s%s", (int)(fd - value), value, (int)strcspn(name, ","), name, rest);
}

/* A tap or passt's end of a socket is the launcher's: by hand it is QEMU's own network, which needs no privilege. */
static char *netdev(const char *value)
{
	json_t *o = json_loads(value, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type")), *id = json_string_value(json_object_get(o, "id"));
	char *made = NULL;
	if (type && id && !streq(type, "user")) {
		json_t *user = json_pack("{s:s, s:s}", "type", "user", "id", id);
		made = json_dumps(user, JSON_COMPACT);
		json_decref(user);
	}
	json_decref(o);
	return made ? made : str_dup(value);
}

static void add_option(struct sb *out, const struct arg *a)
{
	bool own = a->value && (strstr(a->value, "chr-qmp") || (streq(a->option, "-object") && strstr(a->value, "\"chr-qmp\"")));
	if (streq(a->option, "-S") || own) /* held until the launcher is ready, and its own control connection */
		return;
	cleanup_free char *value = !a->value                      ? NULL
				   : streq(a->option, "-chardev") ? chardev(a->value)
				   : streq(a->option, "-netdev")  ? netdev(a->value)
								  : str_dup(a->value);
	sb_add(out, " \\\n\t");
	if (a->option[0] == '-' && !a->option[strspn(a->option, "-abcdefghijklmnopqrstuvwxyz")])
		sb_add(out, a->option);
	else /* one of [qemu] args, which is any word */
		add_word(out, a->option);
	if (value) {
		sb_addc(out, ' ');
		add_word(out, value);
	}
}

static void add_comment(struct sb *out, const char *text)
{
	cleanup_free char *line = str_printable(text);
	sb_addf(out, "# %s\n", line);
}

static void add_steps(struct sb *out, const struct plan *p)
{
	add_comment(out, _("What qlaunch would do to the host first, and undo at the end, is not done here:"));
	for (size_t i = 0; i < p->steps.n; i++) {
		const struct step *s = &p->steps.v[i];
		cleanup_free char *what = s->kind->describe(s), *line = str_fmt("  %s: %s", what, s->want ? s->want : "");
		add_comment(out, line);
	}
}

static void add_tpm(struct sb *out, const struct plan *p)
{
	cleanup_free char *state = str_fmt("dir=%s,mode=0600", p->tpm_dir);
	sb_add(out, "\n# the TPM\nmkdir -p ");
	add_word(out, p->tpm_dir);
	sb_add(out, "\nswtpm socket --tpm2 --tpmstate ");
	add_word(out, state);
	sb_add(out, " --ctrl \"type=unixio,path=$dir/chr-tpm,mode=0600\" --terminate &\n"
		    "while [ ! -S \"$dir/chr-tpm\" ]; do kill -0 $!; sleep 0.1; done\n");
}

char *export_sh(const struct plan *p)
{
	struct sb out = {};
	cleanup_free char *title =
		tr_fmt("%s by hand: the QEMU that `qlaunch run` starts. Its control socket is $dir/chr-control (QMP).", p->config->vm.name);
	sb_add(&out, "#!/bin/sh\n");
	add_comment(&out, title);
	add_steps(&out, p);
	sb_add(&out, "set -eu\numask 077\ndir=$(mktemp -d)\n");
	for (size_t i = 0; i < p->shares.n; i++) {
		sb_add(&out, "virtiofsd --shared-dir=");
		add_word(&out, p->config->shares[i].path);
		sb_addf(&out, " --socket-path=\"$dir/share-%zu\" &\nwhile [ ! -S \"$dir/share-%zu\" ]; do kill -0 $!; sleep 0.1; done\n", i,
			i);
	}
	if (p->tpm_dir)
		add_tpm(&out, p);
	sb_add(&out, "\necho \"$dir\"\nexec ");
	add_word(&out, p->qemu_argv.n ? p->qemu_argv.v[0] : "qemu-system-x86_64");
	for (size_t i = 0; i < p->qemu.n; i++)
		add_option(&out, &p->qemu.v[i]);
	sb_addc(&out, '\n');
	return sb_steal(&out);
}
