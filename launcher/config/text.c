/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: values that stay text, checked for their form; paths. See value.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/config/value.h"

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct err *value_check_name(const char *text, size_t most)
{
	if (!isalnum((unsigned char)*text) || text[strspn(text, LETTERS_DIGITS "_.-")])
		return err_new("\"%s\" cannot be a name: letters, digits, \"_\", \".\" and \"-\", "
			       "the first a letter or digit",
			       text);
	if (strlen(text) > most)
		return err_new("\"%s\" is too long for a name: at most %zu characters", text, most);
	return NULL;
}

static struct err *check_vm_name(const char *text)
{
	return value_check_name(text, 64);
}

static struct err *check_word(const char *text)
{
	if (text[strspn(text, LETTERS_DIGITS "_.-")])
		return err_new("\"%s\" is not one word of letters, digits, \"_\", \".\" and \"-\"", text);
	return NULL;
}

static struct err *check_vendor(const char *text)
{
	if (strlen(text) > 12 || strchr(text, ','))
		return err_new("\"%s\" is not a vendor: at most 12 characters, no comma", text);
	return NULL;
}

static struct err *check_interface(const char *text)
{
	if (strlen(text) >= IFNAMSIZ || strpbrk(text, "/: \t") || streq(text, ".") || streq(text, ".."))
		return err_new("\"%s\" cannot be a network interface", text);
	return NULL;
}

static struct err *check_device_id(const char *text)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	if (strspn(text, hex) != 4 || text[4] != ':' || strspn(text + 5, hex) != 4 || text[9])
		return err_new("\"%s\" is not an id such as 10de:2204", text);
	return NULL;
}

static struct err *check_usb_port(const char *text)
{
	const char *p = text + strspn(text, "0123456789");
	bool ok = p > text && *p == '-';
	while (ok && (*p == '-' || *p == '.')) {
		size_t n = strspn(++p, "0123456789");
		ok = n > 0 && n < 4;
		p += n;
	}
	return ok && !*p ? NULL : err_new("\"%s\" is not a USB port such as 1-2 or 1-2.3", text);
}

static struct err *check_mac(const char *text)
{
	unsigned byte[6];
	int end = 0;
	bool form = strlen(text) == 17 &&
		    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5], &end) == 6 &&
		    end == 17 && !text[strspn(text, "0123456789abcdefABCDEF:")];
	if (!form)
		return err_new("\"%s\" is not a MAC address such as 52:54:00:12:34:56", text);
	if (byte[0] & 1)
		return err_new("\"%s\" is a multicast address: the first byte must be even", text);
	return NULL;
}

static struct err *check_listen(const char *text)
{
	struct in6_addr in;
	if (inet_pton(AF_INET, text, &in) != 1 && inet_pton(AF_INET6, text, &in) != 1)
		return err_new("\"%s\" is not an address such as 192.168.1.5", text);
	return NULL;
}

static struct err *check_subnet(const char *text)
{
	const char *slash = strchr(text, '/');
	cleanup_free char *address = str_ndup(text, slash ? (size_t)(slash - text) : strlen(text));
	struct in_addr in;
	uint64_t bits = 0;
	cleanup_err struct err *e = slash ? num_parse(slash + 1, 30, &bits) : NULL;
	if (!slash || e || bits < 8 || inet_pton(AF_INET, address, &in) != 1)
		return err_new("\"%s\" is not a network such as 192.168.77.0/24", text);
	return NULL;
}

static struct err *check_resolution(const char *text)
{
	const char *x = strchr(text, 'x');
	cleanup_free char *left = str_ndup(text, x ? (size_t)(x - text) : 0);
	uint64_t width = 0, height = 0;
	cleanup_err struct err *e = num_parse(left, 16384, &width);
	cleanup_err struct err *f = x ? num_parse(x + 1, 16384, &height) : NULL;
	if (!x || e || f || !width || !height)
		return err_new("\"%s\" is not a resolution such as 2560x1440", text);
	return NULL;
}

static struct err *text_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	(void)dir;
	if (key->type->check)
		TRY(key->type->check(text));
	str_set(value_field(key, base), text);
	return NULL;
}

static void text_clear(const struct conf_key *key, void *base)
{
	str_set(value_field(key, base), NULL);
}

/* A path, absolute where `dir` is. A leading "../" takes a part of `dir` away, which is right while it holds no links. */
static struct err *path_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	cleanup_free char *path = NULL;
	if (str_starts(text, "~/")) {
		const char *home = getenv("HOME");
		if (!home || *home != '/')
			return err_new("\"%s\": HOME is not set", text);
		if (!str_is_utf8(home))
			return err_new("\"%s\": the name of the folder HOME is no UTF-8", text);
		path = str_fmt("%s%s", home, text + 1);
	} else if (*text == '/' || !dir) {
		path = str_dup(text);
	} else {
		cleanup_free char *from = str_dup(dir);
		for (;;) {
			char *slash = strrchr(from, '/');
			if (str_starts(text, "./")) {
				text += 2;
			} else if (str_starts(text, "../") && slash) {
				*slash = '\0';
				text += 3;
			} else {
				break;
			}
			text += strspn(text, "/");
		}
		path = str_fmt("%s/%s", streq(from, "/") ? "" : from, text);
	}
	str_set(value_field(key, base), path);
	return NULL;
}

/* A program: a path where there is a slash, else a name to be found in PATH. */
static struct err *program_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	return strchr(text, '/') ? path_set(key, base, text, dir) : text_set(key, base, text, dir);
}

/* One of the words, or a path, which has a slash. */
static struct err *word_or_path_set(const struct conf_key *key, void *base, const char *text, const char *dir,
				    const struct conf_word *words)
{
	if (value_find_word(text, words))
		return text_set(key, base, text, dir);
	if (!strchr(text, '/'))
		return value_wrong_word(text, words, ", or a path (with a slash)");
	return path_set(key, base, text, dir);
}

static struct err *serial_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	static const struct conf_word words[] = { { "stdio", 0 }, { "pty", 0 }, { "none", 0 }, {} };
	return word_or_path_set(key, base, text, dir, words);
}

static struct err *rom_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	static const struct conf_word words[] = { { "off", 0 }, { "host", 0 }, {} };
	return word_or_path_set(key, base, text, dir, words);
}

static struct err *agent_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	static const struct conf_word words[] = { { "yes", 0 }, { "no", 0 }, {} };
	return word_or_path_set(key, base, text, dir, words);
}

static bool take_word(const char **text, const char *prefix, char **ret)
{
	if (*ret || !str_starts(*text, prefix))
		return false;
	const char *from = *text + strlen(prefix);
	size_t n = streq(prefix, "name:") ? strlen(from) : strcspn(from, " \t");
	if (!n)
		return false;
	*ret = str_ndup(from, n);
	*text = from + n + strspn(from + n, " \t");
	return true;
}

bool conf_device_parse(const char *text, struct conf_device *ret)
{
	struct conf_device d = {};
	while (take_word(&text, "uniq:", &d.uniq) || take_word(&text, "phys:", &d.phys) || take_word(&text, "name:", &d.name))
		;
	bool form = !*text && (d.uniq || d.phys || d.name);
	if (form)
		*ret = d;
	else
		conf_device_free(&d);
	return form;
}

void conf_device_free(struct conf_device *d)
{
	free(d->uniq);
	free(d->phys);
	free(d->name);
	*d = (struct conf_device){};
}

static struct err *device_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	cleanup_conf_device struct conf_device words = {};
	if (conf_device_parse(text, &words))
		return text_set(key, base, text, dir);
	if (str_starts(text, "name:") || str_starts(text, "uniq:") || str_starts(text, "phys:"))
		return err_new("\"%s\" is no device such as uniq:dc:2c:26:01:02:03 name:Keychron K2: a name stands last", text);
	return path_set(key, base, text, dir);
}

const struct conf_type TYPE_TEXT = { "TEXT", text_set, text_clear, NULL, true };
const struct conf_type TYPE_PATH = { "PATH", path_set, text_clear, NULL, false };
const struct conf_type TYPE_PROGRAM = { "PROGRAM", program_set, text_clear, NULL, false };
const struct conf_type TYPE_SERIAL = { "stdio | pty | none | PATH", serial_set, text_clear, NULL, false };
const struct conf_type TYPE_ROM = { "PATH | host | off", rom_set, text_clear, NULL, false };
const struct conf_type TYPE_AGENT = { "yes | no | PATH", agent_set, text_clear, NULL, false };
const struct conf_type TYPE_DEVICE = { "PATH | name:NAME | uniq:ID", device_set, text_clear, NULL, false };
const struct conf_type TYPE_NAME = { "NAME", text_set, text_clear, check_vm_name, false };
const struct conf_type TYPE_WORD = { "NAME", text_set, text_clear, check_word, false };
const struct conf_type TYPE_DEVICE_ID = { "VENDOR:DEVICE", text_set, text_clear, check_device_id, false };
const struct conf_type TYPE_USB_PORT = { "PORT", text_set, text_clear, check_usb_port, false };
const struct conf_type TYPE_MAC = { "MAC", text_set, text_clear, check_mac, false };
const struct conf_type TYPE_SUBNET = { "NETWORK/BITS", text_set, text_clear, check_subnet, false };
const struct conf_type TYPE_LISTEN = { "ADDRESS", text_set, text_clear, check_listen, false };
const struct conf_type TYPE_RESOLUTION = { "WIDTHxHEIGHT", text_set, text_clear, check_resolution, false };
const struct conf_type TYPE_VENDOR = { "TEXT", text_set, text_clear, check_vendor, false };
const struct conf_type TYPE_INTERFACE = { "INTERFACE", text_set, text_clear, check_interface, false };
