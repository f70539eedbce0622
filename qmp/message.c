/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message: see message.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "qmp/message.h"

void message_free(struct message *m)
{
	json_decref(m->root);
	*m = (struct message){};
}

/* QEMU tells defaults of 64 bits without a sign (7.2: mem-reserve of pcie-root-port; 11.1: vfio-pci), which jansson's integers do not hold:
 * in such a message all numbers are reals. */
static json_t *load(const char *line, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb(line, len, JSON_ALLOW_NUL, &error);
	if (!root && json_error_code(&error) == json_error_numeric_overflow)
		root = json_loadb(line, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	return root;
}

struct err *message_parse(const char *line, size_t len, struct message *ret_message)
{
	static const struct {
		const char *key;
		enum message_type type;
	} kinds[] = { { "QMP", MESSAGE_GREETING }, { "return", MESSAGE_RETURN }, { "error", MESSAGE_ERROR } };
	struct message m = { .root = load(line, len) };

	m.name = json_string_value(json_object_get(m.root, "event"));
	m.id = (int64_t)json_number_value(json_object_get(m.root, "id"));
	if (m.name) {
		m.type = MESSAGE_EVENT;
		m.value = json_object_get(m.root, "data");
	}
	for (size_t i = 0; !m.name && !m.value && i < ARRAY_SIZE(kinds); i++) {
		m.type = kinds[i].type;
		m.value = json_object_get(m.root, kinds[i].key);
	}
	if (!m.name && !m.value) {
		message_free(&m);
		return err_errno(EPROTO, "not a message: \"%.60s\"", line);
	}
	*ret_message = m;
	return NULL;
}

char *message_command(const char *command, json_t *args, int64_t id)
{
	json_t *root = json_object();
	json_object_set_new(root, "execute", json_string(command));
	if (args)
		json_object_set_new(root, "arguments", args);
	json_object_set_new(root, "id", json_integer(id));
	cleanup_free char *text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return str_fmt("%s\n", text ? text : "");
}

struct err *message_error(const char *command, const json_t *error)
{
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *desc = json_string_value(json_object_get(error, "desc"));
	return err_new("%s: %s: %s", command, class ? class : "error", desc ? desc : _("no description"));
}
