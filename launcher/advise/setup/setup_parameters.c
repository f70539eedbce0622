/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the kernel's parameters, in the form in which this host keeps them. See setup.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

/* The texts that a shell reads one after the other, without what is ours. */
static char *shell_text(struct root *root, const struct boot_way *way)
{
	struct sb out = {};
	cleanup_strv struct strv files = {};
	cleanup_free char *main = root_read_or(root, way->file, ""), *bare = setup_block(main, NULL);
	sb_addf(&out, "%s\n", bare);
	if (way->drop_in) {
		const char *slash = strrchr(way->drop_in, '/'), *dot = strrchr(way->drop_in, '.');
		cleanup_free char *all = str_fmt("%.*s/*%s", (int)(slash - way->drop_in), way->drop_in, dot);
		boot_glob(root, all, &files);
	}
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *text = streq(files.v[i], way->drop_in) ? NULL : root_read_or(root, files.v[i], "");
		sb_addf(&out, "%s\n", text ? text : "");
	}
	return sb_steal(&out);
}

/* What the next boot is given as far as files tell it, without what is ours: words in one text. */
static char *given(struct root *root, const struct boot_facts *boot)
{
	const struct boot_way *way = boot->way;
	struct sb out = {};
	const char *open;
	if (way->form == BOOT_SHELL || (way->file && str_starts(way->file, "/etc/default/grub"))) {
		cleanup_free char *text = shell_text(root, way);
		cleanup_free char *own_value = way->variable ? setup_shell_value(text, way->variable, &open) : str_dup(text);
		cleanup_free char *always = setup_shell_value(text, "GRUB_CMDLINE_LINUX", &open);
		sb_addf(&out, "%s %s", own_value, always);
	} else {
		for (size_t i = 0; i < boot->files.n; i++) {
			cleanup_free char *text = root_read_or(root, boot->files.v[i], "");
			sb_addf(&out, "%s\n", text);
		}
	}
	if (way->form == BOOT_PROGRAM && !way->replaces && str_starts(way->read, "$ ")) { /* not booted with yet */
		cleanup_free char *said = NULL;
		err_free(setup_command(root, way->read + 2, &said));
		sb_addf(&out, " %s", said ? said : "");
	}
	cleanup_free char *running = strv_join(&boot->parameters, " ");
	if (way->from_running || way->form == BOOT_PROGRAM || way->form == BOOT_BY_HAND || way->form == BOOT_UNKNOWN)
		sb_addf(&out, " %s", running);
	return sb_steal(&out);
}

bool setup_has_word(const char *text, const char *word)
{
	cleanup_strv struct strv words = {};
	strv_split(&words, text, " \t\r\n\"',[]");
	return strv_has(&words, word);
}

/* What stands there already and speaks against a card for a guest. */
static void note_conflicts(struct root *root, const struct survey *s, const char *text, struct setup *setup)
{
	static const char *const off[] = { "iommu=off", "intel_iommu=off", "amd_iommu=off" };
	cleanup_free char *running = strv_join(&s->boot.parameters, " "), *all = str_fmt("%s %s", text, running);
	cleanup_strv struct strv words = {}, files = {};
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		cleanup_free char *remedy = boot_take_out(&s->boot, off[i]);
		if (setup_has_word(all, off[i]))
			strv_addf(&setup->notes, _("%s switches the IOMMU off: %s"), off[i], remedy);
	}
	strv_split(&words, all, " \t\r\n\"',[]");
	for (size_t i = 0; i < words.n; i++)
		if (str_starts(words.v[i], "vfio-pci.ids=") || str_starts(words.v[i], "vfio_pci.ids=")) {
			cleanup_free char *remedy = boot_take_out(&s->boot, words.v[i]);
			strv_addf(&setup->notes, _("%s takes every card of those ids, whatever its address: %s"), words.v[i], remedy);
			break; /* in the file and in the kernel that runs */
		}
	boot_glob(root, "/etc/modprobe.d/*.conf", &files);
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *conf = root_read_or(root, files.v[i], "");
		cleanup_strv struct strv lines = {};
		strv_split(&lines, conf, "\n");
		for (size_t k = 0; k < lines.n && !streq(files.v[i], SETUP_MODPROBE); k++) {
			const char *line = lines.v[k] + strspn(lines.v[k], " \t");
			if (*line != '#' && (strstr(line, "vfio-pci") || strstr(line, "vfio_pci")) &&
			    (strstr(line, "ids=") || str_starts(line, "install")))
				strv_addf(&setup->notes, _("%s has rules of its own for vfio-pci: take the line out: %s"), files.v[i],
					  line);
		}
	}
}

/* The running kernel's command line, as kernel-install(8) makes an entry's of it. */
static char *running_line(const struct boot_facts *boot)
{
	struct sb out = {};
	for (size_t i = 0; i < boot->parameters.n; i++)
		if (!str_starts(boot->parameters.v[i], "BOOT_IMAGE=") && !str_starts(boot->parameters.v[i], "initrd="))
			sb_addf(&out, "%s%s", out.len ? " " : "", boot->parameters.v[i]);
	sb_addc(&out, '\n');
	return sb_steal(&out);
}

static struct err *edit_lines(struct root *root, const struct boot_facts *boot, struct setup *setup)
{
	bool options = boot->way->form == BOOT_OPTIONS;
	for (size_t i = 0; i < boot->files.n; i++) {
		cleanup_free char *old = NULL;
		mode_t mode = 0644;
		TRY(setup_read(root, boot->files.v[i], &old, &mode));
		if (!old && boot->way->from_running) /* --undo leaves it, without our words: without it they would come from what runs */
			old = running_line(boot);
		char *new = options ? setup_options(old ? old : "", &setup->words) : setup_line(old ? old : "", &setup->words);
		cleanup_free char *joined = strv_join(&setup->words, " ");
		if (!new)
			return err_hint(err_new(_("%s has no command line that could be added to"), boot->files.v[i]),
					_("add by hand, then again: %s"), joined);
		TRY(setup_change_to(root, setup, boot->files.v[i], mode, SETUP_WORDS, new));
	}
	return NULL;
}

static void ask_program(struct root *root, const struct boot_way *way, struct setup *setup)
{
	for (size_t i = 0; i < setup->words.n; i++) {
		cleanup_free char *add = boot_fill(way->add, setup->words.v[i]), *remove = boot_fill(way->remove, setup->words.v[i]);
		if (setup_has_run(root, add))
			continue;
		strv_add(&setup->run, add);
		strv_add(&setup->back, remove);
	}
}

/* limine's other kernels than the default: an entry with words of its own reads no others. */
static void note_other_keys(struct root *root, const struct boot_way *way, const char *words, struct setup *setup)
{
	const char *variable = way->variable, *bracket = variable ? strchr(variable, '[') : NULL;
	cleanup_strv struct strv lines = {};
	if (!bracket)
		return;
	cleanup_free char *start = str_ndup(variable, (size_t)(bracket + 1 - variable));
	cleanup_free char *text = root_read_or(root, way->file, "");
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		size_t n = strcspn(lines.v[i], "]") + 1;
		if (!str_starts(lines.v[i], start) || !strncmp(lines.v[i], variable, n) ||
		    str_starts(lines.v[i] + strlen(start), "fallback]"))
			continue;
		strv_addf(&setup->notes, _("%.*s in %s is a kernel's own command line: add %s there"), (int)n, lines.v[i], way->file,
			  words);
	}
}

static struct err *write_parameters(struct root *root, const struct boot_facts *boot, struct setup *setup)
{
	const struct boot_way *way = boot->way;
	cleanup_free char *joined = strv_join(&setup->words, " ");
	cleanup_free char *line = way->line ? boot_fill(way->line, joined) : NULL;
	switch (way->form) {
	case BOOT_SHELL:
		note_other_keys(root, way, joined, setup);
		if (boot->drop_in) {
			if (way->variable)
				TRY(setup_check_later(root, way->drop_in, line, way->variable, joined));
			return setup_own(root, setup, way->drop_in, 0644, str_fmt("%s%s\n", way->variable ? SETUP_MARK : "", line));
		}
		return setup_block_in(root, setup, way->file, line);
	case BOOT_LINE:
	case BOOT_OPTIONS:
		return edit_lines(root, boot, setup);
	case BOOT_PROGRAM:
		ask_program(root, way, setup);
		return NULL;
	case BOOT_BY_HAND:
	case BOOT_UNKNOWN:
	case BOOT_REFUSED:
		break;
	}
	cleanup_free char *remedy = boot_remedy(boot, joined);
	strv_add(&setup->notes, remedy);
	return NULL;
}

/* What runs and the entries of all kernels are given: words. */
static void given_to_any(struct root *root, const struct boot_facts *boot, struct strv *ret_words)
{
	cleanup_strv struct strv files = {};
	cleanup_free char *running = strv_join(&boot->parameters, " ");
	strv_split(ret_words, running, " ");
	boot_glob(root, "/boot/loader/entries/*.conf", &files);
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *text = root_read_or(root, files.v[i], "");
		strv_split(ret_words, text, " \t\r\n\"");
	}
}

/* Another value that the word's key has already: the program would put ours in its place. */
static char *other_value(const struct strv *all, const char *word)
{
	size_t key = strcspn(word, "=") + 1;
	for (size_t i = 0; i < all->n; i++)
		if (!strncmp(all->v[i], word, key) && !streq(all->v[i], word))
			return str_dup(all->v[i]);
	return NULL;
}

/* A word that is not added, and why is said: to another value of its key, by hand, for the kernel takes a list (kernel-parameters.txt, iommu=
 * and intel_iommu=); to a kernel that has it of its own, for --undo would take it from that one, too. */
static bool is_left_out(struct root *root, const struct boot_facts *boot, const char *word, struct setup *setup)
{
	cleanup_strv struct strv all = {};
	cleanup_free char *command = boot->way->replaces ? boot_fill(boot->way->add, word) : NULL;
	if (!command || setup_has_run(root, command))
		return false;
	given_to_any(root, boot, &all);
	cleanup_free char *other = other_value(&all, word);
	if (other && !str_ends(other, "=off")) { /* that is a conflict, and said */
		cleanup_free char *both = str_fmt("%s,%s", other, word + strcspn(word, "=") + 1), *hand = boot_fill(boot->way->add, both);
		strv_addf(&setup->notes, _("%s is there already and would be lost, so %s is not added; by hand: sudo %s"), other, word,
			  hand);
	} else if (!other && strv_has(&all, word)) {
		strv_addf(&setup->notes, _("a kernel has %s of its own, so it is not added to the others; by hand: sudo %s"), word,
			  command);
	}
	return other || strv_has(&all, word);
}

struct err *setup_plan_parameters(struct root *root, const struct survey *s, struct setup *setup)
{
	cleanup_free char *text = given(root, &s->boot);
	static const char *const wanted[] = { "intel_iommu=on", "iommu=pt" }; /* pt: the host's own devices go past it, at full speed */
	size_t before = setup->n;
	note_conflicts(root, s, text, setup);
	/* AMD's is on by itself; so is Intel's where the kernel was built so */
	if (s->cpu.vendor != CPU_INTEL || (s->groups.iommu && !boot_has(&s->boot, "intel_iommu=on")))
		return NULL;
	bool lines = s->boot.way->form == BOOT_LINE || s->boot.way->form == BOOT_OPTIONS; /* line by line they are looked for again */
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if ((lines || !setup_has_word(text, wanted[i])) && !is_left_out(root, &s->boot, wanted[i], setup))
			strv_add(&setup->words, wanted[i]);
	if (!setup->words.n)
		return NULL;
	TRY(write_parameters(root, &s->boot, setup));
	setup->writes_words = setup->n > before || setup->run.n;
	if (setup->n > before && s->boot.way->scratch)
		strv_add(&setup->scratch, s->boot.way->scratch);
	setup->applies = setup->n > before && s->boot.way->apply;
	return NULL;
}
