/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libxml2: which one late.h loads. */
#pragma once
#include <libxml/xmlversion.h>

/* Its 2.14 is another ABI, but not for the functions that are used here. */
#define LIBXML2 (LIBXML_VERSION < 21400 ? "libxml2.so.2" : "libxml2.so.16")
