/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value: the types of values, each a const table of functions: text → a field of struct config, or an error that names
 * the word that was wrong. Pure, except that `~/` asks for HOME.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/config/key.h"

struct conf_type {
	const char *form; /* what it takes, for the manual page: "yes | no", "SIZE"; NULL: the words of the key */
	/* Sets the field `key` of `base` (struct config, or the section's element); what was there is freed. `dir` is
	 * where relative paths are taken from (NULL: left as they are). On an error the field is untouched. */
	struct err *(*set)(const struct conf_key *key, void *base, const char *text, const char *dir);
	void (*clear)(const struct conf_key *key, void *base); /* frees and zeroes the field */
	struct err *(*check)(const char *text);                /* of types of text: whether it is one; may be NULL */
	bool may_be_empty;
};

extern const struct conf_type TYPE_TEXT, TYPE_PATH, TYPE_PROGRAM, TYPE_SERIAL, TYPE_ROM, TYPE_AGENT, TYPE_DEVICE, TYPE_NAME, TYPE_WORD,
	TYPE_DEVICE_ID, TYPE_USB_PORT, TYPE_MAC, TYPE_SUBNET, TYPE_LISTEN, TYPE_RESOLUTION, TYPE_VENDOR, TYPE_INTERFACE, TYPE_BOOL,
	TYPE_NUMBER, TYPE_SIZE, TYPE_ENUM, TYPE_ADDRESS, TYPE_ADDRESSES, TYPE_NAMES, TYPE_FORWARDS, TYPE_ARGS, TYPE_PLACE, TYPE_EMULATOR,
	TYPE_SWITCH, TYPE_HALT_POLL, TYPE_SYSCTLS, TYPE_KVM_SETTINGS, TYPE_UNITS, TYPE_MODULES, TYPE_OOM_SCORE;

/* Whether `text` can name a machine (at most 64 bytes) or a section (at most 32): letters, digits, "_", "." and "-",
 * the first one a letter or digit. It becomes part of file names, of cgroups and of QEMU's ids. */
struct err *value_check_name(const char *text, size_t most);

/* For the types themselves. The field of a key; the word's row or NULL; the error that names the nearest word, or all
 * of them and `more`. */
static inline void *value_field(const struct conf_key *key, void *base)
{
	return (char *)base + key->offset;
}
const struct conf_word *value_find_word(const char *text, const struct conf_word *words);
struct err *value_wrong_word(const char *text, const struct conf_word *words, const char *more);
