/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survey: the facts; see survey.h. What they come to is in survey_check.c. */
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/config/config.h"
#include "launcher/advise/survey.h"

struct looking {
	struct cli *cli;
	struct survey *s;
};

static void look_for(struct root *root, const char *home, bool secure, struct firmware *ret_firmware, char **ret_problem, char **ret_remedy)
{
	struct err *e = firmware_find(root, home, secure, ret_firmware);
	if (!e)
		return;
	*ret_problem = str_dup(err_text(e));
	*ret_remedy = str_dup(err_remedy(e));
	err_free(e);
}

/* As the user: descriptors in a home are that user's. */
static struct err *find_firmware(void *data)
{
	const struct looking *l = data;
	struct survey *s = l->s;
	cleanup_free char *home = root_is_host(l->cli->root) ? str_fmt("%s/.config", s->user.home) : NULL;
	look_for(l->cli->root, home, true, &s->secure, &s->secure_problem, &s->secure_remedy);
	look_for(l->cli->root, home, false, &s->plain, &s->plain_problem, &s->plain_remedy);
	return NULL;
}

static void find_i2c(struct root *root, struct survey *s)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, "/dev", &names));
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], "i2c-"))
			strv_addf(&s->i2c, "/dev/%s", names.v[i]);
}

/* A wireless mouse's has another name ("hidpp_battery_0") and the scope "Device" (Documentation/ABI/testing/sysfs-class-power). */
static bool has_battery(struct root *root)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, "/sys/class/power_supply", &names));
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], "BAT") || str_starts(names.v[i], "CMB"))
			return true;
	return false;
}

static bool has_module(struct root *root, const char *kernel, const char *name)
{
	static const char *const lists[] = { "modules.dep", "modules.builtin" };
	for (size_t i = 0; kernel && i < ARRAY_SIZE(lists); i++) {
		cleanup_free char *path = str_fmt("/lib/modules/%s/%s", kernel, lists[i]), *text = root_read_or(root, path, ""),
				  *file = str_fmt("/%s.ko", name);
		if (strstr(text, file))
			return true;
	}
	return false;
}

static struct err *read_all(struct cli *cli, struct survey *s)
{
	struct conf_errors errors = {};
	struct root *root = cli->root;
	struct looking l = { cli, s };
	s->nothing = config_parse("[vm]\nname = survey\n", "survey", NULL, NULL, &errors);
	TRY(user_find(NULL, &s->user));
	TRY(groups_read(root, &s->groups));
	boot_facts_read(root, &s->boot);
	TRY(cpu_facts_read(root, &s->cpu));
	TRY(cgroup_facts_read(root, s->nothing, &s->cgroup));
	TRY(memory_facts_read(root, NULL, &s->memory));
	TRY(qemu_facts_read(root, s->nothing, &s->user, &s->qemu));
	TRY(user_visit(&s->user, find_firmware, &l));
	cleanup_free char *swtpm = root_is_host(root) ? child_find("swtpm") : NULL;
	s->swtpm = swtpm || (!root_is_host(root) && root_exists(root, "/usr/bin/swtpm"));
	s->iommu_table = root_exists(root, "/sys/firmware/acpi/tables/DMAR") || root_exists(root, "/sys/firmware/acpi/tables/IVRS");
	s->vfio = root_exists(root, "/sys/bus/pci/drivers/vfio-pci") || has_module(root, s->cpu.kernel, "vfio-pci");
	s->vfio |= !root_is_host(root) && !root_exists(root, "/lib/modules"); /* of a made tree */
	TRY(input_devices_read(root, &s->inputs));
	find_i2c(root, s);
	s->battery = has_battery(root);
	cleanup_free char *governors = root_read_or(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_available_governors", "");
	s->performance = str_has_word(governors, "performance");
	return NULL;
}

struct err *survey_read(struct cli *cli, struct survey *ret_survey)
{
	cleanup_survey struct survey s = {};
	TRY(read_all(cli, &s));
	*ret_survey = s;
	s = (struct survey){};
	return NULL;
}

void survey_free(struct survey *s)
{
	user_free(&s->user);
	config_free(s->nothing);
	groups_free(&s->groups);
	boot_facts_free(&s->boot);
	cpu_facts_free(&s->cpu);
	cgroup_facts_free(&s->cgroup);
	memory_facts_free(&s->memory);
	qemu_facts_free(&s->qemu);
	firmware_free(&s->secure);
	firmware_free(&s->plain);
	free(s->secure_problem);
	free(s->secure_remedy);
	free(s->plain_problem);
	free(s->plain_remedy);
	strv_free(&s->i2c);
	input_devices_free(&s->inputs);
	*s = (struct survey){};
}
