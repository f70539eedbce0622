/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fetch: see fetch.h. One request is `ask`; redirects are followed here, so that each address is judged by the same rule. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include "launcher/base/child.h"
#include "launcher/base/late.h"
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/base/progress.h"
#include "launcher/tools/fetch.h"

#define CURL_FUNCTIONS(X) \
	X(curl_global_init) X(curl_easy_init) X(curl_easy_setopt) X(curl_easy_perform) X(curl_easy_getinfo) X(curl_easy_cleanup) \
	X(curl_easy_strerror) X(curl_slist_append) X(curl_slist_free_all) X(curl_url) X(curl_url_set) X(curl_url_get) X(curl_url_cleanup) X(curl_free)

enum {
	CONNECT_S = 30,
	STALLED_S = 60,      /* without a byte, it is asked again */
	HOPS = 10,           /* redirects, as browsers do */
	TRIES = 5,           /* in a row that brought nothing */
	PAUSE_S = 1,         /* between two of them, times their number */
	PAGE_MAX = 64 << 10, /* of what is no file: as much is read for its title */
	SUM_MS = 600000,
};

static struct LATE_TABLE(CURL_FUNCTIONS) curl;

/* Debian has it once with OpenSSL and once with GnuTLS, under two names. */
static struct err *load(void)
{
	static const char *const names[] = LATE_NAMES(CURL_FUNCTIONS);
	struct err *e = late_load("libcurl.so.4", names, &curl);
	if (!e)
		return NULL;
	struct err *other = late_load("libcurl-gnutls.so.4", names, &curl);
	err_free(other ? other : e);
	return other ? e : NULL;
}

struct transfer {
	const struct fetch *f;
	CURL *handle;
	int fd;            /* PATH.part */
	char *part, *from; /* its path, and that of the word by which the server knows that version */
	char *version;     /* of what is in it; NULL: it cannot be gone on with */
	uint64_t have;     /* bytes in it */
	sigset_t ends;     /* blocked; who sends one wants the end */
	bool cancelled;
	struct err *error; /* of a callback */
	/* of the answer that is coming */
	long status;
	char *type, *etag, *modified, *range;
	struct sb page; /* what is no file */
	bool begun;     /* its first byte was looked at */
};

static void forget_answer(struct transfer *t)
{
	t->status = 0;
	str_set(&t->type, NULL);
	str_set(&t->etag, NULL);
	str_set(&t->modified, NULL);
	str_set(&t->range, NULL);
	sb_free(&t->page);
	t->begun = false;
}

static void transfer_free(struct transfer *t)
{
	forget_answer(t);
	if (t->handle)
		curl.curl_easy_cleanup(t->handle);
	fd_closep(&t->fd);
	free(t->part);
	free(t->from);
	free(t->version);
	err_free(t->error);
}

/* ---- the address ---- */

/* "https://host/…", and http where the host is this one. `secure`: it was https that led here. */
static struct err *judge(const char *url, bool secure, bool *ret_secure)
{
	char *scheme = NULL, *host = NULL;
	CURLU *parts = curl.curl_url();
	bool whole = parts && curl.curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		     curl.curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		     curl.curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
	bool here = whole && (streq(host, "127.0.0.1") || streq(host, "[::1]") || streq(host, "localhost"));
	*ret_secure = whole && streq(scheme, "https");
	bool fine = *ret_secure || (here && !secure && streq(scheme, "http"));
	curl.curl_free(scheme);
	curl.curl_free(host);
	curl.curl_url_cleanup(parts);
	cleanup_free char *shown = str_printable(url);
	return fine     ? NULL
	       : !whole ? err_exit(err_new("%s is no address", shown), EXIT_USAGE)
			: err_exit(err_hint(err_new("%s is not asked: what comes must not be changed on its way", shown),
					    "an address with https"),
				   EXIT_USAGE);
}

/* ---- the answer ---- */

/* "ETag: \"x\"": the value, where the line is that field's. */
static void take_field(const char *line, const char *name, char **value)
{
	size_t n = strlen(name);
	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	cleanup_free char *rest = str_dup(line + n + 1);
	str_set(value, str_trim(rest));
}

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	cleanup_free char *line = str_ndup(data, size * n);
	if (str_starts(line, "HTTP/")) /* a proxy's answer may be before the server's */
		forget_answer(t);
	take_field(line, "content-type", &t->type);
	take_field(line, "etag", &t->etag);
	take_field(line, "last-modified", &t->modified);
	take_field(line, "content-range", &t->range);
	return size * n;
}

/* A word that a whole file of the same bytes has, and no other (RFC 9110, 13.1.5: a weak one does not do). */
static const char *version_of(const struct transfer *t)
{
	return t->etag && *t->etag == '"' ? t->etag : t->modified;
}

static struct err *keep_version(struct transfer *t)
{
	const char *version = version_of(t);
	str_set(&t->version, version);
	if (!version) {
		unlink(t->from);
		return NULL;
	}
	cleanup_fd int fd = open(t->from, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	size_t n = strlen(version);
	return fd < 0 || write(fd, version, n) != (ssize_t)n ? err_errno(errno, "%s", t->from) : NULL;
}

static bool is_page(const struct transfer *t)
{
	return t->type && (strncasecmp(t->type, "text/", 5) == 0 || strncasecmp(t->type, "application/xhtml", 17) == 0);
}

/* The first byte of a file: where it goes, whether it fits. */
static struct err *begin(struct transfer *t)
{
	curl_off_t length = -1;
	struct statvfs fs;
	uint64_t at = 0;
	curl.curl_easy_getinfo(t->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (t->status == 206) {
		cleanup_free char *wanted = str_fmt("bytes %ju-", (uintmax_t)t->have);
		if (!t->range || !str_starts(t->range, wanted))
			return err_new("the server sends another part than it was asked for");
		at = t->have;
	} else if (ftruncate(t->fd, 0) < 0)
		return err_errno(errno, "%s", t->part);
	t->have = at;
	if (lseek(t->fd, (off_t)at, SEEK_SET) < 0)
		return err_errno(errno, "%s", t->part);
	TRY(keep_version(t));
	if (length > 0 && fstatvfs(t->fd, &fs) == 0 && (uint64_t)length > (uint64_t)fs.f_bavail * fs.f_frsize) {
		cleanup_free char *need = size_rounded((uint64_t)length), *room = size_rounded((uint64_t)fs.f_bavail * fs.f_frsize);
		return err_hint(err_new("%s are still to come, and there is room for %s", need, room),
				"make room there, or --output elsewhere");
	}
	return NULL;
}

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	size_t len = size * n;
	curl.curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &t->status);
	if ((t->status != 200 && t->status != 206) || is_page(t)) {
		sb_addn(&t->page, data, len);
		return t->page.len > PAGE_MAX ? 0 : len;
	}
	if (!t->begun)
		t->error = begin(t);
	t->begun = true;
	for (size_t done = 0; !t->error && done < len;) {
		ssize_t put = write(t->fd, data + done, len - done);
		if (put < 0 && errno != EINTR)
			t->error =
				err_hint(err_errno(errno, "%s", t->part), "make room there, and say the same again: it goes on from there");
		done += put > 0 ? (size_t)put : 0;
		t->have += put > 0 ? (size_t)put : 0;
	}
	return t->error ? 0 : len;
}

/* libcurl calls it at least once a second. */
static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	(void)up_total, (void)up;
	struct transfer *t = user;
	t->cancelled |= sigtimedwait(&t->ends, NULL, &(struct timespec){}) > 0;
	if (t->begun && total > 0) {
		uint64_t all = t->have - (uint64_t)now + (uint64_t)total;
		cleanup_free char *some = size_rounded(t->have), *of = size_rounded(all), *detail = str_fmt("%s of %s", some, of);
		progress_update(t->have, all, detail);
	} else {
		progress_tick();
	}
	return t->cancelled;
}

/* ---- one request ---- */

static CURLcode set_up(struct transfer *t, const char *url, struct curl_slist *fields)
{
	CURL *h = t->handle;
	CURLcode bad = CURLE_OK;
#define SET(option, value) (bad = bad != CURLE_OK ? bad : curl.curl_easy_setopt(h, option, value))
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https"); /* which of the two: judge() */
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CURLOPT_URL, url);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "qlaunch");
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	SET(CURLOPT_HTTPHEADER, fields);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, t);
	if (getenv("CURL_CA_BUNDLE")) /* as curl(1): whom a company's network has vouch for servers */
		SET(CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
#undef SET
	return bad;
}

static struct err *of_curl(const struct transfer *t, const char *url, CURLcode code, const char *said)
{
	if (t->cancelled)
		return err_hint(err_coded(ECANCELED, "interrupted"), "what has come stays: the same command goes on from there");
	cleanup_free char *clean = str_printable(*said ? said : curl.curl_easy_strerror(code)), *shown = str_printable(url);
	struct err *e = err_new("%s: %s", shown, clean);
	if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT)
		return err_hint(e, "is this host online? What has come stays: the same command goes on from there");
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR)
		return err_hint(
			e,
			"it cannot be known that it is that server: is this host's clock right, and its network one that lets others through?");
	return e;
}

/* Asks once. *ret_code: how it went; the answer is in `t`. */
static struct err *ask(struct transfer *t, const char *url, CURLcode *ret_code)
{
	char said[CURL_ERROR_SIZE] = "";
	struct curl_slist *fields = NULL;
	forget_answer(t);
	if (t->have && t->version) {
		cleanup_free char *range = str_fmt("Range: bytes=%ju-", (uintmax_t)t->have), *same = str_fmt("If-Range: %s", t->version);
		fields = curl.curl_slist_append(fields, range);
		fields = curl.curl_slist_append(fields, same);
	}
	*ret_code = set_up(t, url, fields);
	curl.curl_easy_setopt(t->handle, CURLOPT_ERRORBUFFER, said);
	if (*ret_code == CURLE_OK)
		*ret_code = curl.curl_easy_perform(t->handle);
	curl.curl_easy_setopt(t->handle, CURLOPT_ERRORBUFFER, NULL);
	curl.curl_easy_setopt(t->handle, CURLOPT_HTTPHEADER, NULL);
	curl.curl_slist_free_all(fields);
	curl.curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->error)
		return steal(t->error);
	bool page = *ret_code == CURLE_WRITE_ERROR && t->page.len; /* as much of it as is wanted */
	return *ret_code == CURLE_OK || page ? (*ret_code = CURLE_OK, NULL) : of_curl(t, url, *ret_code, said);
}

/* ' ("Log in")', of a page that has one; else "". Owned by the caller. */
static char *title_of(const struct transfer *t)
{
	const char *at = t->page.s ? strcasestr(t->page.s, "<title") : NULL, *end;
	at = at ? strchr(at, '>') : NULL;
	end = at ? strcasestr(at, "</title") : NULL;
	if (!end)
		return str_dup("");
	cleanup_free char *title = str_ndup(at + 1, (size_t)(end - at - 1));
	for (char *c = title; *c; c++)
		*c = isspace((unsigned char)*c) ? ' ' : *c;
	cleanup_free char *clean = str_printable(str_trim(title)), *cut = str_cut(clean, 60);
	return str_fmt(" (\"%s\")", cut);
}

/* ---- all of it ---- */

/* The whole answer of a redirect's end: what is no file is told. *ret_again: it may come another time. */
static struct err *judge_answer(struct transfer *t, const char *url, bool *ret_again)
{
	cleanup_free char *title = title_of(t), *shown = str_printable(url);
	*ret_again = t->status >= 500 || t->status == 429;
	if (t->status == 416) { /* no more of it than we have, and it did not say that it is whole: from the beginning */
		*ret_again = true;
		str_set(&t->version, NULL);
		return err_new("%s does not go on from there", shown);
	}
	if (t->status != 200 && t->status != 206)
		return err_new("%s answers %ld%s", shown, t->status, title);
	if (is_page(t))
		return err_hint(err_new("%s: what came is a web page%s, and no file", shown, title),
				"a network that wants a login first? Open that address in a browser");
	return t->begun ? NULL : err_new("%s: what came is empty", shown);
}

static struct err *follow(struct transfer *t, bool *ret_again)
{
	cleanup_free char *url = str_dup(t->f->url);
	bool secure = false;
	*ret_again = false;
	for (int hop = 0; hop <= HOPS; hop++) {
		CURLcode code;
		char *next = NULL;
		TRY(judge(url, secure, &secure));
		struct err *e = ask(t, url, &code);
		*ret_again =
			e && !t->cancelled &&
			(code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
			 code == CURLE_OPERATION_TIMEDOUT || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM);
		TRY(e);
		curl.curl_easy_getinfo(t->handle, CURLINFO_REDIRECT_URL, &next);
		if (!next)
			return judge_answer(t, url, ret_again);
		str_set(&url, next);
	}
	return err_new("%s leads from one address to the next, without an end", t->f->url);
}

static struct err *download(struct transfer *t)
{
	for (int failed = 0;;) {
		bool again = false;
		uint64_t before = t->have;
		struct err *e = follow(t, &again);
		failed = t->have > before ? 1 : failed + 1;
		if (!e || !again || failed >= TRIES)
			return e;
		log_warn("%s; it is asked again", err_text(e));
		err_free(e);
		t->cancelled = sigtimedwait(&t->ends, NULL, &(struct timespec){ .tv_sec = (time_t)PAUSE_S * failed }) > 0;
		if (t->cancelled)
			return of_curl(t, "", CURLE_OK, "");
	}
}

/* coreutils has it everywhere. */
static struct err *check_sum(const char *path, const char *wanted)
{
	const char *const argv[] = { "sha256sum", "--", path, NULL };
	cleanup_free char *said = NULL;
	TRY(child_output(argv, SUM_MS, &said));
	const char *sum = said + (*said == '\\'); /* before a name that it had to escape */
	return strncasecmp(sum, wanted, strlen(wanted)) == 0
		       ? NULL
		       : err_hint(err_new("what came has the SHA-256 %.64s, and not that which it should have", sum),
				  "another version than the sum is of, or somebody has changed it: nothing of it was kept");
}

/* Opened, and nobody else's: the one who was first may have given it its name meanwhile. */
static struct err *open_part(struct transfer *t)
{
	struct stat opened, named;
	for (;;) {
		t->fd = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
		if (t->fd < 0 || fstat(t->fd, &opened) < 0)
			return err_errno(errno, "%s", t->part);
		if (!S_ISREG(opened.st_mode))
			return err_new("%s is no file", t->part);
		if (flock(t->fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? err_new("another qlaunch is fetching %s", t->f->path)
						    : err_errno(errno, "%s", t->part);
		if (lstat(t->part, &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
			break;
		fd_closep(&t->fd);
	}
	char version[512];
	cleanup_fd int from = open(t->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = from < 0 ? -1 : read(from, version, sizeof(version) - 1);
	t->have = (uint64_t)opened.st_size;
	if (n > 0)
		t->version = str_ndup(version, (size_t)n);
	return NULL;
}

/* Whole: on the disk before it has its name. */
static struct err *finish(struct transfer *t)
{
	const struct fetch *f = t->f;
	struct err *e = f->check ? f->check(t->part) : NULL;
	if (!e && f->sha256)
		e = check_sum(t->part, f->sha256);
	if (e) {
		unlink(t->from);
		unlink(t->part);
		return e;
	}
	if (fsync(t->fd) < 0)
		return err_errno(errno, "%s", t->part);
	if (renameat2(AT_FDCWD, t->part, AT_FDCWD, f->path, f->replace ? 0 : RENAME_NOREPLACE) < 0)
		return err_errno(errno, "%s", f->path);
	unlink(t->from);
	return NULL;
}

struct err *fetch_file(const struct fetch *f)
{
	cleanup(transfer_free) struct transfer t = { .f = f, .fd = -1 };
	sigset_t before;
	bool secure;
	TRY(load());
	TRY(judge(f->url, false, &secure));
	t.part = str_fmt("%s.part", f->path);
	t.from = str_fmt("%s.part.version", f->path);
	TRY(err_exit(open_part(&t), EXIT_HOST));
	if (curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(t.handle = curl.curl_easy_init()))
		return err_exit(err_new("libcurl does not begin"), EXIT_HOST);
	t.ends = end_signals();
	sigprocmask(SIG_BLOCK, &t.ends, &before);
	cleanup_progress bool shown = progress_begin("fetching %s", str_base(f->path));
	struct err *e = download(&t);
	if (!e)
		e = finish(&t);
	progress_end();
	if (e && !t.have)
		unlink(t.part);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err_exit(e, EXIT_HOST);
}
