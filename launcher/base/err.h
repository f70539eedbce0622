/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err: an error is a value. NULL is success; anything else carries a text that grows on the way up ("qmp: greeting: timed out"),
 * the errno it began with, a remedy for the user, and the exit status the program is to end with.
 * Nothing here prints: whoever handles the error does.
 */
#pragma once
#include <stdbool.h>

/* The program's exit statuses: a contract with scripts. */
enum exit_status {
	EXIT_OK = 0,      /* the guest ended and the host is as before */
	EXIT_GUEST = 1,   /* QEMU or the guest failed; the host is as before */
	EXIT_USAGE = 2,   /* wrong command line */
	EXIT_CONFIG = 3,  /* wrong configuration; nothing was changed */
	EXIT_HOST = 4,    /* this host cannot; nothing was changed */
	EXIT_RESIDUE = 5, /* something could not be put back; each residue was named */
};

struct err;

/* A new error from a printf format. err_errno() appends ": " and the text of `errnum`, err_coded() only keeps it. None returns NULL. */
__attribute__((format(printf, 1, 2), returns_nonnull)) struct err *err_new(const char *fmt, ...);
__attribute__((format(printf, 2, 3), returns_nonnull)) struct err *err_errno(int errnum, const char *fmt, ...);
__attribute__((format(printf, 2, 3), returns_nonnull)) struct err *err_coded(int errnum, const char *fmt, ...);

/* Puts "CONTEXT: " before the text, which loses its own first part if the context names that already. Takes and returns `e`; NULL stays NULL. */
__attribute__((format(printf, 2, 3))) struct err *err_wrap(struct err *e, const char *fmt, ...);

/* Sets the remedy (what the user can do); the innermost one stays. Takes and returns `e`; NULL stays NULL. */
__attribute__((format(printf, 2, 3))) struct err *err_hint(struct err *e, const char *fmt, ...);

/* Sets the status that the program shall end with, unless an inner error has set one. Takes and returns `e`. */
struct err *err_exit(struct err *e, enum exit_status status);

const char *err_text(const struct err *e);        /* never NULL; "" for NULL */
const char *err_remedy(const struct err *e);      /* NULL where there is none */
int err_code(const struct err *e);                /* the errno it began with, or 0 */
enum exit_status err_status(const struct err *e); /* EXIT_GUEST where none was set, EXIT_OK for NULL */
/* NULL is fine. */
void err_free(struct err *e);
void err_freep(struct err **e);
#define cleanup_err __attribute__((__cleanup__(err_freep)))

/* Returns from the calling function with the error of `expr`, if it has one. */
#define TRY(expr)                            \
	do {                                 \
		struct err *try_err = (expr); \
		if (try_err)                 \
			return try_err;      \
	} while (0)
