/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor_inputs: see monitor.h. What an input is called, how it is written, and which ones a monitor says that it has. Pure. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/host/screen/monitor.h"

const char *monitor_input_name(unsigned input)
{
	static const char *const names[] = {
		[0x01] = "VGA 1",       [0x02] = "VGA 2",       [0x03] = "DVI 1",         [0x04] = "DVI 2",
		[0x05] = "composite 1", [0x06] = "composite 2", [0x07] = "S-video 1",     [0x08] = "S-video 2",
		[0x09] = "tuner 1",     [0x0a] = "tuner 2",     [0x0b] = "tuner 3",       [0x0c] = "component 1",
		[0x0d] = "component 2", [0x0e] = "component 3", [0x0f] = "DisplayPort 1", [0x10] = "DisplayPort 2",
		[0x11] = "HDMI 1",      [0x12] = "HDMI 2",
		[0x1b] = "USB-C", /* in no MCCS; Dell, LG and others use it */
	};
	return input < ARRAY_SIZE(names) ? names[input] : NULL;
}

char *monitor_input_text(unsigned input)
{
	const char *name = monitor_input_name(input);
	return name ? str_fmt("0x%02x (%s)", input, name) : str_fmt("0x%02x", input);
}

bool monitor_input_usable(int input)
{
	return input >= 1 && input <= 0xff;
}

struct err *monitor_input_parse(const char *text, unsigned *ret_input)
{
	char *end;
	unsigned long input = strtoul(text, &end, 0);
	if (!*text || *end || input < 1 || input > 0xffff)
		return err_new("\"%s\" is no input; one is a number from 1 to 65535, such as 0x0f", text);
	*ret_input = (unsigned)input;
	return NULL;
}

/* A number of one byte, or several of two digits each without anything between them, as some monitors write: "010F1112". Returns how many
 * digits; *ret_last is the last number, -1 for what is neither. With `m`, each is an input. */
static size_t take_bytes(const char *p, struct monitor *m, int *ret_last)
{
	size_t n = strspn(p, "0123456789abcdefABCDEF");
	*ret_last = -1;
	if (n > 2 && n % 2)
		return n;
	for (size_t at = 0; at < n; at += 2) {
		const char digits[] = { p[at], n > 1 ? p[at + 1] : '\0', '\0' };
		*ret_last = (int)strtoul(digits, NULL, 16);
		if (m && m->n_inputs < MONITOR_INPUTS_MAX)
			m->inputs[m->n_inputs++] = (uint8_t)*ret_last;
	}
	return n;
}

/* The hexadecimal numbers up to the closing bracket. */
static const char *take_values(const char *p, struct monitor *m)
{
	while (*p && *p != ')') {
		int last;
		size_t n = take_bytes(p, m, &last);
		p += n ? n : 1;
	}
	return p;
}

void monitor_parse_inputs(const char *capabilities, struct monitor *m)
{
	const char *p = strstr(capabilities, "vcp(");
	m->n_inputs = 0;
	int depth = 1; /* 1: among the features; deeper: the values of one */
	for (p = p ? p + 4 : ""; *p && depth; p++) {
		if (depth == 1 && isxdigit((unsigned char)*p)) {
			int code;
			p += take_bytes(p, NULL, &code);
			p += strspn(p, " ");
			if (code == 0x60 && *p == '(')
				p = take_values(p + 1, m);
			else
				p--; /* the loop looks at what stands here */
			if (!*p)
				return;
		} else if (*p == '(') {
			depth++;
		} else if (*p == ')') {
			depth--;
		}
	}
}
