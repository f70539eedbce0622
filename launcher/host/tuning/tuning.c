/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tuning: see tuning.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/setting.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/kind/systemd.h"
#include "launcher/host/kind/unit.h"
#include "launcher/host/tuning/tuning.h"

/* The attribute of a setting; owned by the caller. */
static char *sysctl_path(const char *name)
{
	char *path = str_fmt("/proc/sys/%s", name);
	for (char *p = path + strlen("/proc/sys/"); *p; p++)
		if (*p == '.')
			*p = '/';
	return path;
}

static char *kvm_path(const char *name)
{
	return str_fmt("/sys/module/kvm/parameters/%s", name);
}

static const struct family {
	const struct setting *all;
	char *(*path)(const char *name);
	const char *why, *what;
} families[] = {
	{ setting_sysctls, sysctl_path, "[host] sysctl", "sysctl" },
	{ setting_kvm, kvm_path, "[host] kvm", "KVM" },
};

static const struct strv *words_of(const struct config *c, size_t family)
{
	return family == 0 ? &c->host.sysctl : &c->host.kvm;
}

void tuning_stop_steps(struct steps *out, const struct config *c, struct root *root)
{
	for (size_t i = 0; i < c->host.stop.n; i++) {
		struct step *s =
			steps_add(out, &unit_kind, c->host.stop.v[i], "inactive", "[host] stop; it starts again when the guest has ended");
		if (!systemd_runs(root))
			s->obstacle = tr_dup("no systemd runs here");
	}
}

void tuning_steps(struct steps *out, const struct config *c, struct root *root)
{
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		const struct strv *words = words_of(c, f);
		for (size_t i = 0; i < words->n; i++) {
			const struct setting *setting;
			cleanup_free char *value = NULL;
			cleanup_err struct err *e = setting_parse(families[f].all, words->v[i], &setting, &value);
			cleanup_free char *path = e ? NULL : families[f].path(setting->name);
			if (path && root_exists(root, path))
				steps_add(out, &attr_kind, path, value, families[f].why)->optional = true;
		}
	}
}

void tuning_findings(struct findings *out, const struct config *c, struct root *root)
{
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		const struct strv *words = words_of(c, f);
		for (size_t i = 0; i < words->n; i++) {
			const struct setting *setting;
			cleanup_err struct err *e = setting_parse(families[f].all, words->v[i], &setting, NULL);
			cleanup_free char *path = e ? NULL : families[f].path(setting->name);
			if (path && !root_exists(root, path))
				findings_add(out, FINDING_WARN, "tuning",
					     tr_fmt("this kernel has no %s (%s)", setting->name, families[f].what),
					     tr_fmt("take %s out of [host]", words->v[i]));
		}
	}
}
