/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter: see adapter.h. */
#include <stdlib.h>
#include "launcher/bench/adapter.h"
#include "launcher/bench/records.h"

static const struct adapter_row sysbench_cpu[] = {
	{ "events per second:", "events", "1/s", "more" },
	{ "95th percentile:", "p95", "ms", "less" },
	{},
};
static const struct adapter_row sysbench_memory[] = {
	{ "MiB transferred (", "rate", "MiB/s", "more" },
	{},
};
static const struct adapter_row sysbench_threads[] = {
	{ "total number of events:", "events", "n", "more" },
	{ "95th percentile:", "p95", "ms", "less" },
	{},
};
static const struct adapter_row geekbench[] = {
	{ "Single-Core Score", "single-core", "points", "more" },
	{ "Multi-Core Score", "multi-core", "points", "more" },
	{},
};

#define PHORONIX_RESULT "/var/lib/phoronix-test-suite/test-results/qlaunch-bench/composite.xml" /* where it is when root runs it */

static const struct adapter adapters[] = {
	{ "sysbench-cpu", "sysbench cpu --threads={cpus} --time=5 run", .needs = "apt install sysbench", .rows = sysbench_cpu },
	{ "sysbench-memory", "sysbench memory --threads={cpus} --time=5 --memory-total-size=1T run", .needs = "apt install sysbench",
	  .rows = sysbench_memory },
	{ "sysbench-threads", "sysbench threads --threads={cpus} --time=5 run", .needs = "apt install sysbench", .rows = sysbench_threads },
	{ "cyclictest", "cyclictest --quiet --smp --mlockall --priority=80 --interval=1000 --duration=3 --histogram=2000",
	  .needs = "apt install rt-tests", .parse = adapter_cyclictest },
	{ "phoronix", NULL, PHORONIX_RESULT, .needs = "https://www.phoronix-test-suite.com", .parse = adapter_phoronix },
	{ "geekbench", "geekbench6", .needs = "https://www.geekbench.com", .uploads = true, .rows = geekbench },
	{ "presentmon", NULL, .needs = "https://github.com/GameTechDev/PresentMon", .parse = adapter_presentmon },
	{ "mangohud", NULL, .needs = "apt install mangohud", .parse = adapter_presentmon },
	{ "capframex", NULL, .needs = "https://www.capframex.com", .parse = adapter_presentmon },
	{ "frameview", NULL, .needs = "https://www.nvidia.com/frameview", .parse = adapter_presentmon },
	{ "lines", NULL, .needs = "a program that says \"bench: METRIC UNIT less|more|tails VALUE…\"", .parse = adapter_lines },
};

const struct adapter *adapter_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(adapters); i++)
		if (streq(adapters[i].name, name))
			return &adapters[i];
	return NULL;
}

char *adapter_names(void)
{
	cleanup_strv struct strv names = {};
	for (size_t i = 0; i < ARRAY_SIZE(adapters); i++)
		strv_add(&names, adapters[i].name);
	return strv_join(&names, ", ");
}

static struct err *take_row(const struct adapter_row *row, const char *name, const char *text, json_t *metrics)
{
	const char *at = strstr(text, row->label);
	char *end = NULL;
	double v = at ? strtod(at + strlen(row->label), &end) : 0;
	if (!at || end == at + strlen(row->label))
		return err_new("no \"%s\" with a number in what it said", row->label);
	cleanup_free char *metric = str_fmt("%s.%s", name, row->metric);
	return records_add_metric(metrics, metric, row->unit, row->better, json_pack("[f]", v));
}

struct err *adapter_parse(const struct adapter *a, const char *name, const char *text, json_t *metrics)
{
	if (a->parse)
		return err_wrap(a->parse(name, text, metrics), "%s", name);
	for (const struct adapter_row *row = a->rows; row->label; row++)
		TRY(err_wrap(take_row(row, name, text, metrics), "%s", name));
	return NULL;
}

static void add_word(struct strv *words, const char *word, unsigned cpus)
{
	static const char mark[] = "{cpus}";
	const char *at = strstr(word, mark);
	if (at)
		strv_addf(words, "%.*s%u%s", (int)(at - word), word, cpus, at + strlen(mark));
	else
		strv_add(words, word);
}

struct err *adapter_words(const char *command, unsigned cpus, struct strv *ret_words)
{
	cleanup_sb struct sb word = {};
	bool quoted = false, begun = false;
	for (const char *c = command;; c++) {
		if (*c == '"') {
			quoted = !quoted;
			begun = true;
		} else if (*c && (quoted || (*c != ' ' && *c != '\t'))) {
			sb_addc(&word, *c);
			begun = true;
		} else {
			if (begun)
				add_word(ret_words, word.s ? word.s : "", cpus);
			sb_free(&word);
			begun = false;
		}
		if (!*c)
			break;
	}
	if (quoted)
		return err_new("a quote without its end: %s", command);
	return ret_words->n ? NULL : err_new("no command");
}
