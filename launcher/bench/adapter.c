/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter: see adapter.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/bench/adapter.h"

static const struct adapter_row sysbench_cpu[] = {
	{ "events per second:", "events", "1/s", "more", false },
	{ "95th percentile:", "p95", "ms", "less", false },
	{},
};
static const struct adapter_row sysbench_memory[] = {
	{ "MiB transferred (", "rate", "MiB/s", "more", false },
	{},
};
static const struct adapter_row sysbench_threads[] = {
	{ "total number of events:", "events", "n", "more", false },
	{ "95th percentile:", "p95", "ms", "less", false },
	{},
};
/* Its "µs" comes in any encoding: labels end before it. */
static const struct adapter_row latencymon[] = {
	{ "Highest measured interrupt to process latency (", "interrupt-to-process.max", "us", "less", false, true },
	{ "Average measured interrupt to process latency (", "interrupt-to-process.mean", "us", "less", false, true },
	{ "Highest measured interrupt to DPC latency (", "interrupt-to-DPC.max", "us", "less", true, true },
	{ "Average measured interrupt to DPC latency (", "interrupt-to-DPC.mean", "us", "less", true, true },
	{ "Highest ISR routine execution time (", "ISR.max", "us", "less", false, true },
	{ "Highest DPC routine execution time (", "DPC.max", "us", "less", false, true },
	{ "Highest hard pagefault resolution time (", "pagefault.max", "us", "less", true, true },
	{ "Total number of hard pagefaults", "pagefaults", "n", "less", true },
	{},
};

#define PHORONIX_RESULT "/var/lib/phoronix-test-suite/test-results/qlaunch-bench/composite.xml" /* where it is when root runs it */
#define FIO_COMMAND                                                                                                                     \
	"fio --name=qlaunch --filename=qlaunch-fio.tmp --unlink=1 --size=256M --rw=randread --bs=4k --direct=1 --iodepth=8 --ioengine=libaio " \
	"--runtime=5 --time_based --output-format=json+"
#define PRESENTMON "https://github.com/GameTechDev/PresentMon"

static const struct adapter adapters[] = {
	{ "sysbench-cpu", "sysbench cpu --threads={cpus} --time=5 run", .needs = "apt install sysbench", .rows = sysbench_cpu,
	  .versions = { "sysbench ", 1.0, 1.19 } },
	{ "sysbench-memory", "sysbench memory --threads={cpus} --time=5 --memory-total-size=1T run", .needs = "apt install sysbench",
	  .rows = sysbench_memory, .versions = { "sysbench ", 1.0, 1.19 } },
	{ "sysbench-threads", "sysbench threads --threads={cpus} --time=5 run", .needs = "apt install sysbench", .rows = sysbench_threads,
	  .versions = { "sysbench ", 1.0, 1.19 } },
	{ "cyclictest", "cyclictest --quiet --smp --mlockall --priority=80 --interval=1000 --duration=3 --histogram=2000",
	  .needs = "apt install rt-tests", .parse = adapter_cyclictest },
	{ "fio", FIO_COMMAND, .needs = "apt install fio", .parse = adapter_fio },
	{ "7zip", "7z b", .needs = "apt install p7zip-full", .parse = adapter_7zip, .versions = { "7-Zip ", 9, 26.99 } },
	{ "stress-ng", "stress-ng --stdout --cpu {cpus} --timeout 5 --metrics", .needs = "apt install stress-ng", .parse = adapter_stress_ng },
	{ "glmark2", "glmark2", .needs = "apt install glmark2-x11", .parse = adapter_scenes, .versions = { "glmark2 ", 2014, 2026.99 } },
	{ "vkmark", "vkmark", .needs = "apt install vkmark", .parse = adapter_scenes, .versions = { "vkmark ", 2017, 2026.99 } },
	{ "phoronix", NULL, PHORONIX_RESULT, .needs = "https://www.phoronix-test-suite.com", .parse = adapter_phoronix },
	{ "geekbench", "geekbench6", .needs = "https://www.geekbench.com", .uploads = true, .parse = adapter_geekbench,
	  .before = N_("the free edition says no scores, only a link to them: with a licence, command = geekbench6 --no-upload") },
	{ "unigine", NULL, .needs = "https://benchmark.unigine.com", .parse = adapter_unigine },
	{ "3dmark", NULL, .needs = "https://benchmarks.ul.com/3dmark", .parse = adapter_3dmark },
	{ "latencymon", NULL, .needs = "https://www.resplendence.com/latencymon", .rows = latencymon },
	{ "passmark", NULL, .needs = "https://www.passmark.com/products/pt_linux", .parse = adapter_passmark },
	{ "presentmon", NULL, .needs = PRESENTMON, .parse = adapter_frames },
	{ "mangohud", NULL, .needs = "apt install mangohud", .parse = adapter_frames },
	{ "capframex", NULL, .needs = "https://www.capframex.com", .parse = adapter_frames },
	{ "frameview", NULL, .needs = "https://www.nvidia.com/frameview", .parse = adapter_frames },
	{ "ocat", NULL, .needs = "https://github.com/GPUOpen-Tools/ocat", .parse = adapter_frames },
	{ "afterburner", NULL, .needs = "https://www.msi.com/Landing/afterburner", .parse = adapter_frames },
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

/* Past "7-Zip [64] " and "7-Zip (z) " to the number. */
static struct err *check_version(const struct adapter *a, const struct adapter_job *job, const char *text)
{
	const char *at = strstr(text, a->versions.label);
	cleanup_free char *tool = str_ndup(a->versions.label, strlen(a->versions.label) - 1);
	if (!at)
		return err_new("no \"%s\" with a version in what it said", tool);
	for (at += strlen(a->versions.label); *at == '[' || *at == '(';)
		at += strcspn(at, " \n") + strspn(at + strcspn(at, " \n"), " ");
	return adapter_version(job, tool, at, a->versions.from, a->versions.to);
}

static struct err *take_row(const struct adapter_row *row, const struct adapter_job *job, const char *text)
{
	const char *at = strstr(text, row->label);
	double v;
	if (!at && row->may_lack)
		return NULL;
	if (at)
		at += strlen(row->label);
	if (at && row->behind_colon)
		at += strcspn(at, ":\n") + (at[strcspn(at, ":\n")] == ':');
	if (!at || !adapter_number(at, &v))
		return err_new("no \"%s\" with a number in what it said", row->label);
	return adapter_add(job, row->metric, row->unit, row->better, v);
}

static struct err *parse(const struct adapter *a, const struct adapter_job *job, const char *text)
{
	if (a->versions.label)
		TRY(check_version(a, job, text));
	for (const struct adapter_row *row = a->rows; row && row->label; row++)
		TRY(take_row(row, job, text));
	return a->parse ? a->parse(job, text) : NULL;
}

struct err *adapter_parse(const struct adapter *a, const struct adapter_job *job, const char *text)
{
	return err_wrap(parse(a, job, text), "%s", job->name);
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
