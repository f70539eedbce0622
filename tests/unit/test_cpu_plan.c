/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU planner on described machines: tests/golden/cpu/NAME.in says what is planned, NAME.out what came of it.
 * UPDATE=1 in the environment writes the .out files anew; read the difference before you commit it.
 *
 * A line of a .in file: HWLOC_…=VALUE (an .xml file stands beside it), or the lines of a made tree, which are written as the kernel's
 * files: "cores N cpu C step S sibling D package P node K l3 L size KIB [kind …] [mhz …]" (N cores from CPU C on, every S-th, with siblings
 * D above; l3 -1: none), "distances A,B;C,D", "offline CPUS", "isolated CPUS", "nohz_full CPUS", "partition NAME CPUS". Then "cpuinfo
 * VENDOR FLAG…", "gpu-node N", "taken CPUS", "avoid CPUS", and "plan KEY=VALUE; KEY=VALUE…" with keys of [cpu], which gives a paragraph of
 * the .out file.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/root.h"
#include "launcher/host/cpu/cpu_plan.h"
#include "tests/unit/tempdir.h"

#define GOLDEN "tests/golden/cpu"

struct machine {
	struct root *files; /* the repository */
	char dir[32];       /* the machine's root, with a /proc */
	void *temp;         /* of a golden case: it has files of its own */
	struct made {
		struct cpus cpus;
		int package, node, l3, size, mhz;
		char kind[16];
	} * made; /* cores of a made tree */
	size_t n_made;
	struct cpus offline;
	struct root *root;
	struct cpu_facts facts;
	struct cpus taken, avoid;
	int gpu_node;
	struct sb out;
};

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

/* Writes a file and its directories; frees the path. */
static void put(struct root *r, char *path, const char *text)
{
	cleanup_free char *dir = str_ndup(path, (size_t)(strrchr(path, '/') - path)), *mine = path;
	ok(root_mkdirs(r, dir, 0755));
	ok(root_put(r, mine, text, 0644));
}

static void make_root(struct machine *m)
{
	strcpy(m->dir, "/tmp/qlaunch-cpu-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	ok(root_open(m->dir, &m->root));
	ok(root_mkdirs(m->root, "/proc", 0755));
}

static void drop_root(struct machine *m)
{
	err_free(root_unlink(m->root, "/proc/cpuinfo"));
	err_free(root_rmdir(m->root, "/proc"));
	rmdir(m->dir);
	root_close(m->root);
}

static void put_cpuinfo(struct machine *m, char *words)
{
	char *flags = words + strcspn(words, " ");
	flags += *flags ? (*flags = '\0', 1) : 0;
	cleanup_free char *text =
		str_fmt("processor\t: 0\nvendor_id\t: %s\nmodel name\t: a processor\nflags\t\t: %s\n\nprocessor\t: 1\n", words, flags);
	ok(root_put(m->root, "/proc/cpuinfo", text, 0644));
}

static void describe(struct machine *m)
{
	const struct cpu_facts *f = &m->facts;
	ok(cpu_facts_read(m->root, &m->facts));
	assert_true(f->foreign || m->n_made);
	for (size_t i = 0; i < f->n_l3s; i++) {
		cleanup_free char *cpus = cpus_format(&f->l3s[i].cpus), *size = size_format(f->l3s[i].size);
		sb_addf(&m->out, "%s %d: %s, node %d, CPUs %s\n", f->l3s[i].cache ? "L3" : "package", f->l3s[i].number, size,
			f->l3s[i].node, cpus);
	}
	for (int kind = CPU_P; kind < CPU_KINDS; kind++) {
		struct cpus of_kind = {};
		for (size_t i = 0; i < f->n_cores; i++)
			for (int k = 0; f->cores[i].kind == (enum cpu_kind)kind && k < f->cores[i].n_cpus; k++)
				cpus_add(&of_kind, f->cores[i].cpus[k]);
		cleanup_free char *cpus = cpus_format(&of_kind);
		if (*cpus && !cpus_equal(&of_kind, &f->online))
			sb_addf(&m->out, "%s: %s\n", cpu_kind_word(f, kind), cpus);
	}
}

static void tell_cpus(struct machine *m, const char *what, const struct cpus *cpus)
{
	cleanup_free char *list = cpus_format(cpus);
	sb_addf(&m->out, "  %-9s %s\n", what, list);
}

/* What holds for every plan, whatever the golden file says. */
static void judge(const struct machine *m, const struct config *c, const struct cpu_plan *p)
{
	assert_true(p->n_vcpus == c->cpu.threads || !c->cpu.threads);
	assert_true(c->cpu.threads || c->cpu.place != PLACE_AUTO || !p->obstacle || cpus_count(&m->facts.online) < 2);
	assert_int_equal(p->sockets * p->dies * p->cores * p->threads, p->n_vcpus);
	assert_true(cpus_subset(&p->all, &m->facts.online));
	assert_true(cpus_subset(&p->guest, &p->all) && cpus_subset(&p->emulator, &p->all));
	assert_false(cpus_empty(&p->emulator));
	assert_false(cpus_empty(&p->host));
	for (unsigned i = 0; i < p->n_vcpus; i++)
		assert_true(cpus_has(&p->guest, p->vcpus[i]));
	struct cpus shared = cpus_and(&p->all, &p->host);
	assert_true(p->obstacle || c->cpu.isolate == ISOLATE_OFF || cpus_empty(&shared));
	shared = cpus_and(&p->all, &m->taken);
	assert_true(cpus_empty(&shared));
	shared = cpus_and(&p->all, &m->avoid);
	assert_true(cpus_empty(&shared) || cpus_empty(&p->left));
	shared = cpus_and(&p->left, &p->host);
	assert_true(cpus_equal(&shared, &p->left)); /* the host's, as they were */
	assert_true(p->exclusive || p->overcommitted || p->obstacle || p->warnings.n);
	assert_int_equal(p->exclusive && cpus_count(&p->guest) != (int)p->n_vcpus, false);
}

/* A number that a remedy names is one that would do, and a good one. */
static void take_the_advice(const struct machine *m, const struct config *c, const struct cpu_plan *p)
{
	const char *at = p->remedy ? strstr(p->remedy, "threads = ") : NULL;
	if (!at)
		return;
	struct config other = *c;
	cleanup_cpu_plan struct cpu_plan q = {};
	other.cpu.threads = (unsigned)atoi(at + strlen("threads = "));
	cpu_plan_make(&other, &m->facts, m->gpu_node, &m->taken, &m->avoid, &q);
	if (q.obstacle && strncmp(q.obstacle + strcspn(q.obstacle, ":"), ": place", 7) != 0 && !strstr(q.obstacle, "emulator:"))
		fail_msg("%s, but: %s", p->remedy, q.obstacle);
}

static void plan(struct machine *m, char *words)
{
	struct strv sets = {}, keys = {};
	struct conf_errors errors = {};
	cleanup_cpu_plan struct cpu_plan p = {};
	sb_addf(&m->out, "\n%s\n", words);
	strv_split(&keys, words, ";");
	for (size_t i = 0; i < keys.n; i++)
		strv_addf(&sets, "cpu.%s", str_trim(keys.v[i]));
	cleanup_config struct config *c = config_parse("[vm]\nname = test\n[disk a]\npath = /a\n", "test.conf", NULL, &sets, &errors);
	if (!c) {
		fail_msg("%s", errors.lines.v[0]);
		return;
	}
	cpu_plan_make(c, &m->facts, m->gpu_node, &m->taken, &m->avoid, &p);
	judge(m, c, &p);
	take_the_advice(m, c, &p);
	sb_add(&m->out, "  vcpus     ");
	for (unsigned i = 0; i < p.n_vcpus; i++)
		sb_addf(&m->out, "%s%d", i ? "," : "", p.vcpus[i]);
	sb_addf(&m->out, "\n  smp       %u,sockets=%u,dies=%u,cores=%u,threads=%u\n", p.n_vcpus, p.sockets, p.dies, p.cores, p.threads);
	tell_cpus(m, "emulator", &p.emulator);
	tell_cpus(m, "host", &p.host);
	if (!cpus_empty(&p.left))
		tell_cpus(m, "left", &p.left);
	for (size_t i = 0; i < p.n_nodes; i++)
		sb_addf(&m->out, "  node %d    %u vCPUs, distance %u of node %d\n", p.nodes[i].id, p.nodes[i].vcpus, p.nodes[i].distance[0],
			p.nodes[0].id);
	sb_addf(&m->out, "  node %d%s%s%s\n  why       %s\n", p.numa_node, p.exclusive ? ", exclusive" : "",
		p.smt_true ? ", siblings true" : "", p.overcommitted ? ", overcommitted" : "", p.why);
	for (size_t i = 0; i < p.warnings.n; i++)
		sb_addf(&m->out, "  warning   %s\n", p.warnings.v[i]);
	if (p.obstacle)
		sb_addf(&m->out, "  obstacle  %s\n  remedy    %s\n", p.obstacle, p.remedy);
	strv_free(&sets);
	strv_free(&keys);
	strv_free(&errors.lines);
}

/* ---- made trees ---- */

static void add_made(struct machine *m, char *rest)
{
	struct strv w = {};
	int n, cpu = 0, step = 1, sibling = 0;
	struct made core = { .l3 = -1 };
	strv_split(&w, rest, " ");
	n = atoi(w.v[0]);
	for (size_t i = 1; i + 1 < w.n; i += 2) {
		const struct {
			const char *name;
			int *at;
		} keys[] = { { "cpu", &cpu },        { "step", &step },  { "sibling", &sibling }, { "package", &core.package },
			     { "node", &core.node }, { "l3", &core.l3 }, { "size", &core.size },  { "mhz", &core.mhz } };
		if (streq(w.v[i], "kind"))
			snprintf(core.kind, sizeof(core.kind), "%s", w.v[i + 1]);
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			if (streq(w.v[i], keys[k].name))
				*keys[k].at = atoi(w.v[i + 1]);
	}
	for (int i = 0; i < n; i++) {
		m->made = mem_grow(m->made, m->n_made, sizeof(*m->made));
		core.cpus = (struct cpus){};
		cpus_add(&core.cpus, cpu + i * step);
		if (sibling)
			cpus_add(&core.cpus, cpu + i * step + sibling);
		m->made[m->n_made++] = core;
	}
	strv_free(&w);
}

/* Of all made cores that match: what = 'l' the L3, 'n' the node, 'k' the kind. */
static struct cpus of_made(const struct machine *m, char what, const struct made *like)
{
	struct cpus set = {};
	for (size_t i = 0; i < m->n_made; i++) {
		const struct made *x = &m->made[i];
		if (what == 'l'   ? x->l3 == like->l3 && x->package == like->package
		    : what == 'n' ? x->node == like->node
				  : streq(x->kind, like->kind))
			set = cpus_or(&set, &x->cpus);
	}
	return cpus_minus(&set, &m->offline);
}

static void put_set(struct machine *m, char *path, struct cpus set, bool mask)
{
	cleanup_free char *text = mask ? cpus_format_mask(&set) : cpus_format(&set);
	put(m->root, path, text);
}

static void put_made_cpu(struct machine *m, const struct made *core, int cpu)
{
	cleanup_free char *dir = str_fmt("/sys/devices/system/cpu/cpu%d", cpu), *package = str_fmt("%d", core->package),
			  *size = str_fmt("%dK", core->size), *khz = str_fmt("%d000", core->mhz);
	put_set(m, str_fmt("%s/topology/core_cpus", dir), cpus_minus(&core->cpus, &m->offline), true);
	put(m->root, str_fmt("%s/topology/physical_package_id", dir), package);
	if (core->mhz)
		put(m->root, str_fmt("%s/cpufreq/cpuinfo_max_freq", dir), khz);
	if (core->l3 < 0)
		return;
	put(m->root, str_fmt("%s/cache/index3/level", dir), "3");
	put(m->root, str_fmt("%s/cache/index3/type", dir), "Unified");
	put(m->root, str_fmt("%s/cache/index3/size", dir), size);
	put_set(m, str_fmt("%s/cache/index3/shared_cpu_map", dir), of_made(m, 'l', core), true);
}

static void write_made(struct machine *m)
{
	struct cpus online = {}, nodes = {};
	for (size_t i = 0; i < m->n_made; i++) {
		const struct made *core = &m->made[i];
		struct cpus cpus = cpus_minus(&core->cpus, &m->offline);
		online = cpus_or(&online, &cpus);
		cpus_add(&nodes, core->node);
		for (int cpu = cpus_next(&cpus, -1); cpu >= 0; cpu = cpus_next(&cpus, cpu))
			put_made_cpu(m, core, cpu);
		put_set(m, str_fmt("/sys/devices/system/node/node%d/cpulist", core->node), of_made(m, 'n', core), false);
		if (*core->kind)
			put_set(m, str_fmt("/sys/devices/cpu_%s/cpus", core->kind), of_made(m, 'k', core), false);
	}
	put_set(m, str_dup("/sys/devices/system/cpu/online"), online, false);
	put_set(m, str_dup("/sys/devices/system/node/online"), nodes, false);
}

static void put_distances(struct machine *m, char *rest)
{
	struct strv rows = {};
	strv_split(&rows, rest, ";");
	for (size_t i = 0; i < rows.n; i++) {
		for (char *comma; (comma = strchr(rows.v[i], ','));)
			*comma = ' ';
		put(m->root, str_fmt("/sys/devices/system/node/node%zu/distance", i), rows.v[i]);
	}
	strv_free(&rows);
}

static bool obey_made(struct machine *m, const char *line, char *rest)
{
	if (str_starts(line, "cores "))
		add_made(m, rest);
	else if (str_starts(line, "distances "))
		put_distances(m, rest);
	else if (str_starts(line, "offline "))
		ok(cpus_parse(rest, &m->offline));
	else if (str_starts(line, "isolated ") || str_starts(line, "nohz_full "))
		put(m->root, str_fmt("/sys/devices/system/cpu/%.*s", (int)strcspn(line, " "), line), rest);
	else if (str_starts(line, "partition ")) {
		char *cpus = rest + strcspn(rest, " ");
		*cpus++ = '\0';
		struct cpus of = {}, all = {};
		for (size_t i = 0; i < m->n_made; i++)
			all = cpus_or(&all, &m->made[i].cpus);
		ok(cpus_parse(cpus, &of));
		put_set(m, str_dup("/sys/fs/cgroup/cpuset.cpus.effective"), cpus_minus(&all, &of), false);
		put(m->root, str_fmt("/sys/fs/cgroup/%s/cpuset.cpus.partition", rest), "isolated");
		put(m->root, str_fmt("/sys/fs/cgroup/%s/cpuset.cpus", rest), cpus);
	} else {
		return false;
	}
	return true;
}

static void obey(struct machine *m, char *line)
{
	char *rest = line + strcspn(line, " =");
	rest += *rest != '\0';
	if (!*line || *line == '#') {
		sb_addf(&m->out, "%s\n", line);
	} else if (str_starts(line, "HWLOC_")) {
		rest[-1] = '\0';
		cleanup_free char *value = str_fmt(streq(line, "HWLOC_XMLFILE") ? GOLDEN "/%s" : "%s", rest);
		setenv(line, value, 1);
	} else if (obey_made(m, line, rest)) {
	} else if (str_starts(line, "cpuinfo ")) {
		if (m->n_made)
			write_made(m);
		put_cpuinfo(m, rest);
		describe(m);
	} else if (str_starts(line, "gpu-node ")) {
		m->gpu_node = atoi(rest);
		sb_addf(&m->out, "\n%s\n", line);
	} else if (str_starts(line, "taken ")) {
		ok(cpus_parse(rest, &m->taken));
		sb_addf(&m->out, "\n%s\n", line);
	} else if (str_starts(line, "avoid ")) {
		ok(cpus_parse(rest, &m->avoid));
		sb_addf(&m->out, "\n%s\n", line);
	} else if (str_starts(line, "plan ")) {
		plan(m, rest);
	} else {
		fail_msg("what is \"%s\"?", line);
	}
}

static void golden(void **state)
{
	const char *name = *state;
	struct machine m = { .gpu_node = -1 };
	struct strv lines = {};
	cleanup_free char *in = NULL, *in_path = str_fmt("/" GOLDEN "/%s.in", name), *out_path = str_fmt("/" GOLDEN "/%s.out", name);
	ok(root_open(".", &m.files));
	ok(root_read(m.files, in_path, &in));
	assert_int_equal(tempdir_setup(&m.temp), 0);
	m.root = tempdir_root(m.temp);
	ok(root_mkdirs(m.root, "/proc", 0755));
	strv_split(&lines, in, "\n");
	for (size_t i = 0; i < lines.n; i++)
		obey(&m, lines.v[i]);
	unsetenv("HWLOC_SYNTHETIC");
	unsetenv("HWLOC_XMLFILE");
	cleanup_free char *got = sb_steal(&m.out);
	if (getenv("UPDATE"))
		ok(root_put(m.files, out_path, got, 0644));
	cleanup_free char *want = root_read_or(m.files, out_path, "");
	got[strlen(got) - 1] = '\0'; /* root_read takes the last newline off */
	assert_string_equal(got, want);
	strv_free(&lines);
	cpu_facts_free(&m.facts);
	free(m.made);
	tempdir_teardown(&m.temp);
	root_close(m.files);
}

/* The one that scripts rely on, said here and not in a file that an update would change. */
static void ryzen_5950x(void **state)
{
	static const int vcpus[] = { 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
	struct machine m = {};
	cleanup_cpu_plan struct cpu_plan p = {};
	struct config c = { .cpu = { .threads = 16, .emulator_auto = true, .isolate = ISOLATE_PARTITION } };
	(void)state;
	make_root(&m);
	setenv("HWLOC_SYNTHETIC", "pack:1 l3:2 core:8 pu:2(indexes=2*16:1*2)", 1);
	ok(cpu_facts_read(m.root, &m.facts));
	unsetenv("HWLOC_SYNTHETIC");
	cpu_plan_make(&c, &m.facts, -1, NULL, NULL, &p);
	assert_int_equal(p.n_vcpus, 16);
	assert_memory_equal(p.vcpus, vcpus, sizeof(vcpus));
	assert_true(p.sockets == 1 && p.dies == 1 && p.cores == 8 && p.threads == 2);
	cleanup_free char *host = cpus_format(&p.host), *emulator = cpus_format(&p.emulator);
	assert_string_equal(host, "0-6,16-22");
	assert_string_equal(emulator, "7,23");
	assert_true(p.exclusive && p.smt_true && !p.obstacle && !p.warnings.n);
	cpu_facts_free(&m.facts);
	drop_root(&m);
}

/* One thread of each core: the guest's CPUs are whole cores without the threads that go, and so are the host's. */
static void without_smt(void **state)
{
	static const int vcpus[] = { 8, 9, 10, 11, 12, 13, 14, 15 };
	struct machine m = {};
	cleanup_cpu_plan struct cpu_plan p = {};
	struct config c = { .cpu = { .threads = 8, .emulator_auto = true, .isolate = ISOLATE_PARTITION } };
	(void)state;
	make_root(&m);
	setenv("HWLOC_SYNTHETIC", "pack:1 l3:2 core:8 pu:2(indexes=2*16:1*2)", 1);
	ok(cpu_facts_read(m.root, &m.facts));
	unsetenv("HWLOC_SYNTHETIC");
	cpu_facts_single(&m.facts);
	assert_int_equal(cpus_count(&m.facts.online), 16);
	cpu_plan_make(&c, &m.facts, -1, NULL, NULL, &p);
	assert_int_equal(p.n_vcpus, 8);
	assert_memory_equal(p.vcpus, vcpus, sizeof(vcpus));
	assert_true(p.cores == 8 && p.threads == 1 && !p.obstacle);
	struct cpus all = cpus_or(&p.all, &p.host);
	assert_true(cpus_equal(&all, &m.facts.online));
	cpu_facts_free(&m.facts);
	drop_root(&m);
}

static void bad_description(void **state)
{
	static const char *const vars[][2] = { { "HWLOC_XMLFILE", "/nowhere/at/all.xml" },
					       { "HWLOC_XMLFILE", "/dev/null" },
					       { "HWLOC_SYNTHETIC", "pack:two" } };
	struct machine m = {};
	(void)state;
	make_root(&m);
	for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
		setenv(vars[i][0], vars[i][1], 1);
		cleanup_err struct err *e = cpu_facts_read(m.root, &m.facts);
		unsetenv(vars[i][0]);
		assert_non_null(e);
		assert_non_null(strstr(err_text(e), vars[i][1]));
		assert_null(m.facts.cores);
	}
	drop_root(&m);
}

/* A captured tree: a P core with two CPUs, two E cores, one L3. */
static void captured(void **state)
{
	static const struct {
		const char *name, *core, *siblings;
	} cpus[] = { { "cpu0", "0", "3" }, { "cpu1", "0", "3" }, { "cpu2", "1", "4" }, { "cpu3", "2", "8" } };
	struct root *r = tempdir_root(*state);
	cleanup_cpu_facts struct cpu_facts f = {};
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		const char *files[][2] = {
			{ "topology/core_id", cpus[i].core },	 { "topology/core_cpus", cpus[i].siblings },
			{ "topology/physical_package_id", "0" }, { "topology/package_cpus", "f" },
			{ "cache/index3/level", "3" },		 { "cache/index3/type", "Unified" },
			{ "cache/index3/size", "8192K" },	 { "cache/index3/shared_cpu_map", "f" }
		};
		for (size_t j = 0; j < ARRAY_SIZE(files); j++)
			put(r, str_fmt("/sys/devices/system/cpu/%s/%s", cpus[i].name, files[j][0]), files[j][1]);
	}
	put(r, str_dup("/sys/devices/system/cpu/online"), "0-3");
	put(r, str_dup("/sys/devices/cpu_core/cpus"), "0-1");
	put(r, str_dup("/sys/devices/cpu_atom/cpus"), "2-3");
	put(r, str_dup("/proc/cpuinfo"), "vendor_id\t: GenuineIntel\nvmx flags\t: x\nflags\t\t: fpu vmx\n");
	put(r, str_dup("/proc/sys/kernel/osrelease"), "6.1.0");
	ok(cpu_facts_read(r, &f));
	assert_false(f.foreign);
	assert_int_equal(f.n_cores, 3);
	assert_true(f.cores[0].n_cpus == 2 && f.cores[0].kind == CPU_P && f.cores[1].kind == CPU_E && f.cores[2].kind == CPU_E);
	assert_true(f.n_l3s == 1 && f.l3s[0].cache && f.l3s[0].size == 8 << 20);
	assert_true(f.vendor == CPU_INTEL && cpu_has(&f, "vmx") && !f.avic);
	assert_string_equal(f.kernel, "6.1.0");
	assert_non_null(strstr(f.kvm_problem, "/dev/kvm"));
	assert_string_equal(f.kvm_remedy, "modprobe kvm_intel");
	assert_null(getenv("HWLOC_FSROOT"));
	cpu_facts_free(&f);
	put(r, str_dup("/dev/kvm"), "");
	put(r, str_dup("/sys/module/kvm_intel/parameters/enable_apicv"), "Y");
	ok(cpu_facts_read(r, &f));
	assert_true(!f.kvm_problem && f.avic);
}

/* This machine, as the kernel describes it. */
static void this_host(void **state)
{
	struct root *root;
	cleanup_cpu_facts struct cpu_facts f = {};
	struct cpus seen = {};
	(void)state;
	ok(root_open("/", &root));
	ok(cpu_facts_read(root, &f));
	cleanup_free char *text = root_read_or(root, "/sys/devices/system/cpu/online", ""), *online = cpus_format(&f.online);
	assert_string_equal(online, text);
	assert_false(f.foreign);
	for (size_t i = 0; i < f.n_cores; i++)
		for (int j = 0; j < f.cores[i].n_cpus; j++)
			cpus_add(&seen, f.cores[i].cpus[j]);
	assert_true(cpus_equal(&seen, &f.online));
	assert_true(cpu_has(&f, "fpu") && f.model && f.kernel);
	assert_int_equal(!f.kvm_problem, !f.kvm_remedy);
	root_close(root);
}

int main(void)
{
	glob_t found;
	const struct CMUnitTest fixed[] = { cmocka_unit_test(ryzen_5950x), cmocka_unit_test(without_smt), cmocka_unit_test(bad_description),
					    cmocka_unit_test_setup_teardown(captured, tempdir_setup, tempdir_teardown),
					    cmocka_unit_test(this_host) };
	if (glob(GOLDEN "/*.in", 0, NULL, &found) != 0 || found.gl_pathc < 8)
		return 1;
	int bad = cmocka_run_group_tests_name("cpu", fixed, NULL, NULL);
	struct CMUnitTest *tests = mem_new(found.gl_pathc * sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *name = strrchr(found.gl_pathv[i], '/') + 1;
		*strrchr(name, '.') = '\0';
		tests[i] = (struct CMUnitTest){ .name = name, .test_func = golden, .initial_state = name };
	}
	bad += _cmocka_run_group_tests("cpu plans", tests, found.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&found);
	return bad;
}
