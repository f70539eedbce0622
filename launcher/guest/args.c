/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args: see args.h. */
#include <stdlib.h>
#include "launcher/guest/args.h"

static void take(struct args *a, const char *option, char *value, const char *why)
{
	a->v = mem_grow(a->v, a->n, sizeof(*a->v));
	a->v[a->n++] = (struct arg){ str_dup(option), value, str_dup(why) };
}

void args_add(struct args *a, const char *option, const char *value, const char *why)
{
	take(a, option, str_dup(value), why);
}

void args_json(struct args *a, const char *option, json_t *object, const char *why)
{
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text) /* an object that could not be built: a text that was not UTF-8, refused earlier by the configuration */
		abort();
	take(a, option, text, why);
}

static void add_doubled(struct sb *sb, const char *text)
{
	for (; *text; text++) {
		sb_addc(sb, *text);
		if (*text == ',')
			sb_addc(sb, ',');
	}
}

void args_opts(struct args *a, const char *option, const char *why, const char *head, ...)
{
	struct sb sb = {};
	sb_add(&sb, head);
	va_list ap;
	va_start(ap, head);
	for (const char *key; (key = va_arg(ap, const char *));) {
		const char *value = va_arg(ap, const char *);
		if (!value)
			continue;
		sb_addf(&sb, "%s%s=", sb.len ? "," : "", key);
		add_doubled(&sb, value);
	}
	va_end(ap);
	take(a, option, sb_steal(&sb), why);
}

void args_parts(struct args *a, const char *option, const struct strv *parts, const char *why)
{
	struct sb sb = {};
	for (size_t i = 0; i < parts->n; i++) {
		sb_add(&sb, i ? "," : "");
		add_doubled(&sb, parts->v[i]);
	}
	take(a, option, sb_steal(&sb), why);
}

void args_free(struct args *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].option);
		free(a->v[i].value);
		free(a->v[i].why);
	}
	free(a->v);
	*a = (struct args){};
}

void args_argv(const struct args *a, const char *binary, struct strv *ret_argv)
{
	struct strv argv = {};
	strv_add(&argv, binary);
	for (size_t i = 0; i < a->n; i++) {
		strv_add(&argv, a->v[i].option);
		if (a->v[i].value)
			strv_add(&argv, a->v[i].value);
	}
	*ret_argv = argv;
}
