/* SPDX-License-Identifier: GPL-2.0-or-later */
/* propose: an example with this host's values in it. Line by line: comments stay where they stand. See propose.h. */
#include <stdlib.h>
#include "launcher/advise/propose.h"

struct filling {
	const struct proposal *p;
	const char *dir;
	char *kind;   /* of the section that the line is in: "disk" */
	unsigned nth; /* of its kind, from 0 */
	unsigned n_pci, n_disk, n_input;
	bool drop;     /* the section is not for this host */
	bool named;    /* the section's own device has been written */
	bool released; /* release-console is there */
	struct sb out;
};

static const char *nth_input(const struct filling *f)
{
	const struct proposal *p = f->p;
	return f->nth == 0 ? (p->keyboard ? p->keyboard : p->mouse) : f->nth == 1 && p->keyboard ? p->mouse : NULL;
}

/* "[disk windows]" or "[cpu]". */
static void enter(struct filling *f, const char *line)
{
	free(f->kind);
	f->kind = str_ndup(line + 1, strcspn(line + 1, " ]"));
	f->nth = streq(f->kind, "pci") ? f->n_pci++ : streq(f->kind, "disk") ? f->n_disk++ : streq(f->kind, "input") ? f->n_input++ : 0;
	f->named = false;
	f->drop = streq(f->kind, "monitor") || (streq(f->kind, "pci") && (f->nth || !f->p->gpu)) ||
		  (streq(f->kind, "input") && (!f->p->gpu || !nth_input(f))) || (streq(f->kind, "tpm") && !f->p->tpm);
}

/* The device that a section is about stands in it once, whatever key named it. */
static char *name_device(struct filling *f, const char *key, const char *value)
{
	char *line = f->named ? str_fmt("#%s", key) : str_fmt("%s = %s", key, value);
	f->named = true;
	return line;
}

/* The line's new text, or NULL where the example's stays. */
static char *replace(struct filling *f, const char *key, const char *value)
{
	const struct proposal *p = f->p;
	if (streq(f->kind, "vm"))
		return streq(key, "name") ? str_fmt("name = %s", p->name) : streq(key, "accel") && !p->kvm ? str_dup("accel = auto") : NULL;
	if (streq(f->kind, "cpu"))
		return streq(key, "threads")                           ? str_fmt("threads = %u", p->threads)
		       : streq(key, "place") || streq(key, "emulator") ? str_fmt("%s = auto", key)
		       : streq(key, "isolate") && !p->gpu              ? str_dup("isolate = off")
								       : NULL;
	if (streq(f->kind, "memory")) {
		cleanup_free char *size = size_format(p->memory);
		return streq(key, "size")        ? str_fmt("size = %s", size)
		       : streq(key, "hugepages") ? str_fmt("hugepages = %s", propose_hugepages_word(p->hugepages))
						 : NULL;
	}
	if (streq(f->kind, "firmware"))
		return streq(key, "secure-boot") && !p->secure_boot ? str_dup("secure-boot = no") : NULL;
	if (streq(f->kind, "pci") && (streq(key, "address") || streq(key, "id") || streq(key, "match")))
		return name_device(f, "address", pci_addr_short(p->gpu->addr).s);
	if (streq(f->kind, "pci") && streq(key, "rom")) /* of another card */
		return str_fmt("#rom = %s", value);
	if (streq(f->kind, "input") && streq(key, "device"))
		return name_device(f, "device", nth_input(f));
	if (streq(f->kind, "disk") && f->nth == 0 && (streq(key, "path") || streq(key, "format")))
		return streq(key, "path") ? str_fmt("path = %s", p->disk) : str_dup("format = qcow2");
	if (streq(f->kind, "display") && streq(key, "mode") && streq(value, "none") && !p->gpu)
		return str_fmt("mode = %s", p->display);
	if (streq(f->kind, "host") && streq(key, "release-console") && propose_service(p))
		return str_dup("");
	if ((streq(key, "path") || streq(key, "kernel") || streq(key, "initrd")) && value[0] != '/' && value[0] != '~')
		return str_fmt("%s = %s/%s", key, f->dir, value);
	return NULL;
}

/* The host's own card is let go by the desktop first. */
static void release(struct filling *f)
{
	if (propose_service(f->p) && !f->released)
		sb_add(&f->out, "release-console = yes\n");
	f->released = true;
}

static void add_line(struct filling *f, const char *line)
{
	cleanup_free char *copy = str_dup(line);
	char *text = str_trim(copy), *equals = strchr(text, '=');
	if (*text == '[')
		enter(f, text);
	if (f->drop && *text && *text != '#') {
		sb_addf(&f->out, "#%s\n", line);
		return;
	}
	if (!f->kind || *text == '#' || *text == '[' || !equals) {
		sb_addf(&f->out, "%s\n", line);
		if (*text == '[' && streq(f->kind, "host"))
			release(f);
		return;
	}
	*equals = '\0';
	cleanup_free char *changed = replace(f, str_trim(text), str_trim(equals + 1));
	sb_addf(&f->out, "%s\n", changed ? changed : line);
}

char *proposal_fill(const struct proposal *p, const char *example, const char *dir)
{
	struct filling f = { .p = p, .dir = dir };
	for (const char *at = example; *at;) {
		size_t n = strcspn(at, "\n");
		cleanup_free char *line = str_ndup(at, n);
		add_line(&f, line);
		at += n + (at[n] == '\n');
	}
	if (p->gpu_audio && f.n_pci)
		sb_addf(&f.out, "\n[pci gpu-audio]\n# The card's sound, a device of its own behind its switch.\naddress = %s\n",
			pci_addr_short(p->gpu_audio->addr).s);
	if (propose_service(p) && !f.released) {
		sb_add(&f.out, "\n[host]\n");
		release(&f);
	}
	free(f.kind);
	return sb_steal(&f.out);
}
