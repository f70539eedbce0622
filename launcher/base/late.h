/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * late: libraries that are loaded when first used. Linked in, each would cost every start its loading: libsystemd brings four compressors
 * and libgcrypt, libxml2 brings ICU and the C++ library; all together they took as long as everything else before QEMU begins.
 *
 * A library has its functions listed once, as NAMES(X) X(a) X(b); LATE_TABLE makes a struct of pointers of it, with the types that the
 * library's own header gives them, and LATE_NAMES the words to find them by.
 */
#pragma once
#include "launcher/base/err.h"

#define LATE_POINTER(fn) typeof(fn) *fn;
#define LATE_NAME(fn) #fn,
#define LATE_TABLE(NAMES) { NAMES(LATE_POINTER) }
#define LATE_NAMES(NAMES) { NAMES(LATE_NAME) NULL }

/*
 * Loads the library `soname` unless that was done, and puts where its functions are into the table, which has a pointer for each of `names`
 * (NULL ends them). The library stays. The error names the library and what to do.
 */
struct err *late_load(const char *soname, const char *const *names, void *table);
