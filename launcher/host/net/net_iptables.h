/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_iptables: rules in iptables' own words as nft would list them, to be asked by net_filter. For tables of legacy iptables, which nft does
 * not know, and for those of iptables-nft, whose extensions nft's JSON names without their arguments. Pure. A part of net.
 */
#pragma once
#include <jansson.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/*
 * Appends the chains and rules of `saved`, the output of iptables-save(8), to the array `ruleset`: those of `only`, a table's name (NULL: of
 * each), as tables of the family `family`. An option that is not known here makes a match that cannot be told. Error: it is none.
 */
struct err *iptables_read(const char *saved, const char *family, const char *only, json_t *ruleset);
/* The table of iptables-nft, none of `known`, of which nft's list keeps something back; NULL: there is none. Borrowed. */
const char *iptables_hidden(const json_t *ruleset, const struct strv *known);
/* Puts it as iptables-save has it in its place. One that iptables cannot say stays as it is. */
struct err *iptables_replace(json_t *ruleset, const char *table, const char *saved);
