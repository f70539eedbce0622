/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unattend: what Windows 10's and 11's Setup would ask, answered: autounattend.xml, by Microsoft's "Unattended Windows Setup Reference". Setup
 * looks for it on every disc. Pure, but for libxml2, which writes and escapes it.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct unattend {
	unsigned release;     /* 10 or 11: which of virtio-win's folders */
	const char *account;  /* the first user, an administrator */
	const char *password; /* may be "" */
	const char *computer; /* at most 15 letters, digits, hyphens */
	const char *key;      /* that says which edition; it activates nothing */
	const char *language; /* of the disc's texts: "en-US" */
	const char *locale;   /* of formats: "pt-BR" */
	const char *keyboard; /* "0416:00010416", or a locale */
	const char *zone;     /* Windows's name; NULL: it follows the locale */
};

/* The whole file, owned by the caller. */
struct err *unattend_text(const struct unattend *u, char **ret_text);

/* "pro": the key by which Setup installs that edition; NULL: there is none of that name, and *ret_names (may be NULL) has those that are. */
const char *unattend_edition(const char *name, struct strv *ret_names);
/* What Windows takes for a computer's name of a machine's. Owned by the caller. */
char *unattend_computer(const char *vm);
/* Whether Windows takes it for the name of an account on that computer; EXIT_USAGE. */
struct err *unattend_check_account(const char *name, const char *computer);

/* The host's words, in Windows's; pure. */
char *unattend_locale(const char *lang);         /* "pt_BR.UTF-8" → "pt-BR"; "en-US" where it names no country. Owned by the caller */
char *unattend_disc_language(const char *label); /* "CCCOMA_X64FRE_PT-BR_DV9" → "pt-BR"; "en-US" where it says none. Owned by the caller */
const char *unattend_zone(const char *zone);     /* "Europe/Berlin" → "W. Europe Standard Time"; NULL: not known */
const char *unattend_keyboard(const char *layout); /* XKB's "br" → "0416:00010416"; NULL: not known */
