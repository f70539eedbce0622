/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml_num: numbers, sizes and CPU lists as libvirt reads them, which is not as qlaunch.conf does. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "launcher/base/num.h"

/* libvirt's virXMLPropUInt with base 0: decimal, 0x… hexadecimal, 0… octal; nothing behind it, at most `max`. */
bool xml_uint(const char *text, unsigned long max, unsigned long *ret_value);
/* Decimal, as <vcpu> and the numbers of vCPUs are. */
bool xml_decimal(const char *text, unsigned long max, unsigned long *ret_value);
/* libvirt's virScaleInteger: a number of `unit`, in any case of letters: "KB" and the like are powers of 1000, "k" and "KiB" of 1024.
 * False where there is no such unit, or more than 2^50 bytes. */
bool xml_scale(const char *text, const char *unit, uint64_t *ret_bytes);
/* libvirt's virBitmapParse: numbers and ranges, read left to right; "^5" and "^2-3" take away what was said before. */
bool xml_cpus(const char *text, struct cpus *ret_set);
