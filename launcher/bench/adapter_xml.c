/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_xml: benchmarks that write XML or HTML: Phoronix Test Suite, Unigine's, 3DMark. See adapter_part.h. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/bench/adapter_part.h"
#include "launcher/bench/records.h"
#include "launcher/import/xml_node.h"

static const char *text_of(struct node *n, const char *child)
{
	const struct node *c = n ? node_child(n, child) : NULL;
	return c ? c->text : "";
}

/*
 * "pts/openssl-3.1.0" with "Algorithm: RSA4096", its arguments and its unit as one word without blanks: one test may have several results,
 * which only the arguments (of two runs) or the unit (sign/s, verify/s) tell apart.
 */
static char *phoronix_name(const struct adapter_job *job, struct node *result)
{
	const char *id = text_of(result, "Identifier"), *dash = strrchr(id, '-'), *arguments = text_of(result, "Arguments"),
		   *unit = text_of(result, "Scale");
	cleanup_free char *short_id = str_ndup(id, dash ? (size_t)(dash - id) : strlen(id));
	cleanup_sb struct sb name = {};
	sb_addf(&name, "%s.%s", job->name, short_id);
	if (*text_of(result, "Description"))
		sb_addf(&name, ".%s", text_of(result, "Description"));
	if (*arguments)
		sb_addf(&name, "[%s]", arguments);
	if (*unit)
		sb_addf(&name, ".%s", unit);
	for (char *c = name.s; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	return sb_steal(&name);
}

static struct err *take_result(const struct adapter_job *job, struct node *result)
{
	struct node *entry = NULL, *data = node_child(result, "Data");
	for (size_t i = 0; data && i < data->n_children; i++) /* the last one: an older run under the same name comes before it */
		if (streq(data->children[i]->name, "Entry"))
			entry = data->children[i];
	const char *raw = text_of(entry, "RawString"), *value = text_of(entry, "Value"), *version = text_of(result, "AppVersion");
	cleanup_strv struct strv words = {};
	strv_split(&words, *raw ? raw : value, ":, ");
	json_t *values = json_array();
	for (size_t i = 0; i < words.n; i++) {
		char *end;
		double v = strtod(words.v[i], &end);
		if (end != words.v[i])
			json_array_append_new(values, json_real(v));
	}
	cleanup_free char *metric = phoronix_name(job, result);
	if (!json_array_size(values)) {
		json_decref(values);
		return err_new("%s failed: it has no value", metric);
	}
	if (*version) {
		cleanup_free char *key = str_fmt("%s version", text_of(result, "Identifier"));
		adapter_about(job, key, version);
	}
	return records_add_metric(job->metrics, metric, text_of(result, "Scale"),
				  streq(text_of(result, "Proportion"), "LIB") ? "less" : "more", values);
}

/* Its composite.xml: a <Result> for each test, with the value of every trial. */
struct err *adapter_phoronix(const struct adapter_job *job, const char *text)
{
	cleanup_node struct node *root = NULL;
	size_t found = 0;
	TRY(node_parse(text, strlen(text), false, &root));
	const char *client = text_of(node_child(root, "Generated"), "TestClient"), *slash = strrchr(client, '/');
	TRY(adapter_version(job, "Phoronix Test Suite", slash ? slash + 1 : client + strcspn(client, "0123456789"), 5, 10.99));
	for (size_t i = 0; i < root->n_children; i++) {
		if (!streq(root->children[i]->name, "Result"))
			continue;
		TRY(take_result(job, root->children[i]));
		found++;
	}
	return found ? NULL : err_new("no <Result> in its composite.xml");
}

/* What stands between tags; of a text that has none, itself. */
static char *without_tags(const char *html)
{
	cleanup_sb struct sb out = {};
	for (bool tag = false; *html; html++) {
		if (*html == '<')
			sb_addc(&out, ' ');
		tag = *html == '<' || (tag && *html != '>');
		if (!tag && *html != '>')
			sb_addc(&out, *html);
	}
	return out.s ? sb_steal(&out) : str_dup("");
}

/* Heaven, Valley and Superposition: the page (HTML) or the text of a result, with FPS, Score, Min FPS, Max FPS. */
struct err *adapter_unigine(const struct adapter_job *job, const char *text)
{
	static const struct {
		const char *name;
		double from, to;
	} known[] = { { "Heaven", 4, 4.99 }, { "Valley", 1, 1.99 }, { "Superposition", 1, 1.99 } };
	static const char *const labels[][4] = {
		{ "Min FPS:", "fps.min", "1/s" }, { "Max FPS:", "fps.max", "1/s" }, { "FPS:", "fps", "1/s" }, { "Score:", "score", "points" }
	};
	cleanup_free char *plain = without_tags(text);
	const char *title = NULL;
	double v;
	for (size_t i = 0; !title && i < ARRAY_SIZE(known); i++) {
		cleanup_free char *head = str_fmt("%s Benchmark ", known[i].name);
		title = strstr(plain, head);
		if (title)
			TRY(adapter_version(job, known[i].name, title + strlen(head) + (title[strlen(head)] == 'v'), known[i].from,
					    known[i].to));
	}
	if (!title)
		return err_new("neither Heaven, Valley nor Superposition, with a version, is in it");
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const char *at = strstr(plain, labels[i][0]);
		while (at && at > plain + 4 && streq(labels[i][0], "FPS:") &&
		       (strncmp(at - 4, "Min ", 4) == 0 || strncmp(at - 4, "Max ", 4) == 0))
			at = strstr(at + 1, labels[i][0]);
		if (at)
			at += strlen(labels[i][0]) + strspn(at + strlen(labels[i][0]), " \t\r\n");
		if (!at || !adapter_number(at, &v))
			return err_new("no \"%s\" with a number in it", labels[i][0]);
		TRY(adapter_add(job, labels[i][1], labels[i][2], "more", v));
	}
	return NULL;
}

/* Elements of the XML that 3DMarkCmd exports, and of Result.xml: TEST + what it is: "TimeSpyPerformanceGraphicsScore". */
static struct err *take_score(const struct adapter_job *job, const struct node *n, size_t *found)
{
	static const char *const tests[] = { "TimeSpy",	  "FireStrike", "PortRoyal", "SpeedWay",   "SteelNomad", "SolarBay",  "NightRaid",
					     "WildLife",  "CpuProfile", "SkyDiver",  "CloudGate", "IceStorm",	"ApiOverhead", "PciExpress" };
	bool known = false, score = str_ends(n->name, "Score") || strstr(n->name, "GraphicsTest") || strstr(n->name, "CpuSection") ||
			    strstr(n->name, "PhysicsTest") || strstr(n->name, "CombinedTest");
	double v;
	if (score && !n->n_children && adapter_number(n->text, &v) && v > 0) {
		for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
			known = known || str_starts(n->name, tests[i]);
		if (!known && strstr(n->name, "3DMarkScore"))
			return err_new("a test of 3DMark that is not known here: %s", n->name);
		if (known) {
			++*found;
			TRY(adapter_add(job, n->name, str_ends(n->name, "Score") ? "points" : "1/s", "more", v));
		}
	}
	for (size_t i = 0; i < n->n_children; i++)
		TRY(take_score(job, n->children[i], found));
	return NULL;
}

struct err *adapter_3dmark(const struct adapter_job *job, const char *text)
{
	static const char mark[] = "\xef\xbb\xbf";
	cleanup_node struct node *root = NULL;
	size_t found = 0;
	text = str_starts(text, mark) ? text + strlen(mark) : text;
	TRY(err_hint(node_parse(text, strlen(text), false, &root), "3DMarkCmd.exe --export=FILE.xml, or Result.xml of a .3dmark-result"));
	adapter_about(job, "tool", "3DMark");
	TRY(take_score(job, root, &found));
	return found ? NULL : err_new("no score of 3DMark in it");
}
