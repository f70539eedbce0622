/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch groups: the IOMMU groups, what is in them, and which of them a guest can have. Changes nothing. */
#include <jansson.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/cli.h"
#include "launcher/advise/groups.h"
#include "launcher/verbs/pager.h"

static const struct {
	const char *mark, *colour, *word, *text;
} verdicts[] = {
	[GROUP_FREE] = { "✓", "\033[32m", "free", N_("can be passed") },
	[GROUP_HOST] = { "✗", "\033[31m", "host", N_("the host uses it") },
	[GROUP_NONE] = { "·", "\033[2m", "none", N_("nothing to pass") },
	[GROUP_DEAD] = { "✗", "\033[31m", "dead", N_("does not answer") },
};

static void print_function(const struct pci_function *fn, struct pci_names *names)
{
	enum { DRIVER_COLUMNS = 15 };
	cleanup_free char *name = group_name(names, fn);
	size_t terminal = page_columns(), columns = terminal ? terminal : PAGE_COLUMNS;
	cleanup_free char *driver = page_cut(fn->driver ? fn->driver : "-", DRIVER_COLUMNS);
	cleanup_free char *head = str_fmt("  %-7s %-8s ", pci_addr_short(fn->addr).s, group_class_word(fn->class));
	size_t used = DRIVER_COLUMNS + strlen(head), room = columns > used + 10 ? columns - used : 10;
	cleanup_free char *cut = page_cut(name, room - 1);
	size_t width = page_width(cut);
	printf("%s%s%*s%s\n", head, cut, width < room ? (int)(room - width) : 1, "", driver);
}

static void print_group(const struct group *x, struct pci_names *names, bool colours)
{
	cleanup_free char *title = x->number < 0 ? tr_dup("No group") : tr_fmt("Group %d", x->number);
	printf("%s%s%s %-9s %s\n", colours ? verdicts[x->verdict].colour : "", verdicts[x->verdict].mark, colours ? "\033[0m" : "", title,
	       tr(verdicts[x->verdict].text));
	for (size_t i = 0; i < x->n; i++)
		print_function(x->v[i], names);
	for (size_t i = 0; i < x->why.n; i++)
		page_wrap("  → ", 4, x->why.v[i]);
}

static void print_groups(const struct groups *g, struct pci_names *names)
{
	bool colours = log_colours(STDOUT_FILENO);
	size_t free_groups = 0;
	for (size_t i = 0; i < g->n; i++) {
		print_group(&g->v[i], names, colours);
		free_groups += g->v[i].verdict == GROUP_FREE;
	}
	printf(_(N_("\n%zu of %zu groups can be passed. A group goes to the guest whole, bridges aside.\n")), free_groups,
	       g->iommu ? g->n : 0);
}

static json_t *function_json(const struct pci_function *fn, const struct groups *g, struct pci_names *names)
{
	cleanup_free char *name = pci_names_get(names, fn->vendor, fn->device);
	cleanup_free char *id = str_fmt("%04x:%04x", fn->vendor, fn->device);
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:b}", "address", pci_addr_text(fn->addr).s, "id", id, "name", name, "class",
			 group_class_word(fn->class), "driver", fn->driver, "bridge", pci_is_bridge(fn), "host_screen", fn == g->host_gpu);
}

static void print_json(const struct groups *g, struct pci_names *names)
{
	json_t *list = json_array();
	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->v[i];
		json_t *functions = json_array(), *why = json_array();
		for (size_t k = 0; k < x->n; k++)
			json_array_append_new(functions, function_json(x->v[k], g, names));
		for (size_t k = 0; k < x->why.n; k++)
			json_array_append_new(why, json_string(x->why.v[k]));
		json_t *number = x->number < 0 ? json_null() : json_integer(x->number);
		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}", "group", number, "verdict", verdicts[x->verdict].word, "why",
						      why, "functions", functions));
	}
	json_t *o = json_pack("{s:b, s:o}", "iommu", g->iommu, "groups", list);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

struct err *verb_groups(struct cli *cli, const struct verb_args *args)
{
	cleanup_groups struct groups g = {};
	TRY(verb_words(args, 0, 0, "groups [--json]"));
	TRY(groups_read(cli->root, &g));
	cleanup_pci_names struct pci_names *names = pci_names_new();
	if (cli->json)
		print_json(&g, names);
	else
		print_groups(&g, names);
	if (g.iommu)
		return NULL;
	return err_exit(
		err_hint(err_new("this host has no IOMMU groups: its IOMMU is off"), "`qlaunch check` tells how to switch it on here"),
		EXIT_HOST);
}
