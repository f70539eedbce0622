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
	{ "systemctl *--user*plasma*", "[host] release-console = yes", NULL },
	{ "systemctl *--user*", NULL, NULL },
	{ "systemctl *nosleep*", NULL, N_("the host does not sleep by itself (host.inhibit-sleep)") },
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
	{ "service *irqbalance*", "[host] irqs = away", NULL },
	{ "service *", "[host] stop = UNIT.service", NULL },
	{ "nvidia-smi *-pm *", "[host] stop = nvidia-persistenced.service", NULL },
	{ "killall *plasma*", "[host] release-console = yes", NULL },
	{ "killall *gdm*", "[host] release-console = yes", NULL },
	{ "killall *gnome*", "[host] release-console = yes", NULL },
	{ "pkill *Xorg*", "[host] release-console = yes", NULL },
	{ "killall *Xorg*", "[host] release-console = yes", NULL },
	{ "loginctl *terminate*", "[host] release-console = yes", NULL },
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
	{ "*drivers_autoprobe*", "[pci NAME] address = …", NULL },
	{ "*/devices/*/rom*", "[pci NAME] rom = host", NULL },
	{ "*/remove*", "[pci NAME] rescan = yes", NULL },
	{ "*pci/rescan*", "[pci NAME] rescan = yes", NULL },
	{ "*resource?_resize*", "[pci NAME] rebar = SIZE", NULL },
	{ "echo *1*/reset*", NULL, N_("a passed device is reset without a key") },
	{ "*reset_method*", NULL, N_("vendor-reset is used where its module is loaded") },
	{ "*d3cold_allowed*", NULL, N_("a passed card stays awake without a key") },
	{ "*power/control*", NULL, N_("a passed card stays awake without a key") },
	{ "*sriov_numvfs*", "[pci NAME] virtual-function = …", NULL },
	/* disks */
	{ "umount *", "[disk NAME] unmount = yes", NULL },
	{ "mount *", "[disk NAME] unmount = yes", NULL },
	/* CPUs */
	{ "*scaling_governor*", "[host] governor = performance", NULL },
	{ "cpufreq-set *", "[host] governor = performance", NULL },
	{ "x86_energy_perf_policy *", "[host] energy = performance", NULL },
	{ "*/cpu?*/online*", "[cpu] isolate = partition", NULL },
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
	{ "*writeback/*", "[host] irqs = away", NULL },
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
	{ "setfacl */dev/input/*", "[input NAME] device = …", NULL },
	{ "chown */dev/input/*", "[input NAME] device = …", NULL },
	{ "chmod */dev/input/*", "[input NAME] device = …", NULL },
	{ "*looking-glass*", "[display] mode = looking-glass", NULL },
	{ "*kvmfr*", "[display] mode = looking-glass", NULL },
	{ "*scream*", "[audio] backend = pipewire", NULL },
	{ "virsh attach-device*", "[usb NAME] id = VENDOR:PRODUCT", NULL },
	/* the network */
	{ "*brctl *", "[network NAME] mode = bridge or nat", NULL },
	{ "ip link *", "[network NAME] mode = bridge or nat", NULL },
	{ "virsh net-start *", "[network NAME] mode = nat", NULL },
	{ "nmcli *", "[network NAME] mode = bridge or nat", NULL },
	{ "firewall-cmd *", "[network NAME] mode = nat, forward = …", NULL },
	{ "ufw *", "[network NAME] mode = nat, forward = …", NULL },
	{ "iptables *", "[network NAME] mode = nat, forward = …", NULL },
	{ "nft *", "[network NAME] mode = nat, forward = …", NULL },
};

/* Words that do nothing to the host: the shell's own, waiting, messages, questions. */
static const char *const idle[] = {
	"if", "[", "[[", "((", "systemctl is-active", "systemctl is-enabled", "systemctl status", "test", "fi", "done", "case", "esac", "function", "return", "exit", "set", "source", ".", "}", ")", "export", "local",
	"readonly", "shift", "true", "false", "wait", "break", "continue", "date", "eval", "echo", "printf", "sleep", "logger", "cd", "unset",
	"declare", "trap", "let", "read", "grep", "lspci", "lsusb", "pgrep", "find",
};

/* Words before the one that does it. */
static const char *const before[] = { "then", "else", "do", "elif", "if", "while", "until", "{", "(", "!", "sudo", "exec", "nohup", "doas", "time" };
static const char *const folders[] = { "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/" };

/* Whether the line begins with that word, whole: "fi" is no firewall-cmd. */
static bool begins(const char *line, const char *word)
{
	size_t n = strlen(word);
	return str_starts(line, word) && (!line[n] || strchr(" \t;&|()", line[n]));
}

static const char *skip_before(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (begins(line, before[i]) && !str_starts(line, "((")) {
			line += strlen(before[i]);
			line += strspn(line, " \t");
			i = (size_t)-1;
		}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (str_starts(line, folders[i]))
			return line + strlen(folders[i]);
	return line;
}

/* Where the command at `text` ends: at the end of its line, or before ; && || outside of quotes and brackets. */
static size_t command_length(const char *text)
{
	char quote = '\0';
	int depth = 0;
	size_t i = 0;
	for (; text[i] && text[i] != '\n'; i++) {
		char c = text[i];
		if (c == '\\' && quote != '\'' && text[i + 1] && text[i + 1] != '\n')
			i++;
		else if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '(' || c == ')')
			depth += c == '(' ? 1 : depth > 0 ? -1 : 0;
		else if (c == '#' && (!i || text[i - 1] == ' ' || text[i - 1] == '\t'))
			return i + strcspn(text + i, "\n");
		else if (!depth && (c == ';' || (c == '&' && text[i + 1] == '&') || (c == '|' && text[i + 1] == '|')))
			break;
	}
	return i;
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
	if (!*line || *line == '#' || is_shells(line))
		return true;
	if (begins(line, "for")) /* what it goes through may be what is written to */
		return !writes_to_kernel(line);
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (begins(line, idle[i]))
			return !(begins(line, "echo") || begins(line, "printf")) || !writes_to_kernel(line);
	return false;
}

bool hooks_next(struct hook_reader *r, struct hook_line *ret_line, const char **ret_text, size_t *ret_len)
{
	while (r->text[r->at]) {
		const char *begin = r->text + r->at + strspn(r->text + r->at, " \t;&|");
		size_t len = command_length(begin);
		unsigned number = r->line + 1;
		r->at = (size_t)(begin - r->text) + len;
		if (r->text[r->at] == '\n') {
			r->at++;
			r->line++;
		}
		cleanup_free char *line = str_ndup(begin, len < LINE_MAX ? len : LINE_MAX);
		const char *words = skip_before(line);
		if (is_idle(words))
			continue;
		*ret_line = (struct hook_line){ .line = number };
		*ret_text = begin;
		*ret_len = len;
		for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
			cleanup_free char *pattern = str_fmt("%s*", works[i].pattern);
			if (fnmatch(pattern, words, 0) != 0)
				continue;
			ret_line->key = works[i].key;
			ret_line->done = works[i].done;
			return true;
		}
		if (!begins(words, "for"))
			return true;
	}
	return false;
}
