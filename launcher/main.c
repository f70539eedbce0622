/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: the command line. A table of verbs; the options that all of them have; the usage; the exit status. Does nothing to the host.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/base/limits.h"
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/config/config.h"
#include "launcher/plan/kinds.h"
#include "launcher/verbs/pager.h"

#define VERSION "0.1.0"

static const struct verb verbs[] = {
	{ "run", N_("The machine"), "CONFIG", N_("prepare the host, run the guest, give it all back"), "install= drivers= unattended account= edition= password-file= yes", verb_run },
	{ "plan", N_("The machine"), "CONFIG", N_("what run would do: now, then, why; QEMU's arguments"), NULL, verb_plan },
	{ "check", N_("The machine"), "[CONFIG]", N_("can this host run it? each finding with its remedy"), "html", verb_check },
	{ "new", N_("A new machine"), "NAME", N_("propose a whole config from this host: --iso, --yes, --gpu"), "iso= yes gpu= from= output=", verb_new },
	{ "import", N_("A new machine"), "FILE", N_("libvirt's domain XML or a quickemu .conf"), "output= copy-state check", verb_import },
	{ "export", N_("A new machine"), "CONFIG", N_("a machine as libvirt's XML or a script: --libvirt, --sh"), "libvirt sh", verb_export },
	{ "desktop", N_("A new machine"), "CONFIG", N_("an entry in the desktop's menu; --remove"), "remove", verb_desktop },
	{ "disk", N_("A new machine"), "COMMAND", N_("create list snapshot revert delete resize convert write"),
	  "format= from= backing= full compress drop shrink yes", verb_disk },
	{ "fetch", N_("A new machine"), "virtio-win", N_("the disc of drivers for Windows, from its makers' site"),
	  "from= output= sha256= again", verb_fetch },
	{ "list", N_("All machines"), "", N_("what there is: state, disks, the last run and how it ended"), NULL, verb_list },
	{ "edit", N_("All machines"), "CONFIG", N_("in your editor; saved only without a mistake"), NULL, verb_edit },
	{ "clone", N_("All machines"), "CONFIG NAME", N_("a machine of its own with a copy of the disks"), "tpm=", verb_clone },
	{ "rename", N_("All machines"), "CONFIG NAME", N_("the guest sees nothing of it"), NULL, verb_rename },
	{ "remove", N_("All machines"), "CONFIG", N_("with its disks (--keep-disks), after a question"), "yes keep-disks", verb_remove },
	{ "autostart", N_("All machines"), "CONFIG", N_("on or off: started by systemd, by itself"), NULL, verb_autostart },
	{ "log", N_("All machines"), "[CONFIG]", N_("the last ten runs: plan, warnings, why it ended"), NULL, verb_log },
	{ "capture", N_("The host"), "FILE [CONFIG…]", N_("what check and plan read here, for a report, without names"), NULL, verb_capture },
	{ "setup", N_("The host"), "", N_("kernel parameters, early vfio-pci, rules; --undo"), "undo yes gpu=", verb_setup },
	{ "groups", N_("The host"), "", N_("IOMMU groups: names, drivers, which can be passed"), NULL, verb_groups },
	{ "topology", N_("The host"), "[CONFIG]", N_("cores and caches as a picture (--svg); the plan drawn in"), "svg", verb_topology },
	{ "input", N_("The host"), "", N_("keyboards and mice: which one speaks, its config lines"), "seconds=", verb_input },
	{ "monitors", N_("The host"), "[MONITOR]", N_("monitors and their inputs; --try VALUE for 5 s"), "try= back=", verb_monitors },
	{ "bench", N_("Measuring"), "PLAN", N_("variants of a machine, compared; report, compare"), "force output= redo[=failed]", verb_bench },
	{ "status", N_("Running machines"), "[VM]", N_("what runs, and what was left by a launcher that died"), NULL, verb_status },
	{ "top", N_("Running machines"), "VM", N_("live: CPU time, delays, exits, IRQs, memory, disks, nets"), "once interval=", verb_top },
	{ "console", N_("Running machines"), "VM", N_("its serial console in this terminal; Ctrl-] leaves"), NULL, verb_console },
	{ "switch", N_("Running machines"), "CONFIG", N_("its monitors: guest or host, or the other one"), NULL, verb_switch },
	{ "stop", N_("Running machines"), "VM", N_("press its power button, and wait"), "now kill agent", verb_stop },
	{ "pause", N_("Running machines"), "VM", N_("it stands still, and loses nothing"), NULL, verb_pause },
	{ "resume", N_("Running machines"), "VM", N_("it goes on, its clock set"), NULL, verb_resume },
	{ "reset", N_("Running machines"), "VM", N_("as by the reset button"), NULL, verb_reset },
	{ "reboot", N_("Running machines"), "VM", N_("by the guest's agent"), NULL, verb_reboot },
	{ "cdrom", N_("Running machines"), "VM [DRIVE] FILE", N_("another disc, or eject"), "force", verb_cdrom },
	{ "forward", N_("Running machines"), "VM RULE", N_("a port of this host to the guest's: tcp:8080:80"), "remove", verb_forward },
	{ "screenshot", N_("Running machines"), "VM FILE", N_("its virtual display as a .png"), NULL, verb_screenshot },
	{ "key", N_("Running machines"), "VM KEYS", N_("on its virtual keyboard: ctrl-alt-delete"), NULL, verb_key },
	{ "exec", N_("Running machines"), "VM -- COMMAND", N_("a program in the guest, by its agent"), "timeout=", verb_exec },
	{ "ssh", N_("Running machines"), "VM", N_("into the guest, by the port that leads to its 22"), NULL, verb_ssh },
	{ "restore", N_("Running machines"), "[VM]", N_("undo what a dead launcher left"), "forget wait", verb_restore },
	{ "_keys", NULL, "", N_("the table of keys, for the manual page and for completion"), NULL, verb_keys },
};

/* What getopt returns for the options that all verbs have; a verb's own have OPT_OWN. */
enum { OPT_ROOT = 256, OPT_SET, OPT_JSON, OPT_QUIET, OPT_VERBOSE, OPT_HELP, OPT_VERSION, OPT_OWN };
static const struct option common[] = {
	{ "root", required_argument, NULL, OPT_ROOT },	  { "set", required_argument, NULL, OPT_SET },
	{ "json", no_argument, NULL, OPT_JSON },	  { "quiet", no_argument, NULL, OPT_QUIET },
	{ "verbose", no_argument, NULL, OPT_VERBOSE }, { "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
};

#define CALL_WIDTH 18 /* of a command and its arguments in the list; a longer one has a line of its own */

static void usage(void)
{
	fputs(_(N_("qlaunch: a gaming VM with a real GPU, by one command, and the host given back.\n\n"
		   "  qlaunch CONFIG            a path, or a name in ~/.config/qlaunch, /etc/qlaunch\n"
		   "  qlaunch COMMAND [OPTION…] [ARGUMENT…]\n")),
	      stdout);
	const char *group = "";
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *v = &verbs[i];
		if (!v->group)
			continue;
		if (!streq(group, v->group))
			printf("\n%s\n", tr(group = v->group));
		cleanup_free char *call = str_fmt("%s %s", v->name, v->args);
		if (strlen(call) > CALL_WIDTH)
			printf("  %s\n   %*s%s\n", call, CALL_WIDTH, "", tr(v->help));
		else
			printf("  %-*s %s\n", CALL_WIDTH, call, tr(v->help));
	}
	fputs(_(N_("\nOptions of all commands\n"
		   "  --set SECTION.KEY=VALUE   this key for this run ('pci gpu.rom=…'), repeatable\n"
		   "  --json                    plan, check, status: for scripts\n"
		   "  --root DIR                plan and check a captured /sys, /proc and /dev\n"
		   "  -q, --quiet               warnings and errors only\n"
		   "  -v, --verbose             every step as it is done\n"
		   "  -h, --help  --version\n\n"
		   "Exit status: 0 guest ended, 1 QEMU or guest failed, 2 usage, 3 configuration,\n"
		   "  4 this host cannot: in all of these the host is as before; 5 something could\n"
		   "  not be put back (named). More: man qlaunch, man qlaunch.conf\n")),
	      stdout);
}

/* One command: how it is called, what for. */
static void usage_of(const struct verb *v)
{
	cleanup_strv struct strv options = {};
	cleanup_sb struct sb call = {};
	if (v->options)
		strv_split(&options, v->options, " ");
	sb_addf(&call, "qlaunch %s", v->name);
	for (size_t i = 0; i < options.n; i++) {
		bool value = str_ends(options.v[i], "=");
		sb_addf(&call, " [--%.*s%s]", (int)strlen(options.v[i]) - value, options.v[i], value ? " VALUE" : "");
	}
	sb_addf(&call, "%s%s", *v->args ? " " : "", v->args);
	page_wrap("", strlen("qlaunch "), call.s);
	printf(_(N_("  %s\n\nThe options of all commands: qlaunch --help. All of each: man qlaunch\n")), tr(v->help));
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (streq(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* The common options and those of the verb, as getopt wants them; names are borrowed from *names. */
static struct option *all_options(const struct verb *v, struct strv *names)
{
	if (v && v->options)
		strv_split(names, v->options, " ");
	struct option *all = mem_new((ARRAY_SIZE(common) + names->n + 1) * sizeof(*all));
	memcpy(all, common, sizeof(common));
	for (size_t i = 0; i < names->n; i++) {
		char *end = names->v[i] + strcspn(names->v[i], "=[");
		int value = *end == '=' ? required_argument : *end == '[' ? optional_argument : no_argument;
		*end = '\0';
		all[ARRAY_SIZE(common) + i] = (struct option){ names->v[i], value, NULL, OPT_OWN };
	}
	return all;
}

struct line {
	const struct verb *verb;
	const char *root_dir;
	struct verb_args args;
	bool done; /* --help or --version: said */
};

static struct err *bad_option(const struct option *all, const char *word)
{
	cleanup_strv struct strv names = {};
	for (; all->name; all++)
		strv_addf(&names, "--%s", all->name);
	if (strv_has(&names, word))
		return err_exit(err_new("%s needs a value", word), EXIT_USAGE);
	const char *meant = str_nearest(word, (const char *const *)names.v);
	struct err *e = err_exit(err_new("unknown option \"%s\"", word), EXIT_USAGE);
	return meant ? err_hint(e, "did you mean %s?", meant) : err_hint(e, "qlaunch --help");
}

/* "--redo failed": whether the next word is the value of an option that may go without one; getopt takes it from the same word only. */
static bool may_be_next(const struct verb *v, const char *option, const char *word)
{
	if (!v || !v->options)
		return false;
	cleanup_strv struct strv options = {};
	cleanup_free char *declared = str_fmt("%s[=%s]", option, word ? word : "");
	strv_split(&options, v->options, " ");
	return strv_has(&options, declared);
}

static struct err *parse_options(int argc, char **argv, struct cli *cli, struct line *line)
{
	cleanup_strv struct strv names = {};
	cleanup_free struct option *all = all_options(line->verb, &names);
	int index = 0;
	opterr = 0;
	for (;;) {
		int c = getopt_long(argc, argv, "qvh", all, &index);
		if (c == -1)
			break;
		if (c == OPT_ROOT)
			line->root_dir = optarg;
		else if (c == OPT_SET)
			strv_add(&cli->sets, optarg);
		else if (c == OPT_JSON)
			cli->json = (tr_stop(), true);
		else if (c == OPT_QUIET || c == 'q')
			log_set_level(LOG_LEVEL_WARN);
		else if (c == OPT_VERBOSE || c == 'v')
			log_set_level(LOG_LEVEL_DEBUG);
		else if (c == OPT_HELP || c == 'h' || c == OPT_VERSION) {
			c == OPT_VERSION ? (void)puts("qlaunch " VERSION) : line->verb ? usage_of(line->verb) : usage();
			line->done = true;
			return NULL;
		} else if (c == OPT_OWN && !optarg && may_be_next(line->verb, all[index].name, argv[optind]))
			strv_addf(&line->args.options, "%s=%s", all[index].name, argv[optind++]);
		else if (c == OPT_OWN && optarg)
			strv_addf(&line->args.options, "%s=%s", all[index].name, optarg);
		else if (c == OPT_OWN)
			strv_add(&line->args.options, all[index].name);
		else
			return bad_option(all, argv[optind - 1]);
	}
	for (int i = optind; i < argc; i++)
		strv_add(&line->args.words, argv[i]);
	return NULL;
}

struct seeking {
	const char *word;
	bool found;
};

/* With the caller's rights and home: the machine may be theirs. */
static struct err *seek(void *data)
{
	struct seeking *s = data;
	cleanup_free char *path = config_find(s->word);
	s->found = path;
	return NULL;
}

/* What other tools call it: virsh's words first. */
static const struct {
	const char *word, *ours;
} known_elsewhere[] = {
	{ "start", "run" },		   { "shutdown", "stop" },	      { "destroy", "stop --now" },
	{ "undefine", "remove" },	   { "define", "import" },	      { "create", "new" },
	{ "install", "run --install ISO" }, { "suspend", "pause" },	      { "dumpxml", "export --libvirt" },
	{ "domrename", "rename" },	   { "dominfo", "status" },	      { "domstate", "status" },
	{ "send-key", "key" },		   { "change-media", "cdrom" },	      { "eject", "cdrom VM eject" },
	{ "snapshot", "disk snapshot" },   { "snapshot-create-as", "disk snapshot" }, { "delete", "remove" },
	{ "rm", "remove" },		   { "ls", "list" },		      { "kill", "stop --kill" },
	{ "undo", "restore" },		   { "logs", "log" },		      { "attach-device", "run: [usb NAME], [pci NAME]" },
};

/* NULL: nothing of that name. */
static const char *elsewhere(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_elsewhere); i++)
		if (streq(known_elsewhere[i].word, word))
			return known_elsewhere[i].ours;
	return NULL;
}

/* "stauts", "plam win11", "help": a first word that is no command, taken for a configuration where there is none of that name. */
static struct err *check_meant(struct line *line)
{
	const struct strv *words = &line->args.words;
	const char *word = words->v[0], *names[ARRAY_SIZE(verbs) + 1] = {};
	for (size_t i = 0, n = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].group)
			names[n++] = verbs[i].name;
	const char *known = elsewhere(word), *meant = known ? known : str_nearest(word, names);
	bool help = streq(word, "help");
	if (!help && !meant && words->n < 2)
		return NULL;
	cleanup_user struct user caller = {};
	struct seeking s = { .word = word };
	TRY(user_find(NULL, &caller));
	TRY(user_visit(&caller, seek, &s));
	if (s.found)
		return NULL;
	if (help) {
		const struct verb *v = words->n > 1 ? find_verb(words->v[1]) : NULL;
		if (words->n > 1 && !v)
			return err_exit(err_hint(err_new("there is no command \"%s\"", words->v[1]), "qlaunch --help"), EXIT_USAGE);
		v ? usage_of(v) : usage();
		line->done = true;
		return NULL;
	}
	struct err *e = err_exit(err_new("there is neither a command nor a machine \"%s\"", word), EXIT_USAGE);
	return known   ? err_hint(e, "here it is: qlaunch %s", known)
	       : meant ? err_hint(e, "did you mean qlaunch %s?", meant)
		       : err_hint(e, "qlaunch --help");
}

/* `check --set` of a script whose variable is empty: what is said without a machine is not what was asked for. */
static struct err *check_sets(const struct cli *cli, const struct line *line)
{
	if (!cli->sets.n || line->args.words.n || !streq(line->verb->args, "[CONFIG]"))
		return NULL;
	return err_exit(err_hint(err_new("--set belongs to a machine, and CONFIG is missing"), "qlaunch %s --set SECTION.KEY=VALUE CONFIG",
				 line->verb->name),
			EXIT_USAGE);
}

/* The verb is the first word that is no option; a first word that is no verb is a configuration to run. */
static struct err *parse(int argc, char **argv, struct cli *cli, struct line *line)
{
	for (int i = 1; i < argc && !line->verb; i++) {
		if (streq(argv[i], "--set") || streq(argv[i], "--root"))
			i++;
		else if (argv[i][0] != '-')
			line->verb = (line->verb = find_verb(argv[i])) ? line->verb : find_verb("run");
	}
	TRY(parse_options(argc, argv, cli, line));
	if (line->done)
		return NULL;
	if (!line->verb || !line->args.words.n) {
		usage();
		line->done = true;
		cli->status = EXIT_USAGE;
		return NULL;
	}
	if (streq(line->args.words.v[0], line->verb->name)) { /* the verb itself is no argument of it */
		free(line->args.words.v[0]);
		memmove(line->args.words.v, line->args.words.v + 1, line->args.words.n-- * sizeof(char *));
		return check_sets(cli, line);
	}
	return check_meant(line);
}

/* A captured tree is the caller's: nothing in it is this host's, so nothing is for root to do. */
static struct err *leave_root(void)
{
	cleanup_user struct user caller = {};
	TRY(user_find(NULL, &caller));
	return getuid() == 0 && caller.uid != 0 ? user_become(&caller) : NULL;
}

static struct err *dispatch(int argc, char **argv, struct cli *cli, struct line *line)
{
	TRY(parse(argc, argv, cli, line));
	if (line->done)
		return NULL;
	if (line->root_dir)
		TRY(leave_root());
	TRY(root_open(line->root_dir ? line->root_dir : "/", &cli->root));
	cli->env = (struct step_env){ .root = cli->root, .kinds = all_kinds };
	return line->verb->run(cli, &line->args);
}

/* Started with one of them closed, the next file that is opened would be taken for it: the journal's lock for standard error. */
static void standard_descriptors(void)
{
	int fd;
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	standard_descriptors();
	struct cli cli = { .phases.begun_us = clock_us() };
	struct line line = {};
	behalf_environment();
	limits_lift();
	tr_start();
	signal(SIGPIPE, SIG_IGN); /* a closed output must not end a launch half-way */
	signal(SIGCHLD, SIG_DFL); /* a parent may have ignored it: then no child could be waited for */
	struct err *e = dispatch(argc, argv, &cli, &line);
	int status = e ? (int)err_status(e) : (int)cli.status;
	log_err(LOG_LEVEL_ERROR, e);
	if (fflush(stdout) != 0 && status == EXIT_OK)
		status = EXIT_GUEST;
	strv_free(&cli.sets);
	strv_free(&line.args.words);
	strv_free(&line.args.options);
	root_close(cli.root);
	return status;
}
