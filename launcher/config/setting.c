/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setting: see setting.h. */
#include "launcher/base/num.h"
#include "launcher/base/str.h"
#include "launcher/config/setting.h"

const struct setting setting_sysctls[] = {
	{ "kernel.nmi_watchdog", SETTING_SWITCH },
	{ "kernel.numa_balancing", SETTING_NUMBER },
	{ "kernel.sched_autogroup_enabled", SETTING_SWITCH },
	{ "kernel.sched_rt_period_us", SETTING_NUMBER },
	{ "kernel.sched_rt_runtime_us", SETTING_NUMBER },
	{ "kernel.soft_watchdog", SETTING_SWITCH },
	{ "kernel.split_lock_mitigate", SETTING_SWITCH },
	{ "kernel.timer_migration", SETTING_SWITCH },
	{ "kernel.watchdog", SETTING_SWITCH },
	{ "vm.compaction_proactiveness", SETTING_NUMBER },
	{ "vm.dirty_background_ratio", SETTING_NUMBER },
	{ "vm.dirty_expire_centisecs", SETTING_NUMBER },
	{ "vm.dirty_ratio", SETTING_NUMBER },
	{ "vm.dirty_writeback_centisecs", SETTING_NUMBER },
	{ "vm.stat_interval", SETTING_NUMBER },
	{ "vm.swappiness", SETTING_NUMBER },
	{ "vm.zone_reclaim_mode", SETTING_NUMBER },
	{},
};

const struct setting setting_kvm[] = {
	{ "halt_poll_ns_grow", SETTING_NUMBER },
	{ "halt_poll_ns_grow_start", SETTING_NUMBER },
	{ "halt_poll_ns_shrink", SETTING_NUMBER },
	{ "ignore_msrs", SETTING_LETTER },
	{ "min_timer_period_us", SETTING_NUMBER },
	{ "report_ignored_msrs", SETTING_LETTER },
	{},
};

static struct err *unknown(const struct setting *all, const char *name)
{
	cleanup_strv struct strv names = {};
	for (; all->name; all++)
		strv_add(&names, all->name);
	const char *near = str_nearest(name, (const char *const *)names.v);
	cleanup_free char *list = near ? NULL : strv_join(&names, ", ");
	return near ? err_new("\"%s\" may not be set; did you mean %s?", name, near)
		    : err_new("\"%s\" may not be set; these may: %s", name, list);
}

/* The kernel's own bounds are its own to tell; here it is a number, and not a longer one than any of these takes. */
static bool is_number(const char *text)
{
	const char *digits = text + (*text == '-');
	size_t n = strspn(digits, "0123456789");
	return n > 0 && n <= 10 && !digits[n];
}

struct err *setting_parse(const struct setting *all, const char *text, const struct setting **ret_setting, char **ret_value)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return err_new("\"%s\" is no setting; one is NAME=VALUE, without blanks", text);
	cleanup_free char *name = str_ndup(text, (size_t)(equals - text));
	const char *value = equals + 1;
	const struct setting *s = all;
	while (s->name && !streq(s->name, name))
		s++;
	if (!s->name)
		return unknown(all, name);
	if (s->form == SETTING_NUMBER && !is_number(value))
		return err_new("%s cannot be \"%s\"; it is a number", name, value);
	if (s->form != SETTING_NUMBER && !streq(value, "0") && !streq(value, "1"))
		return err_new("%s cannot be \"%s\"; it is 0 or 1", name, value);
	if (ret_setting)
		*ret_setting = s;
	if (ret_value)
		*ret_value = str_dup(s->form != SETTING_LETTER ? value : *value == '1' ? "Y" : "N");
	return NULL;
}
