/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * str: strings that grow, vectors of strings, and ownership that shows in the declaration.
 * Memory that cannot be had ends the program (abort): no caller checks for NULL, nothing here returns NULL for want of memory.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define cleanup(fn) __attribute__((__cleanup__(fn)))
#define cleanup_free cleanup(str_freep)
#define cleanup_fd cleanup(fd_closep)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Gives the value of *p away and leaves NULL behind: `*ret_x = steal(x);` */
#define steal(p)                          \
	({                                \
		__typeof__(p) stolen = (p); \
		(p) = NULL;               \
		stolen;                   \
	})

void str_freep(void *p); /* free(*(void **)p) */
void fd_closep(int *fd); /* close(*fd) if it is not negative; keeps errno */
int fd_steal(int *fd);   /* gives *fd away and leaves -1 behind */

/* Zeroed memory; abort where there is none. */
void *mem_new(size_t size);
/* Makes room for one element more in an array that doubles: `v = mem_grow(v, n, sizeof(*v)); v[n++] = …`. New room is zeroed. */
void *mem_grow(void *array, size_t count, size_t size);

char *str_dup(const char *s); /* NULL stays NULL */
/* At most `n` bytes of it; owned by the caller. */
char *str_ndup(const char *s, size_t n);
/* "/a/b" of "/a/b/c": of a path with a slash. */
char *str_dir(const char *path);
/* "c" of "/a/b/c", or the path itself where it has no slash; within it. */
const char *str_base(const char *path);
__attribute__((format(printf, 1, 2))) char *str_fmt(const char *fmt, ...);
void str_set(char **p, const char *value); /* frees *p, then a copy of value */

static inline bool streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}
/* Whether a text begins, ends so. Neither may be NULL. */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* Removes white space at both ends, in place; returns where the text begins. */
char *str_trim(char *s);
/* Whether `word` is one of the words that blanks part in `words` (NULL: none). */
bool str_has_word(const char *words, const char *word);
/* Edit distance between two words (Levenshtein), for "did you mean". */
size_t str_distance(const char *a, const char *b);
/* The one of `words` (NULL-terminated, may hold NULL at the end only) nearest to `word`, or NULL if none is near enough to be meant. */
const char *str_nearest(const char *word, const char *const *words);
/* The text with every byte that a terminal could obey (controls, DEL, C1's two bytes) or that is no UTF-8 as \xNN: everything a device or a
 * guest says goes through it. */
char *str_printable(const char *s);
/* Whether it is UTF-8 (RFC 3629), as JSON must be: QEMU and scripts are told in JSON. */
bool str_is_utf8(const char *s);
/* Columns of UTF-8 text on a terminal, as wcwidth(3) has them: two for a wide character (a name or a path may have them), none for an accent that
 * combines. */
size_t str_width(const char *text);
/* Text cut to `columns` (at least 1), the last one "…" where it was longer. Owned by the caller. */
char *str_cut(const char *text, size_t columns);
/*
 * `first` as it is, `at` columns wide; then the text, broken at blanks so that no line is wider than `columns`, further lines indented by
 * `indent`; no line feed at the end. A word that is longer than a line stays whole: it may be a command or a path. 0 columns: one line. Owned by
 * the caller.
 */
char *str_wrap(const char *first, size_t at, size_t indent, const char *text, size_t columns);

/* A string that grows. `struct sb sb = {}`; sb.s is NULL while empty. */
struct sb {
	char *s;
	size_t len, room;
};
void sb_free(struct sb *sb);
#define cleanup_sb cleanup(sb_free)
void sb_add(struct sb *sb, const char *s);
void sb_addn(struct sb *sb, const char *s, size_t n);
void sb_addc(struct sb *sb, char c);
__attribute__((format(printf, 2, 3))) void sb_addf(struct sb *sb, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void sb_vaddf(struct sb *sb, const char *fmt, va_list ap);
char *sb_steal(struct sb *sb); /* the text, never NULL; sb is empty afterwards */

/* A vector of strings, always NULL-terminated once it has one: fit for execv. */
struct strv {
	char **v;
	size_t n;
};
void strv_free(struct strv *v);
#define cleanup_strv cleanup(strv_free)
void strv_add(struct strv *v, const char *s);
__attribute__((format(printf, 2, 3))) void strv_addf(struct strv *v, const char *fmt, ...);
bool strv_has(const struct strv *v, const char *s);
void strv_sort(struct strv *v);
/* Splits at any of the bytes in `seps`, leaving empty parts out. */
void strv_split(struct strv *v, const char *s, const char *seps);
char *strv_join(const struct strv *v, const char *sep); /* never NULL */
