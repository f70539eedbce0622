/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fetch: a file from the net, by libcurl. What has come lies in PATH.part until it is whole and was looked at, and only then gets its name:
 * who is interrupted, or whose line breaks, goes on from there, if the server still has the same file. Two at once do not write into one.
 *
 * https alone, and http from this very host (a mirror of one's own). With the caller's rights: the command becomes the user before.
 */
#pragma once
#include "launcher/base/err.h"

struct fetch {
	const char *url;
	const char *path;   /* where it goes; absolute */
	const char *sha256; /* 64 hexadecimal digits that it must have; NULL: nobody knows */
	bool replace;       /* a file of that name is replaced, in the moment when the new one is whole; else EEXIST */
	/* Whether the whole file is what it should be; what is not is removed. May be NULL. */
	struct err *(*check)(const char *part);
};

/*
 * Shows its progress on a terminal. SIGINT, SIGTERM and SIGHUP end it: ECANCELED, and what has come stays. Lines that break, and servers that
 * have a bad moment, are asked again, as long as something comes. EXIT_HOST; EXIT_USAGE for an address that is not asked.
 */
struct err *fetch_file(const struct fetch *f);
