/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch key VM KEYS…: keys pressed on the guest's virtual keyboard, those of one word together: ctrl-alt-delete. By QEMU's names of keys. */
#include <ctype.h>
#include "launcher/base/log.h"
#include "launcher/verbs/running.h"

#define HOLD_MS 80 /* a guest looks at its keyboard more often */

/* What people write, and QEMU's name (qapi/ui.json: QKeyCode); what is not here is QEMU's already. */
static const struct {
	const char *word, *code;
} names[] = {
	{ "control", "ctrl" },	  { "del", "delete" },	      { "return", "ret" },     { "enter", "ret" },	  { "escape", "esc" },
	{ "space", "spc" },	  { "super", "meta_l" },      { "win", "meta_l" },     { "windows", "meta_l" },	  { "meta", "meta_l" },
	{ "pageup", "pgup" },	  { "pagedown", "pgdn" },     { "ins", "insert" },     { "altgr", "alt_r" },
	{ "plus", "kp_add" },	  { "capslock", "caps_lock" }, { "bksp", "backspace" },
};

static json_t *code_of(const char *word)
{
	cleanup_free char *lower = str_dup(word);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	const char *code = lower;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i].word, lower))
			code = names[i].code;
	return json_pack("{s:s, s:s}", "type", "qcode", "data", code);
}

struct err *verb_key(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	TRY(verb_words(args, 2, 64, "key VM KEYS…"));
	const char *vm = args->words.v[0];
	TRY(running_monitor(cli, vm, "key", &qmp));
	for (size_t i = 1; i < args->words.n; i++) {
		cleanup_strv struct strv words = {};
		json_t *keys = json_array();
		strv_split(&words, args->words.v[i], "-+");
		for (size_t k = 0; k < words.n; k++)
			json_array_append_new(keys, code_of(words.v[k]));
		bool can_be = words.n && str_is_utf8(args->words.v[i]);
		json_t *press = json_pack("{s:o, s:i}", "keys", keys, "hold-time", HOLD_MS);
		struct err *e = can_be ? qmp_call(qmp, "send-key", json_incref(press), RUNNING_LIMIT_MS, NULL) : NULL;
		json_decref(press);
		if (can_be && !e)
			continue;
		if (e && !strstr(err_text(e), "arameter")) /* QEMU's word for a key that is none; all else is no key's fault */
			return err_exit(e, EXIT_GUEST);
		err_free(e);
		return err_exit(err_hint(err_new("\"%s\" are no keys", args->words.v[i]), "ctrl-alt-delete, f8, a, ret, meta-r"),
				EXIT_USAGE);
	}
	log_info("%s: pressed", vm);
	return NULL;
}
