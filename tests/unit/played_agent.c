/* SPDX-License-Identifier: GPL-2.0-or-later */
/* played_agent: see played_agent.h. */
#include <unistd.h>
#include "launcher/base/str.h"
#include "tests/unit/peer.h"
#include "tests/unit/played_agent.h"

int played_end;

json_t *played_hear(int fd, bool *ret_sentinel)
{
	struct sb sb = {};
	char c = 0;
	ssize_t n;
	while ((n = read(fd, &c, 1)) == 1 && c != '\n')
		sb_addc(&sb, c);
	if (n != 1 || !sb.s)
		_exit(played_end);
	*ret_sentinel = (unsigned char)sb.s[0] == 0xff;
	json_t *command = json_loads(sb.s + *ret_sentinel, 0, NULL);
	sb_free(&sb);
	return command;
}

const char *played_name(const json_t *command)
{
	return json_string_value(json_object_get(command, "execute"));
}

void played_answer(int fd, const json_t *command, const char *value)
{
	int id = (int)json_integer_value(json_object_get(command, "id"));
	cleanup_free char *line =
		*value == '!' ? str_fmt("{\"error\": {\"class\": \"GenericError\", \"desc\": \"%s\"}, \"id\": %d}\n", value + 1, id)
			      : str_fmt("{\"return\": %s, \"id\": %d}\n", value, id);
	peer_say(fd, line);
}

void played_answer_sync(int fd, const json_t *command)
{
	if (!streq(played_name(command), "guest-sync-delimited"))
		_exit(1);
	cleanup_free char *line =
		str_fmt("\xff{\"return\": %lld}\n", json_integer_value(json_object_get(json_object_get(command, "arguments"), "id")));
	peer_say(fd, line);
}

void played_sync(int fd)
{
	bool sentinel;
	json_t *command = played_hear(fd, &sentinel);
	if (!sentinel)
		_exit(1);
	played_answer_sync(fd, command);
	json_decref(command);
}

void played_expect(int fd, const char *name, const char *value)
{
	bool sentinel;
	json_t *command = played_hear(fd, &sentinel);
	if (sentinel || !streq(played_name(command), name))
		_exit(1);
	played_answer(fd, command, value);
	json_decref(command);
}

void played_talk(int fd, const struct played_line *lines)
{
	for (;;) {
		bool sentinel;
		played_end = lines->command ? 2 : 0;
		json_t *command = played_hear(fd, &sentinel);
		if (sentinel) {
			played_answer_sync(fd, command);
		} else {
			if (!lines->command || !streq(played_name(command), lines->command))
				_exit(1);
			if (lines->first)
				lines->first();
			played_answer(fd, command, lines->answer);
			lines++;
		}
		json_decref(command);
	}
}
