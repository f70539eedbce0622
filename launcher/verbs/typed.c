/* SPDX-License-Identifier: GPL-2.0-or-later */
/* typed: see typed.h. */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/str.h"
#include "launcher/verbs/typed.h"

/* "%20" (RFC 3986, 2.1), in place; what is no such pair, and a NUL, stays as it is. */
static void decode(char *text)
{
	char *to = text;
	for (const char *from = text; *from; from++) {
		char pair[3] = { from[0] == '%' ? from[1] : '\0', from[0] == '%' && from[1] ? from[2] : '\0' };
		bool hex = isxdigit((unsigned char)pair[0]) && isxdigit((unsigned char)pair[1]) && strtoul(pair, NULL, 16);
		*to++ = hex ? (char)strtoul(pair, NULL, 16) : *from;
		from += hex ? 2 : 0;
	}
	*to = '\0';
}

/* As a shell reads a word: '…', "…" and a backslash. */
static char *unquote(const char *word)
{
	struct sb sb = {};
	char quote = '\0';
	for (const char *p = word; *p; p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? '\0' : *p;
		else if (*p == '\\' && quote != '\'' && p[1])
			sb_addc(&sb, *++p);
		else
			sb_addc(&sb, *p);
	}
	return sb_steal(&sb);
}

static char *absolute(const char *path, const char *home, const char *here)
{
	return *path == '/' || !here            ? str_dup(path)
	       : home && str_starts(path, "~/") ? str_fmt("%s%s", home, path + 1)
						: str_fmt("%s/%s", here, path);
}

char *typed_path(const struct user *user, const char *word, const char *here)
{
	const char *home = user->home;
	cleanup_free char *copy = str_dup(word), *as_it_is = absolute(word, NULL, here);
	if (*word && user_sees(user, as_it_is, NULL))
		return steal(as_it_is);
	cleanup_free char *bare = unquote(str_trim(copy));
	if (strncasecmp(bare, "file://", 7) != 0)
		return absolute(str_trim(bare), home, here);
	/* "file:///x", "file://localhost/x" (RFC 8089) */
	const char *path = strchr(bare + 7, '/');
	cleanup_free char *decoded = str_dup(path ? path : bare + 7);
	decode(decoded);
	return absolute(str_trim(decoded), home, here);
}

char *typed_quoted(const char *path)
{
	if (*path && !path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%=")])
		return str_dup(path);
	struct sb sb = {};
	sb_add(&sb, "'");
	for (const char *p = path; *p; p++)
		*p == '\'' ? sb_add(&sb, "'\\''") : sb_addc(&sb, *p);
	sb_add(&sb, "'");
	return sb_steal(&sb);
}
