/* SPDX-License-Identifier: GPL-2.0-or-later */
/* new, the questions: see new.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/base/tr.h"
#include "launcher/host/input/input.h"
#include "launcher/host/screen/monitor.h"
#include "launcher/verbs/new.h"
#include "launcher/verbs/typed.h"

#define ANSWER_MAX 4096
#define LISTEN_SECONDS 30

/* A line of the terminal, without its end; empty where the input has ended. Owned by the caller. */
static char *read_line(void)
{
	char line[ANSWER_MAX];
	if (fgets(line, sizeof(line), stdin))
		return str_dup(str_trim(line));
	putchar('\n');
	return str_dup("");
}

static char *ask(const char *otherwise, const char *question)
{
	printf("%s [%s] ", tr(question), otherwise);
	fflush(stdout);
	cleanup_free char *line = read_line();
	return *line ? steal(line) : str_dup(otherwise);
}

/* A number from 1 to n, asked again until it is one; 0 for "none". */
static size_t ask_choice(size_t n, size_t proposed, bool none, const char *question)
{
	for (;;) {
		uint64_t value = 0;
		cleanup_free char *otherwise = proposed ? str_fmt("%zu", proposed) : str_dup("none"), *answer = ask(otherwise, question);
		if (none && streq(answer, "none"))
			return 0;
		cleanup_err struct err *e = num_parse(answer, n, &value);
		if (!e && value)
			return (size_t)value;
		if (none)
			printf(_("  a number from 1 to %zu, or none\n"), n);
		else
			printf(_("  a number from 1 to %d\n"), (int)n);
	}
}

/* The host's screen is on it, and could be elsewhere. */
static void ask_screen(const struct survey *s, struct proposal *p)
{
	const struct pci_function *other = groups_other_screen(&s->groups);
	if (!p->release || !other)
		return;
	printf(_("The host's screen is on that card, and the processor has graphics of its own (%s).\n"
		 "  1  the desktop ends while the guest runs, and is back after it\n"
		 "  2  these become the primary display in the firmware's setup, and the desktop stays\n"),
	       pci_addr_short(other->addr).s);
	p->release = ask_choice(2, 1, false, N_("Which of the two")) == 1;
}

/* Those that the host does not need; behind them its own, which nobody gets by pressing Enter. */
static struct err *ask_gpu(const struct survey *s, struct proposal *p)
{
	cleanup_pci_names struct pci_names *names = pci_names_new();
	size_t n = p->n_gpus + (p->host_gpu != NULL);
	for (size_t i = 0; i < n; i++) {
		const struct pci_function *fn = i < p->n_gpus ? p->gpus[i] : p->host_gpu;
		cleanup_free char *name = group_name(names, fn);
		printf("  %zu  %s %s%s\n", i + 1, pci_addr_short(fn->addr).s, name,
		       fn == p->host_gpu ? _(": the host's own; the desktop ends while the guest runs") : "");
	}
	size_t proposed = p->gpu ? n : 0; /* the host's own is the last one */
	for (size_t i = p->n_gpus; i; i--)
		proposed = p->gpus[i - 1] == p->gpu ? i : proposed;
	size_t choice = n ? ask_choice(n, proposed, true, N_("Graphics card for the guest (or none)")) : 0;
	const struct pci_function *gpu = !choice ? NULL : choice <= p->n_gpus ? p->gpus[choice - 1] : p->host_gpu;
	TRY(propose_gpu(p, s, gpu ? pci_addr_text(gpu->addr).s : "none"));
	ask_screen(s, p);
	return NULL;
}

static void ask_size(uint64_t *size, uint64_t least, const char *question)
{
	for (;;) {
		uint64_t value = 0;
		cleanup_free char *otherwise = *size ? size_format(*size) : str_dup("none"), *answer = ask(otherwise, question);
		if (streq(answer, "none") && !least) {
			*size = 0;
			return;
		}
		cleanup_err struct err *e = size_parse(answer, &value);
		if (!e && value >= least && value % (UINT64_C(1) << 20) == 0) {
			*size = value;
			return;
		}
		printf(_("  a size such as 16G\n"));
	}
}

static void ask_threads(struct proposal *p, const struct survey *s)
{
	for (;;) {
		uint64_t value = 0;
		cleanup_free char *otherwise = str_fmt("%u", p->threads), *answer = ask(otherwise, N_("CPU threads for the guest"));
		cleanup_err struct err *e = num_parse(answer, (uint64_t)cpus_count(&s->cpu.online), &value);
		if (!e && value) {
			p->threads = (unsigned)value;
			return;
		}
		printf(_("  a number from 1 to %d\n"), cpus_count(&s->cpu.online));
	}
}

/* ---- keyboard and mouse ---- */

struct hearing {
	const char *question, *otherwise;
	unsigned is; /* the kind that is waited for */
	bool first;  /* the first one ends it */
	char *path;
};

static void ask_hearing(void *data)
{
	const struct hearing *h = data;
	printf("%s\n  [%s] ", tr(h->question), h->otherwise);
	fflush(stdout);
}

static bool heard(void *data, const struct input_device *d)
{
	struct hearing *h = data;
	if (!(d->is & h->is) || d->twin)
		return true;
	str_set(&h->path, input_path(d));
	return !h->first;
}

static bool names_device(const char *text)
{
	cleanup_conf_device struct conf_device words = {};
	return *text == '/' || conf_device_parse(text, &words);
}

/* The device that was used until there is a line to read; a mouse also without one. Who may not listen takes the default, or types a
 * path. */
static void ask_input(struct root *root, const struct input_devices *all, struct hearing h, const char *question, char **path)
{
	h.question = question;
	h.otherwise = *path ? *path : "none";
	cleanup_err struct err *deaf =
		input_listen(root, all, &(struct input_listener){ LISTEN_SECONDS, STDIN_FILENO, ask_hearing, heard, &h });
	cleanup_free char *spoke = h.path;
	if (deaf) {
		printf(_("  (nobody can be heard: %s; a path, or an empty line)\n"), err_text(deaf));
		ask_hearing(&h);
	}
	cleanup_free char *typed = NULL;
	if (h.first && spoke)
		putchar('\n');
	else
		typed = read_line();
	bool none = typed && streq(typed, "none"), device = typed && names_device(typed);
	if (!none && !device && !spoke)
		return;
	str_set(path, none ? NULL : device ? typed : spoke);
	printf("  %s\n", *path ? *path : _("none"));
}

static struct err *ask_inputs(struct root *root, struct proposal *p)
{
	cleanup_input_devices struct input_devices all = {};
	TRY(input_devices_read(root, &all));
	ask_input(root, &all, (struct hearing){ .is = INPUT_KEYBOARD }, N_("Keyboard for the guest: press Enter on it, or type none"),
		  &p->keyboard);
	ask_input(root, &all, (struct hearing){ .is = INPUT_MOUSE | INPUT_POINTER, .first = true },
		  N_("Mouse for the guest: move it, or press Enter to keep"), &p->mouse);
	return NULL;
}

/* ---- monitors ---- */

static void print_monitor(const struct monitor *m, const char *name)
{
	cleanup_free char *now = monitor_input_text((unsigned)m->input);
	if (monitor_input_usable(m->input))
		printf(_("Monitor %s shows the host by %s"), name, now);
	else
		printf(_("Monitor %s does not tell what it shows"), name);
	for (size_t i = 0, n = 0; i < m->n_inputs; i++) {
		cleanup_free char *input = monitor_input_text(m->inputs[i]);
		if (m->inputs[i] != m->input)
			printf("%s%s", n++ ? ", " : _("; it has "), input);
	}
	putchar('\n');
}

/* 0: none. */
static unsigned ask_monitor_input(const char *question)
{
	for (;;) {
		unsigned input = 0;
		cleanup_free char *answer = ask("none", question);
		if (streq(answer, "none"))
			return 0;
		cleanup_err struct err *e = monitor_input_parse(answer, &input);
		if (!e)
			return input;
		printf("  %s\n", err_text(e));
	}
}

/* The way back is what it reads now, or what the person says where that tells nothing. */
static void ask_monitor(struct root *root, const struct monitors *all, const struct monitor *m, struct proposal *p)
{
	cleanup_free char *match = monitor_match(all, m);
	print_monitor(m, match);
	bool told = monitor_input_usable(m->input);
	unsigned host = told ? (unsigned)m->input : ask_monitor_input(N_("  Input that shows the host"));
	while (host) {
		unsigned input = ask_monitor_input(N_("  Input that the guest's card is plugged into; it is tried for 5 seconds"));
		if (!input)
			return;
		cleanup_err struct err *bad = monitor_try(root, match, input, host);
		if (bad)
			printf("  %s\n", err_text(bad));
		cleanup_free char *right = ask(bad ? "no" : "yes", N_("  Was it the right one?"));
		if (*right != 'y' && *right != 's')
			continue;
		p->monitors = mem_grow(p->monitors, p->n_monitors, sizeof(*p->monitors));
		p->monitors[p->n_monitors++] = (struct proposal_monitor){ steal(match), input, told ? 0 : host };
		return;
	}
}

static struct err *ask_monitors(struct root *root, struct proposal *p)
{
	struct monitors all = {};
	TRY(monitors_read(root, true, &all));
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].input >= 0)
			ask_monitor(root, &all, &all.v[i], p);
	return NULL;
}

/* Where the image lies: another drive, or one of the network that is mounted. */
static void ask_place(const struct survey *s, struct proposal *p)
{
	while (p->disk_size) {
		cleanup_free char *answer = ask(p->disk, N_("Where it lies")), *here = getcwd(NULL, 0),
				  *path = typed_path(&s->user, answer, here);
		struct stat st;
		if (user_sees(&s->user, path, &st) && S_ISDIR(st.st_mode)) {
			cleanup_free char *within = str_fmt("%s/%s.qcow2", path, p->name);
			str_set(&path, within);
		}
		cleanup_free char *dir = str_dir(path);
		/* the folder of its own is made; any other one is there, or it is a slip of the pen */
		if (streq(answer, p->disk) || !*dir || user_sees(&s->user, dir, NULL)) {
			str_set(&p->disk, path);
			return;
		}
		printf(_("  there is no folder %s\n"), dir);
	}
}

struct err *new_iso(const struct survey *s, const char *word, struct proposal *p)
{
	struct identity found = {};
	cleanup_free char *here = getcwd(NULL, 0), *path = typed_path(&s->user, word, here);
	TRY(identify(path, &s->user, &found));
	propose_for(p, &found);
	return NULL;
}

static void ask_iso(const struct survey *s, struct proposal *p)
{
	for (;;) {
		cleanup_free char *word = ask("none", N_("ISO image to install from"));
		if (streq(word, "none"))
			return;
		cleanup_err struct err *e = new_iso(s, word, p);
		if (!e) {
			printf("  %s\n", p->os.name);
			return;
		}
		printf("  %s\n", err_text(e));
	}
}

struct err *new_ask(struct cli *cli, const struct survey *s, bool which_gpu, struct proposal *p)
{
	TRY(which_gpu ? ask_gpu(s, p) : NULL);
	ask_threads(p, s);
	ask_size(&p->memory, UINT64_C(256) << 20, N_("Memory"));
	p->hugepages = propose_hugepages(s, p);
	ask_size(&p->disk_size, 0, N_("Size of a new disk image (it grows as it is used), or none"));
	ask_place(s, p);
	if (!p->os.system)
		ask_iso(s, p);
	if (!p->gpu || !pci_has_outputs(p->gpu) || !root_is_host(cli->root))
		return NULL; /* a window has the host's keyboard, mouse and monitor */
	TRY(ask_inputs(cli->root, p));
	if (s->i2c.n)
		log_err(LOG_LEVEL_WARN, err_wrap(ask_monitors(cli->root, p), "monitors"));
	return NULL;
}
