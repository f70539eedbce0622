/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export: a configuration becomes libvirt's domain XML, by which one can leave. What the XML has no word for stands in its <metadata>, key
 * by key: libvirt keeps it, and import reads it again, so that the way there and back plans the same machine. Pure.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/config/config.h"

/* Of the elements of ours in <metadata>. */
#define EXPORT_NAMESPACE "urn:qlaunch:machine:1"

/* `text` is what `c` was parsed from, `dir` where its relative paths begin. The XML in *ret_xml; in *ret_left, "[host] governor =
 * performance", what only the metadata says. */
struct err *export_xml(const struct config *c, const char *text, const char *dir, char **ret_xml, struct strv *ret_left);
