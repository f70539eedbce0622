/* SPDX-License-Identifier: GPL-2.0-or-later */
/* str: see str.h. */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>
#include "launcher/base/str.h"

void str_freep(void *p)
{
	free(*(void **)p);
}

void fd_closep(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_steal(int *fd)
{
	int stolen = *fd;
	*fd = -1;
	return stolen;
}

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

void *mem_new(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1) || (count && !array)) /* room is always a power of two: only then is it full */
		return array;
	size_t room = count ? count * 2 : 1;
	void *grown = checked(reallocarray(array, room, size));
	memset((char *)grown + count * size, 0, (room - count) * size);
	return grown;
}

char *str_dup(const char *s)
{
	return s ? checked(strdup(s)) : NULL;
}

char *str_ndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *str_fmt(const char *fmt, ...)
{
	struct sb sb = {};
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(&sb, fmt, ap);
	va_end(ap);
	return sb_steal(&sb);
}

void str_set(char **p, const char *value)
{
	char *copy = str_dup(value);
	free(*p);
	*p = copy;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

char *str_dir(const char *path)
{
	return str_ndup(path, (size_t)(strrchr(path, '/') - path));
}

const char *str_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

char *str_trim(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	size_t n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return s;
}

bool str_has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = n ? words : NULL; at && (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

size_t str_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	if (n > 64 || m > 64) /* words, not texts */
		return n > m ? n : m;
	size_t row[65];
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
			diagonal = row[j];
			row[j] = change < best ? change : best;
		}
	}
	return row[m];
}

const char *str_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t least = strlen(word) / 3 + 2; /* a typo or two, more in longer words */
	for (; *words; words++) {
		size_t d = str_distance(word, *words);
		if (d < least && d < strlen(*words)) {
			least = d;
			best = *words;
		}
	}
	return best;
}

/* Bytes of the UTF-8 character that begins here, no control; 0 for what a terminal could obey, or what is no UTF-8 (RFC 3629). */
static size_t printable_bytes(const unsigned char *s)
{
	size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
	if (n == 1)
		return *s >= 0x20 && *s != 0x7f;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* longer than need be, surrogates, beyond U+10FFFF */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) || (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return n == 2 && *s == 0xc2 && s[1] < 0xa0 ? 0 : n; /* C1: U+0080 to U+009F */
}

bool str_is_utf8(const char *s)
{
	while (*s) {
		const unsigned char *c = (const unsigned char *)s;
		size_t n = *c < 0x80 || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) ? 1 + (*c == 0xc2) : printable_bytes(c);
		if (!n)
			return false;
		s += n;
	}
	return true;
}

char *str_printable(const char *s)
{
	struct sb sb = {};
	while (*s) {
		size_t n = printable_bytes((const unsigned char *)s);
		if (n)
			sb_addn(&sb, s, n);
		else
			sb_addf(&sb, "\\x%02x", (unsigned char)*s);
		s += n ? n : 1;
	}
	return sb_steal(&sb);
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* What this program draws with is narrow; of other characters libc is asked, whose table is loaded by the first one. */
static bool is_narrow(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} narrow[] = { { 0, 0x2ff }, { 0x2010, 0x2319 }, { 0x2500, 0x259f }, { 0x2713, 0x2717 } };
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		if (c >= narrow[i].first && c <= narrow[i].last)
			return true;
	return false;
}

/* Of the character that begins here, which has `bytes`. */
static size_t columns_of(const char *text, size_t bytes)
{
	static locale_t utf8;
	uint32_t c = (unsigned char)*text;
	if (bytes > 1) {
		c &= 0x7fu >> bytes;
		for (size_t i = 1; i < bytes; i++)
			c = c << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (is_narrow(c) || (!utf8 && !(utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL))))
		return 1;
	locale_t before = uselocale(utf8);
	int width = wcwidth((wchar_t)c);
	uselocale(before);
	return width < 0 ? 1 : (size_t)width;
}

/* The next character: its bytes, and how wide it is. */
static size_t next_character(const char *text, size_t *ret_columns)
{
	size_t n = 1;
	while (continues(text[n]))
		n++;
	*ret_columns = n <= 4 ? columns_of(text, n) : 1;
	return n;
}

size_t str_width(const char *text)
{
	size_t n = 0, columns;
	for (; *text; n += columns)
		text += next_character(text, &columns);
	return n;
}

char *str_cut(const char *text, size_t columns)
{
	if (str_width(text) <= columns)
		return str_dup(text);
	size_t used = 0, bytes = 0, width, n;
	for (; (n = next_character(text + bytes, &width)) && used + width < columns; used += width)
		bytes += n;
	return str_fmt("%.*s…", (int)bytes, text);
}

char *str_wrap(const char *first, size_t at, size_t indent, const char *text, size_t columns)
{
	cleanup_strv struct strv words = {};
	struct sb sb = {};
	strv_split(&words, text, " ");
	sb_add(&sb, first);
	for (size_t i = 0; i < words.n; i++) {
		size_t width = str_width(words.v[i]);
		bool full = columns && at + 1 + width > columns;
		if (i && full)
			sb_addf(&sb, "\n%*s", (int)indent, "");
		else if (i)
			sb_addc(&sb, ' ');
		sb_add(&sb, words.v[i]);
		at = (i && full ? indent : at + (i > 0)) + width;
	}
	return sb_steal(&sb);
}

void sb_free(struct sb *sb)
{
	free(sb->s);
	*sb = (struct sb){};
}

static void sb_room(struct sb *sb, size_t more)
{
	if (sb->len + more + 1 <= sb->room)
		return;
	size_t room = sb->room ? sb->room : 32;
	while (room < sb->len + more + 1)
		room *= 2;
	sb->s = checked(realloc(sb->s, room));
	sb->room = room;
}

void sb_addn(struct sb *sb, const char *s, size_t n)
{
	sb_room(sb, n);
	if (n)
		memcpy(sb->s + sb->len, s, n);
	sb->len += n;
	sb->s[sb->len] = '\0';
}

void sb_add(struct sb *sb, const char *s)
{
	sb_addn(sb, s, strlen(s));
}

void sb_addc(struct sb *sb, char c)
{
	sb_addn(sb, &c, 1);
}

#define FORMATTED 63

void sb_vaddf(struct sb *sb, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	sb_room(sb, FORMATTED); /* of most of them: to format once only */
	size_t room = sb->room - sb->len;
	int n = vsnprintf(sb->s + sb->len, room, fmt, ap);
	if (n < 0)
		abort();
	if ((size_t)n >= room) {
		sb_room(sb, (size_t)n);
		vsnprintf(sb->s + sb->len, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	sb->len += (size_t)n;
}

void sb_addf(struct sb *sb, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(sb, fmt, ap);
	va_end(ap);
}

char *sb_steal(struct sb *sb)
{
	char *s = sb->s ? sb->s : str_dup("");
	*sb = (struct sb){};
	return s;
}

void strv_free(struct strv *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	*v = (struct strv){};
}

static void strv_take(struct strv *v, char *s)
{
	v->v = checked(reallocarray(v->v, v->n + 2, sizeof(char *)));
	v->v[v->n++] = s;
	v->v[v->n] = NULL;
}

void strv_add(struct strv *v, const char *s)
{
	strv_take(v, str_dup(s));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
	struct sb sb = {};
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(&sb, fmt, ap);
	va_end(ap);
	strv_take(v, sb_steal(&sb));
}

bool strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (streq(v->v[i], s))
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *v)
{
	if (v->n)
		qsort(v->v, v->n, sizeof(char *), by_text);
}

void strv_split(struct strv *v, const char *s, const char *seps)
{
	for (s += strspn(s, seps); *s; s += strspn(s, seps)) {
		size_t n = strcspn(s, seps);
		strv_take(v, str_ndup(s, n));
		s += n;
	}
}

char *strv_join(const struct strv *v, const char *sep)
{
	struct sb sb = {};
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			sb_add(&sb, sep);
		sb_add(&sb, v->v[i]);
	}
	return sb_steal(&sb);
}
