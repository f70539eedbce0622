/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory: the pages that each node is to give, and their life on a kernel that grants fewer than asked. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "launcher/host/kind/attr.h"
#include "launcher/host/memory/memory.h"
#include "tests/unit/fakekernel.h"

#define NODE "/sys/devices/system/node"
#define PAGES NODE "/node1/hugepages/hugepages-1048576kB"

static struct step_env env;

static void node(struct fake *f, const char *name, const char *cpus, const char *pages_1g)
{
	cleanup_free char *list = str_fmt(NODE "/%s/cpulist", name), *info = str_fmt(NODE "/%s/meminfo", name);
	cleanup_free char *nr = str_fmt(NODE "/%s/hugepages/hugepages-1048576kB/nr_hugepages", name);
	cleanup_free char *unused = str_fmt(NODE "/%s/hugepages/hugepages-1048576kB/free_hugepages", name);
	fake_file(f, list, cpus);
	fake_file(f, info, "Node 0 MemTotal:       33554432 kB\nNode 0 MemFree:        20000000 kB\n");
	fake_file(f, nr, pages_1g);
	fake_file(f, unused, pages_1g);
}

static int setup(void **state)
{
	struct fake *f = fake_new();
	fake_file(f, "/proc/meminfo", "MemTotal:       67108864 kB\nMemFree: 1 kB\nMemAvailable:   41943040 kB\n");
	fake_file(f, "/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
	node(f, "node0", "0-7,16-23\n", "0\n");
	node(f, "node1", "8-15,24-31\n", "3\n");
	env.root = f->root;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static struct config config(const char *size, enum hugepages huge)
{
	struct config c = { .memory.hugepages = huge };
	assert_null(size_parse(size, &c.memory.size));
	return c;
}

static struct steps plan(struct fake *f, const struct config *c, const char *cpus, struct findings *findings)
{
	cleanup_memory_facts struct memory_facts facts = {};
	struct cpus guest;
	struct steps steps = {};
	assert_null(cpus_parse(cpus, &guest));
	assert_null(memory_facts_read(f->root, c, &facts));
	memory_steps(&steps, c, &facts, &guest);
	if (findings)
		memory_check(findings, c, &facts, &guest);
	return steps;
}

static void test_one_node(void **state)
{
	struct config c = config("16G", HUGEPAGES_1G);
	cleanup_steps struct steps steps = plan(*state, &c, "7-15,23-31", NULL); /* 7 and 23 are the other node's */
	assert_int_equal(steps.n, 2);
	cleanup_steps struct steps one = plan(*state, &c, "8-15,24-31", NULL);
	assert_int_equal(one.n, 1);
	assert_string_equal(one.v[0].target, PAGES "/nr_hugepages");
	assert_string_equal(one.v[0].want, "+13"); /* three are there and free */
	cleanup_free char *text = hugepages_kind.describe(&one.v[0]);
	assert_string_equal(text, "make 13 huge pages of 1G on node1");
	struct config small = config("3G", HUGEPAGES_1G);
	cleanup_steps struct steps none = plan(*state, &small, "8-15", NULL);
	assert_int_equal(none.n, 0);
}

static void test_two_nodes(void **state)
{
	struct config c = config("17G", HUGEPAGES_1G);
	cleanup_steps struct steps steps = plan(*state, &c, "0-15", NULL);
	assert_int_equal(steps.n, 2);
	assert_string_equal(steps.v[0].want, "+9");
	assert_string_equal(steps.v[1].want, "+5");
}

/* As many pages as there are CPUs of the guest, so that no vCPU fetches from afar what another does not need. */
static void test_split(void **state)
{
	static const struct {
		uint64_t size, page, shares[3];
		unsigned weights[3];
		size_t n;
	} cases[] = {
		{ 32, 1, { 16, 16 }, { 32, 32 }, 2 },	{ 30, 2, { 20, 10 }, { 8, 4 }, 2 },  { 7, 2, { 4, 3 }, { 1, 1 }, 2 },
		{ 8, 1, { 3, 3, 2 }, { 1, 1, 1 }, 3 },	{ 5, 1, { 5 }, { 4 }, 1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t got[3] = {};
		memory_split(cases[i].size, cases[i].page, cases[i].weights, cases[i].n, got);
		assert_memory_equal(got, cases[i].shares, sizeof(got));
	}
}

static void test_obstacles(void **state)
{
	cleanup_findings struct findings findings = {};
	struct config odd = config("1536M", HUGEPAGES_1G), no_2m = config("4G", HUGEPAGES_2M), huge = config("60G", HUGEPAGES_1G);
	cleanup_steps struct steps a = plan(*state, &odd, "0", NULL), b = plan(*state, &no_2m, "0", NULL),
				   d = plan(*state, &huge, "0", &findings);
	assert_string_equal(a.v[0].obstacle, "memory.size is no multiple of 1G");
	assert_string_equal(b.v[0].obstacle, "this host has no huge pages of 2M");
	assert_string_equal(d.v[0].obstacle, "node 0 has 32768 MiB of memory in all");
	assert_int_equal(findings_worst(&findings), FINDING_BAD);
}

static enum hugepages chosen(struct fake *f, const char *size, enum hugepages asked, const char *cpus, const char *why)
{
	struct config c = config(size, asked);
	cleanup_memory_facts struct memory_facts facts = {};
	cleanup_free char *said = NULL;
	struct cpus guest;
	assert_null(cpus_parse(cpus, &guest));
	assert_null(memory_facts_read(f->root, &c, &facts));
	enum hugepages pages = memory_pages_choose(&c, &facts, &guest, &said);
	assert_string_equal(said ? said : "", why);
	return pages;
}

static void test_auto(void **state)
{
	struct fake *f = *state;
	assert_int_equal(chosen(f, "3G", HUGEPAGES_AUTO, "8-15", ""), HUGEPAGES_1G); /* node 1 has three, and free */
	assert_int_equal(chosen(f, "4G", HUGEPAGES_AUTO, "8-15",
				"not 1G: free pages of 1G are missing: 1; not 2M: this host has no huge pages of 2M"),
			 HUGEPAGES_TRANSPARENT);
	fake_file(f, NODE "/node1/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
	fake_file(f, NODE "/node1/hugepages/hugepages-2048kB/free_hugepages", "0\n");
	assert_int_equal(chosen(f, "4G", HUGEPAGES_AUTO, "8-15", "not 1G: free pages of 1G are missing: 1"), HUGEPAGES_2M);
	assert_int_equal(chosen(f, "1536M", HUGEPAGES_AUTO, "8-15", "not 1G: memory.size is no multiple of 1G"), HUGEPAGES_2M);
	assert_int_equal(chosen(f, "31G", HUGEPAGES_2M, "8-15", ""), HUGEPAGES_2M); /* the user's word */
	fake_file(f, "/proc/meminfo", "MemTotal: 67108864 kB\nMemAvailable: 2097152 kB\nHugepagesize: 1048576 kB\n");
	assert_int_equal(chosen(f, "4G", HUGEPAGES_AUTO, "8-15", "not 1G: free pages of 1G are missing: 1; not 2M: 2048 MiB are available"),
			 HUGEPAGES_TRANSPARENT);
	assert_int_equal(chosen(f, "4G", HUGEPAGES_DEFAULT, "8-15", ""), HUGEPAGES_1G);
	fake_file(f, "/proc/meminfo", "MemTotal: 67108864 kB\nHugepagesize: 2048 kB\n");
	assert_int_equal(chosen(f, "4G", HUGEPAGES_DEFAULT, "8-15", ""), HUGEPAGES_2M);
}

static void test_no_huge_pages(void **state)
{
	cleanup_findings struct findings enough = {}, tight = {}, never = {};
	struct config c = config("16G", HUGEPAGES_TRANSPARENT), most = config("50G", HUGEPAGES_OFF), all = config("64G", HUGEPAGES_OFF);
	cleanup_steps struct steps a = plan(*state, &c, "0", &enough), b = plan(*state, &most, "0", &tight),
				   d = plan(*state, &all, "0", &never);
	assert_int_equal(a.n, 1);
	assert_ptr_equal(a.v[0].kind, &attr_kind);
	assert_string_equal(a.v[0].want, "madvise");
	assert_int_equal(b.n + d.n, 0);
	assert_int_equal(findings_worst(&enough), FINDING_OK);
	assert_int_equal(findings_worst(&tight), FINDING_WARN);
	assert_int_equal(findings_worst(&never), FINDING_BAD);
	/* with a passed device all of it is locked from the start */
	cleanup_findings struct findings locked = {}, fits = {};
	most.n_pci = c.n_pci = 1;
	cleanup_steps struct steps g = plan(*state, &most, "0", &locked), h = plan(*state, &c, "0", &fits);
	assert_int_equal(g.n + h.n, 1);
	assert_int_equal(findings_worst(&locked), FINDING_BAD);
	assert_int_equal(findings_worst(&fits), FINDING_OK);
}

static void test_kernel_without_nodes(void **state)
{
	struct fake *f = fake_new();
	(void)state;
	fake_host(f);
	struct config c = config("64M", HUGEPAGES_2M);
	cleanup_steps struct steps steps = plan(f, &c, "0", NULL);
	assert_int_equal(steps.n, 1);
	assert_string_equal(steps.v[0].target, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
	assert_string_equal(steps.v[0].want, "+30");
	fake_free(f);
}

static struct err *apply(struct step *s)
{
	TRY(s->kind->probe(&env, s, &s->prior));
	TRY(s->kind->apply(&env, s));
	return s->kind->verify(&env, s);
}

static void assert_pages(struct fake *f, const char *pages)
{
	cleanup_free char *now = fake_read(f, PAGES "/nr_hugepages");
	assert_string_equal(now, pages);
}

static void test_given_back_as_a_delta(void **state)
{
	struct fake *f = *state;
	struct config c = config("16G", HUGEPAGES_1G);
	cleanup_steps struct steps steps = plan(f, &c, "8", NULL);
	assert_null(apply(&steps.v[0]));
	assert_pages(f, "16");
	assert_null(root_write(f->root, PAGES "/nr_hugepages", "20")); /* another program's four */
	assert_int_equal(step_whose(&steps.v[0], "20"), STEP_WANTED);
	assert_null(hugepages_kind.undo(&env, &steps.v[0]));
	assert_pages(f, "7");
}

static void test_short_grant_is_released(void **state)
{
	struct fake *f = *state;
	struct config c = config("16G", HUGEPAGES_1G);
	cleanup_steps struct steps steps = plan(f, &c, "8", NULL);
	f->shared->huge_max = 12;
	cleanup_err struct err *e = apply(&steps.v[0]);
	assert_non_null(strstr(err_text(e), "granted 9 of 13"));
	assert_non_null(strstr(err_remedy(e), "hugepagesz=1G hugepages=13"));
	assert_pages(f, "3");
}

static void test_taken_by_another(void **state)
{
	struct fake *f = *state;
	struct config c = config("16G", HUGEPAGES_1G);
	cleanup_steps struct steps steps = plan(f, &c, "8", NULL);
	assert_null(apply(&steps.v[0]));
	fake_file(f, PAGES "/free_hugepages", "2\n");
	cleanup_err struct err *e = hugepages_kind.verify(&env, &steps.v[0]);
	assert_non_null(strstr(err_text(e), "only 2 of 13 are free"));
}

static void test_whose(void **state)
{
	(void)state;
	struct step s = { .kind = &hugepages_kind,
			  .prior = (char *)(uintptr_t) "3",
			  .want = (char *)(uintptr_t) "+13" };
	assert_int_equal(step_whose(&s, "3"), STEP_PRIOR);
	assert_int_equal(step_whose(&s, "16"), STEP_WANTED);
	assert_int_equal(step_whose(&s, "9"), STEP_BETWEEN); /* killed while the kernel was looking for more */
	assert_int_equal(step_whose(&s, "2"), STEP_FOREIGN);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_node),
		TEST(test_two_nodes),
		cmocka_unit_test(test_split),
		TEST(test_obstacles),
		TEST(test_auto),
		TEST(test_no_huge_pages),
		cmocka_unit_test(test_kernel_without_nodes),
		TEST(test_given_back_as_a_delta),
		TEST(test_short_grant_is_released),
		TEST(test_taken_by_another),
		cmocka_unit_test(test_whose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
