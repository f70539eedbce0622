/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setting: what a configuration may set of the running kernel by name, NAME=VALUE: a short list, for root writes it on behalf of whoever wrote
 * the file. What changes who may do what (kernel.modprobe, kernel.core_pattern, …) is not in it. Pure.
 */
#pragma once
#include "launcher/base/err.h"

enum setting_form {
	SETTING_NUMBER, /* a whole number, as written */
	SETTING_SWITCH, /* 0 or 1 */
	SETTING_LETTER, /* 0 or 1, which the kernel reads and tells as N and Y */
};

struct setting {
	const char *name; /* "vm.stat_interval"; of KVM, the module's parameter */
	enum setting_form form;
};

/* sysctl(8)'s names, and the parameters of the module kvm that can be written (Documentation/admin-guide/kernel-parameters.txt). */
extern const struct setting setting_sysctls[], setting_kvm[];

/* Parts "NAME=VALUE" and finds its row in `all`; *ret_value is what the kernel is given, owned by the caller. Both may be NULL, to check. */
struct err *setting_parse(const struct setting *all, const char *text, const struct setting **ret_setting, char **ret_value);
