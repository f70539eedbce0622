/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter_frames: logs of frames → one model: frame times of a swap chain of a process of a program. PresentMon 1.x and 2.x and what is
 * made of it (FrameView, OCAT, CapFrameX's CSV with lines of //), CapFrameX's JSON, MangoHud (lines of the machine before the columns).
 * Afterburner's are no logs of frames but of what was seen now and then, and say so. See adapter_part.h.
 */
#include <math.h>
#include <stdlib.h>
#include "launcher/bench/adapter_part.h"
#include "launcher/bench/frames.h"
#include "launcher/bench/records.h"
#include "launcher/bench/stats.h"

#define HEADER_LINES 64     /* of a log: what says of what it is */
#define FRAME_MAX_MS 60000
#define MICROSECONDS 100000 /* fps times frame time is 1000 where that is in ms, a million where it is in us */

/* The field of a CSV line, of at most `size` bytes; quotes hold commas. */
static void csv_field(const char *line, size_t wanted, char *ret_field, size_t size)
{
	size_t at = 0, n = 0;
	bool quoted = false;
	for (; *line && *line != '\r' && *line != '\n'; line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (*line == ',' && !quoted)
			at++;
		else if (at == wanted && n + 1 < size)
			ret_field[n++] = *line;
	}
	while (n > 0 && ret_field[n - 1] == ' ')
		n--;
	ret_field[n] = '\0';
}

/* The column of that name in either case, as versions differ in it; -1 for none. */
static int csv_column(const char *header, const char *name)
{
	char field[64] = "?";
	for (int i = 0; i < 256 && field[0]; i++) {
		csv_field(header, (size_t)i, field, sizeof(field));
		if (strcasecmp(field + strspn(field, " "), name) == 0)
			return i;
	}
	return -1;
}

/* What presents the desktop, not a game. */
static bool is_desktop(const char *program)
{
	static const char *const names[] = { "dwm.exe",	    "explorer.exe",	    "dwm",	       "explorer",
					     "SearchHost.exe", "ShellExperienceHost.exe", "TextInputHost.exe", "StartMenuExperienceHost.exe" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(program, names[i]) == 0)
			return true;
	return false;
}

/* Columns of a log of frames; -1 for none. */
struct frame_columns {
	int time, program, process, chain, fps;
};

/* Frames of one swap chain. */
struct chain {
	char program[256], process[32], address[64];
	json_t *frames;
	double rate; /* the largest fps times frame time: MangoHud's unit */
};
struct chains {
	struct chain *v;
	size_t n;
};

static void chains_free(struct chains *c)
{
	for (size_t i = 0; i < c->n; i++)
		json_decref(c->v[i].frames);
	free(c->v);
}

static struct chain *chain_of(struct chains *all, const struct chain *like)
{
	for (size_t i = 0; i < all->n; i++)
		if (streq(all->v[i].program, like->program) && streq(all->v[i].process, like->process) &&
		    streq(all->v[i].address, like->address))
			return &all->v[i];
	if (all->n == 4096)
		return NULL;
	all->v = mem_grow(all->v, all->n, sizeof(*all->v));
	all->v[all->n] = *like;
	all->v[all->n].frames = json_array();
	return &all->v[all->n++];
}

static void take_frame(struct chains *all, const char *line, const struct frame_columns *c)
{
	struct chain like = {};
	char ms[64], fps[64] = "", *end;
	if (c->program >= 0)
		csv_field(line, (size_t)c->program, like.program, sizeof(like.program));
	if (c->process >= 0)
		csv_field(line, (size_t)c->process, like.process, sizeof(like.process));
	if (c->chain >= 0)
		csv_field(line, (size_t)c->chain, like.address, sizeof(like.address));
	if (c->fps >= 0)
		csv_field(line, (size_t)c->fps, fps, sizeof(fps));
	csv_field(line, (size_t)c->time, ms, sizeof(ms));
	double v = strtod(ms, &end), rate = v * strtod(fps, NULL);
	if (end == ms || !(v > 0) || !isfinite(v))
		return; /* "NA", the first frame's 0 */
	struct chain *chain = chain_of(all, &like);
	if (!chain)
		return;
	json_array_append_new(chain->frames, json_real(v));
	chain->rate = rate > chain->rate ? rate : chain->rate;
}

/* The program that is asked for, else one that is no desktop's; of those the chain with the most frames. NULL: none. */
static struct chain *choose(const struct chains *all, const char *program)
{
	struct chain *best = NULL;
	for (size_t i = 0; i < all->n; i++) {
		struct chain *c = &all->v[i];
		if (program && strcasecmp(c->program, program) != 0)
			continue;
		bool desktop = !program && is_desktop(c->program), best_desktop = best && !program && is_desktop(best->program);
		if (!best || (best_desktop && !desktop) ||
		    (best_desktop == desktop && json_array_size(c->frames) > json_array_size(best->frames)))
			best = c;
	}
	return best;
}

static struct err *no_frame(const struct chains *all, const char *program)
{
	cleanup_strv struct strv names = {};
	for (size_t i = 0; i < all->n && names.n < 8; i++)
		if (*all->v[i].program && !strv_has(&names, all->v[i].program))
			strv_add(&names, all->v[i].program);
	cleanup_free char *list = strv_join(&names, ", "), *shown = str_printable(list);
	if (!program || !names.n)
		return err_new(program ? "it does not say whose frames these are" : "no frame in it");
	return err_hint(err_new("no frame of %s in it", program), "there are: %s", shown);
}

static struct err *take_chain(const struct adapter_job *job, struct chain *c)
{
	json_t *frames = json_array(), *v;
	size_t i;
	double unit = c->rate > MICROSECONDS ? 1000 : 1;
	json_array_foreach (c->frames, i, v)
		if (json_number_value(v) / unit <= FRAME_MAX_MS)
			json_array_append_new(frames, json_real(json_number_value(v) / unit));
	adapter_about(job, "program", c->program);
	adapter_about(job, "process", c->process);
	adapter_about(job, "chain", c->address);
	if (json_array_size(frames))
		return frames_metrics(job->name, frames, job->metrics);
	json_decref(frames);
	return err_new("no frame in it");
}

/* The line that names a column of frame times is the header; those before it say of what they are. */
static struct err *parse_csv(const struct adapter_job *job, const char *text)
{
	static const char *const columns[] = { "MsBetweenPresents", "FrameTime" };
	cleanup_strv struct strv lines = {};
	cleanup(chains_free) struct chains all = {};
	struct frame_columns c = { -1, -1, -1, -1, -1 };
	size_t header = 0;
	strv_split(&lines, text, "\r\n");
	for (; header < lines.n && header < HEADER_LINES; header++) {
		for (size_t i = 0; c.time < 0 && i < ARRAY_SIZE(columns); i++)
			c.time = csv_column(lines.v[header], columns[i]);
		if (c.time >= 0)
			break;
	}
	if (c.time < 0) {
		cleanup_free char *first = str_printable(lines.n ? lines.v[0] : "");
		return err_new("no column MsBetweenPresents or FrameTime: not a log of frames that is known here: \"%.60s\"", first);
	}
	c.program = csv_column(lines.v[header], "Application");
	c.process = csv_column(lines.v[header], "ProcessID");
	c.chain = csv_column(lines.v[header], "SwapChainAddress");
	c.fps = csv_column(lines.v[header], "fps");
	for (size_t i = header + 1; i < lines.n; i++)
		take_frame(&all, lines.v[i], &c);
	struct chain *chosen = choose(&all, c.program >= 0 ? job->program : NULL);
	if (c.program < 0 && job->program && chosen)
		return no_frame(&all, job->program);
	return chosen ? take_chain(job, chosen) : no_frame(&all, job->program);
}

/* CapFrameX: {"Info": {"ProcessName", "AppVersion"}, "Runs": [{"CaptureData": {"MsBetweenPresents": [...]}}]}: all runs of the one
 * program. */
static struct err *capframex(const struct adapter_job *job, const json_t *o)
{
	const json_t *info = json_object_get(o, "Info"), *runs = json_object_get(o, "Runs"), *run, *ms;
	const char *program = json_string_value(json_object_get(info, "ProcessName")), *version = json_string_value(json_object_get(info, "AppVersion"));
	json_t *frames = json_array();
	size_t i, k;
	json_array_foreach ((json_t *)runs, i, run)
		json_array_foreach (json_object_get(json_object_get(run, "CaptureData"), "MsBetweenPresents"), k, ms) {
			double v = json_number_value(ms);
			if (v > 0 && v <= FRAME_MAX_MS)
				json_array_append_new(frames, json_real(v));
		}
	struct err *e = !json_array_size(frames) ? err_new("no Runs with CaptureData.MsBetweenPresents: no JSON of CapFrameX that is known here")
			: version ? adapter_version(job, "CapFrameX", version, 1, 1.99) : NULL;
	if (!e && job->program && (!program || strncasecmp(program, job->program, strlen(program)) != 0))
		e = err_hint(err_new("no frame of %s in it", job->program), "there are: %s", program ? program : "?");
	if (e) {
		json_decref(frames);
		return e;
	}
	adapter_about(job, "program", program ? program : "");
	return frames_metrics(job->name, frames, job->metrics);
}

static double middle_of(const json_t *values)
{
	size_t n = json_array_size(values);
	cleanup_free double *v = mem_new((n + 1) * sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = json_number_value(json_array_get(values, i));
	return stats_median(v, n);
}

/*
 * Afterburner's .hml: "00, time, Hardware monitoring log v1.6", "02, time, names…", "80, time, values…": a value each time it looks, not of
 * each frame: what it saw of the frame rate, and the lows that its own statistics have at last.
 */
static struct err *parse_hml(const struct adapter_job *job, const char *text)
{
	static const struct {
		const char *column, *metric, *unit, *better;
		bool last;
	} rows[] = {
		{ "Framerate", "fps.seen", "1/s", "more", false },
		{ "Frametime", "frame.seen", "ms", "less", false },
		{ "Framerate Avg", "fps.average", "1/s", "more", true },
		{ "Framerate Min", "fps.min", "1/s", "more", true },
		{ "Framerate 1% Low", "fps-low-1%.afterburner", "1/s", "more", true },
		{ "Framerate 0.1% Low", "fps-low-0.1%.afterburner", "1/s", "more", true },
	};
	cleanup_strv struct strv lines = {};
	json_t *seen[ARRAY_SIZE(rows)] = {};
	int at[ARRAY_SIZE(rows)];
	const char *version = strstr(text, "Hardware monitoring log v");
	TRY(adapter_version(job, "Afterburner's log", version + strlen("Hardware monitoring log v"), 1, 1.69));
	strv_split(&lines, text, "\r\n");
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		at[k] = -1;
		seen[k] = json_array();
	}
	for (size_t i = 0; i < lines.n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			char field[64];
			double v;
			if (str_starts(lines.v[i], "02,"))
				at[k] = csv_column(lines.v[i], rows[k].column);
			if (!str_starts(lines.v[i], "80,") || at[k] < 0)
				continue;
			csv_field(lines.v[i], (size_t)at[k], field, sizeof(field));
			if (adapter_number(field, &v) && v > 0)
				json_array_append_new(seen[k], json_real(v));
		}
	struct err *e = NULL;
	size_t found = 0;
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		size_t n = json_array_size(seen[k]);
		if (!e && n) {
			double v = rows[k].last ? json_number_value(json_array_get(seen[k], n - 1)) : middle_of(seen[k]);
			e = adapter_add(job, rows[k].metric, rows[k].unit, rows[k].better, v);
			found++;
		}
		json_decref(seen[k]);
	}
	return e || found ? e : err_hint(err_new("no Framerate in it"), "let Afterburner log Framerate and Frametime");
}

/*
 * The text of RivaTuner's benchmark, which each run appends to: "…, game.exe benchmark completed, 3424 frames rendered in 57.422 s", then
 * "Average framerate  :   59.6 FPS" and its lows. The last run counts, of the program where one is named.
 */
static struct err *parse_benchmark(const struct adapter_job *job, const char *text)
{
	static const struct adapter_row rows[] = {
		{ "Average framerate", "fps", "1/s", "more", false, true },
		{ "Minimum framerate", "fps.min", "1/s", "more", true, true },
		{ "Maximum framerate", "fps.max", "1/s", "more", true, true },
		{ "1% low framerate", "fps-low-1%.afterburner", "1/s", "more", true, true },
		{ "0.1% low framerate", "fps-low-0.1%.afterburner", "1/s", "more", true, true },
	};
	const char *last = NULL;
	cleanup_free char *program = NULL;
	for (const char *at = text; (at = strstr(at, " benchmark completed")); at++) {
		const char *begin = at;
		while (begin > text && begin[-1] != ' ' && begin[-1] != '\n')
			begin--;
		cleanup_free char *name = str_ndup(begin, (size_t)(at - begin));
		if (job->program && strcasecmp(name, job->program) != 0)
			continue;
		last = at;
		str_set(&program, name);
	}
	if (!last)
		return err_new("no benchmark of %s in it", job->program ? job->program : "anything");
	const char *next = strstr(last + 1, " benchmark completed");
	cleanup_free char *one = str_ndup(last, next ? (size_t)(next - last) : strlen(last));
	adapter_about(job, "program", program);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *label = str_fmt(" %s", rows[i].label);
		const char *at = strstr(one, label);
		double v;
		at = at ? strchr(at, ':') : NULL;
		if (at && adapter_number(at + 1, &v))
			TRY(adapter_add(job, rows[i].metric, rows[i].unit, rows[i].better, v));
		else if (!rows[i].may_lack)
			return err_new("no \"%s\" in it", rows[i].label);
	}
	return NULL;
}

struct err *adapter_frames(const struct adapter_job *job, const char *text)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8 */
	text = str_starts(text, mark) ? text + strlen(mark) : text;
	if (strstr(text, "Hardware monitoring log v"))
		return parse_hml(job, text);
	if (strstr(text, " benchmark completed"))
		return parse_benchmark(job, text);
	if (text[strspn(text, " \t\r\n")] != '{')
		return parse_csv(job, text);
	json_t *o = json_loads(text, 0, NULL);
	struct err *e = o ? capframex(job, o) : err_new("not JSON to its end");
	json_decref(o);
	return e;
}
