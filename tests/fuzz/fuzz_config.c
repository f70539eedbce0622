/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a configuration; what follows a line "--set" are words of the command line, one a line. */
#include <stdlib.h>
#include <string.h>
#include "launcher/config/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n--set\n";
	const char *text = (const char *)data, *rest = size ? memmem(text, size, mark, strlen(mark)) : NULL;
	size_t length = rest ? (size_t)(rest - text) : size;
	cleanup_free char *words = rest ? str_ndup(rest + strlen(mark), size - length - strlen(mark)) : str_dup("");
	cleanup_strv struct strv sets = {};
	struct conf_errors errors = {};
	strv_split(&sets, words, "\n");
	cleanup_config struct config *c = config_parse_bytes(text ? text : "", length, "fuzz.conf", "/dir", &sets, &errors);
	if ((c != NULL) != (errors.lines.n == 0))
		abort(); /* either a configuration or errors */
	for (size_t i = 0; i < errors.lines.n; i++)
		if (!str_starts(errors.lines.v[i], "fuzz.conf:") && !str_starts(errors.lines.v[i], "--set "))
			abort();
	if (c && (!c->vm.name || !c->memory.size))
		abort();
	strv_free(&errors.lines);
	return 0;
}
