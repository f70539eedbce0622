/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_works: see hook_works.h. The table is what public passthrough repositories have in their hooks. */
#include <fnmatch.h>
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/import/hook_works.h"

#define LINE_MAX 1000 /* longer ones are cut: what they are about stands before */

/* The first that fits. A pattern of the shell's own (fnmatch(3)) is looked for in the line. */
static const struct {
	const char *pattern, *key, *done;
} works[] = {
	/* services */
	{ "systemctl *display-manager*", "[host] release-console = yes", NULL },
	{ "systemctl *gdm*", "[host] release-console = yes", NULL },
	{ "systemctl *sddm*", "[host] release-console = yes", NULL },
	{ "systemctl *lightdm*", "[host] release-console = yes", NULL },
	{ "systemctl *isolate*", "[host] release-console = yes", NULL },
	{ "systemctl set-property *AllowedCPUs*", "[cpu] isolate = slices", NULL },
	{ "systemctl set-property *", NULL, NULL },
	{ "systemctl *stop*", "[host] stop = UNIT.service", NULL },
	{ "systemctl *start*", "[host] stop = UNIT.service", NULL },
	{ "systemctl *nvidia-persistenced*", "[host] stop = nvidia-persistenced.service", NULL },
	/* the console and the frame buffer */
	{ "*vtconsole/*bind*", "[host] release-console = yes", NULL },
	{ "*vtcon?*/bind*", "[host] release-console = yes", NULL },
	{ "*-framebuffer*bind*", "[host] release-console = yes", NULL },
	{ "*chvt *", "[host] release-console = yes", NULL },
	/* modules and the card */
	{ "modprobe *-r*vfio*", NULL, N_("vfio-pci is loaded at the start, and may stay") },
	{ "rmmod *vfio*", NULL, N_("vfio-pci is loaded at the start, and may stay") },
	{ "modprobe *vfio*", NULL, N_("vfio-pci is loaded at the start, and may stay") },
	{ "modprobe *-r*", "[pci NAME] unload = MODULE …", NULL },
	{ "rmmod *", "[pci NAME] unload = MODULE …", NULL },
	{ "modprobe *", NULL, N_("what unload has taken away is loaded again at the end") },
	{ "virsh nodedev-*", "[pci NAME] address = …", NULL },
	{ "*driver_override*", "[pci NAME] address = …", NULL },
	{ "*/vfio-pci/*", "[pci NAME] address = …", NULL },
	{ "*/driver/unbind*", "[pci NAME] address = …", NULL },
	{ "*/drivers/*bind*", "[pci NAME] address = …", NULL },
	{ "driverctl *", "[pci NAME] address = …", NULL },
	{ "*/remove*", "[pci NAME] rescan = yes", NULL },
	{ "*pci/rescan*", "[pci NAME] rescan = yes", NULL },
	{ "*resource?_resize*", "[pci NAME] rebar = SIZE", NULL },
	{ "*reset_method*", NULL, N_("vendor-reset is used where its module is loaded") },
	{ "*d3cold_allowed*", NULL, N_("a passed card stays awake without a key") },
	{ "*power/control*", NULL, N_("a passed card stays awake without a key") },
	{ "*sriov_numvfs*", "[pci NAME] virtual-function = …", NULL },
	/* disks */
	{ "umount *", "[disk NAME] unmount = yes", NULL },
	{ "mount *", "[disk NAME] unmount = yes", NULL },
	/* CPUs */
	{ "*scaling_governor*", "[host] governor = performance", NULL },
	{ "cpupower *", "[host] governor = performance", NULL },
	{ "*energy_performance_preference*", "[host] energy = performance", NULL },
	{ "*cpufreq/boost*", "[host] boost = off", NULL },
	{ "*no_turbo*", "[host] boost = off", NULL },
	{ "*smt/control*", "[host] smt = off", NULL },
	{ "powerprofilesctl *", "[host] profile = performance", NULL },
	{ "tuned-adm *", "[host] profile = performance", NULL },
	{ "gamemode*", "[host] profile = performance", NULL },
	{ "cset *", "[cpu] isolate = partition", NULL },
	{ "vfio-isolate *", "[cpu] isolate = partition", NULL },
	{ "*cpuset*", "[cpu] isolate = partition", NULL },
	{ "taskset *", "[cpu] place = CPUS", NULL },
	{ "chrt *", "[cpu] fifo = yes", NULL },
	{ "*smp_affinity*", "[host] irqs = away", NULL },
	{ "irqbalance*", "[host] irqs = away", NULL },
	{ "*workqueue/*cpumask*", "[host] irqs = away", NULL },
	{ "*writeback/cpumask*", "[host] irqs = away", NULL },
	{ "renice *", "[host] weight = NUMBER", NULL },
	{ "*oom_score_adj*", "[host] oom-score = NUMBER", NULL },
	/* memory and the kernel */
	{ "*nr_hugepages*", "[memory] hugepages = auto", NULL },
	{ "*drop_caches*", NULL, N_("[memory] hugepages makes room by itself") },
	{ "*compact_memory*", NULL, N_("[memory] hugepages makes room by itself") },
	{ "*transparent_hugepage*", "[memory] hugepages = transparent", NULL },
	{ "*halt_poll_ns", "[host] halt-poll = NANOSECONDS", NULL },
	{ "*module/kvm/parameters*", "[host] kvm = NAME=VALUE", NULL },
	{ "sysctl *", "[host] sysctl = NAME=VALUE", NULL },
	{ "*/proc/sys/*", "[host] sysctl = NAME=VALUE", NULL },
	/* the desk */
	{ "ddcutil *", "[monitor NAME] match = …, guest-input = …", NULL },
	{ "*systemd-inhibit*", NULL, N_("the host does not sleep by itself (host.inhibit-sleep)") },
	{ "*looking-glass*", "[display] mode = looking-glass", NULL },
	{ "*kvmfr*", "[display] mode = looking-glass", NULL },
	{ "*scream*", "[audio] backend = pipewire", NULL },
	{ "virsh attach-device*", "[usb NAME] id = VENDOR:PRODUCT", NULL },
	/* the network */
	{ "*brctl *", "[network NAME] mode = bridge or nat", NULL },
	{ "ip link *", "[network NAME] mode = bridge or nat", NULL },
	{ "iptables *", "[network NAME] mode = nat, forward = …", NULL },
	{ "nft *", "[network NAME] mode = nat, forward = …", NULL },
};

/* How lines begin that do nothing to the host: words of the shell, waiting, messages. */
static const char *const idle[] = {
	"#", "if ", "if [", "then", "else", "elif ", "fi", "for ", "do", "done", "case ", "esac", "while ", "until ", "function ", "return", "exit",
	"set ", "source ", ". ", "{", "}", "(", ")", ";;", "export ", "local ", "readonly ", "shift", "true", "wait", "break", "continue", "date", "eval ",
	"echo", "printf", "sleep ", "logger ", "cd ", "unset ", "declare ", "trap ", "let ",
};

/* Words before the one that does it. */
static const char *const before[] = { "sudo ", "exec ", "nohup ", "doas ", "time ", "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "! " };

static const char *skip_before(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (str_starts(line, before[i])) {
			line += strlen(before[i]);
			line += strspn(line, " \t");
			i = (size_t)-1;
		}
	const char *then = *line == '[' ? strstr(line, "&& ") : NULL; /* [ … ] && what is done */
	return then ? then + strlen("&& ") : *line == '[' ? "" : line;
}

/* "NAME=value", "NAME=$(…)", "name() {", "VM1)": the shell's own. */
static bool is_shells(const char *line)
{
	size_t n = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	return n > 0 && (line[n] == '=' || (line[n] == '(' && line[n + 1] == ')') || (line[n] == ')' && !strchr(line, '(')));
}

/* A message goes to the terminal or a log; a value goes into the kernel. */
static bool writes_to_kernel(const char *line)
{
	return strstr(line, "/sys/") || strstr(line, "/proc/") || strstr(line, "/dev/");
}

static bool is_idle(const char *line)
{
	if (!*line || is_shells(line))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (str_starts(line, idle[i]))
			return !(str_starts(line, "echo") || str_starts(line, "printf")) || !writes_to_kernel(line);
	return false;
}

bool hooks_next(struct hook_reader *r, struct hook_line *ret_line, const char **ret_text, size_t *ret_len)
{
	while (r->text[r->at]) {
		const char *begin = r->text + r->at;
		size_t len = strcspn(begin, "\n"), skipped = strspn(begin, " \t");
		r->at += len + (begin[len] == '\n');
		r->line++;
		if (skipped > len)
			continue;
		begin += skipped;
		len -= skipped;
		cleanup_free char *line = str_ndup(begin, len < LINE_MAX ? len : LINE_MAX);
		const char *words = skip_before(line);
		if (is_idle(words))
			continue;
		*ret_line = (struct hook_line){ .line = r->line };
		*ret_text = begin;
		*ret_len = len;
		for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
			cleanup_free char *pattern = str_fmt("%s*", works[i].pattern);
			if (fnmatch(pattern, words, 0) != 0)
				continue;
			ret_line->key = works[i].key;
			ret_line->done = works[i].done;
			break;
		}
		return true;
	}
	return false;
}
