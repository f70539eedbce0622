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

/* A JSON device as an option string, NULL where it has a list: option strings have none. Owned. */
static char *as_options(const json_t *device)
{
	struct sb sb = {};
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)device, key, value)
		if (json_is_array(value) || json_is_object(value))
			return NULL;
	sb_add(&sb, json_string_value(json_object_get(device, "driver")));
	json_object_foreach ((json_t *)device, key, value) {
		if (streq(key, "driver"))
			continue;
		sb_addf(&sb, ",%s=", key);
		if (json_is_string(value))
			add_doubled(&sb, json_string_value(value));
		else if (json_is_boolean(value))
			sb_add(&sb, json_is_true(value) ? "on" : "off");
		else
			sb_addf(&sb, "%lld", (long long)json_integer_value(value));
	}
	return sb_steal(&sb);
}

/* QEMU's own reading of a property, whose type only it knows, is that of option strings. Of several I/O threads for a disk's queues the first
 * one serves all of them then. */
static void set_property(struct arg *arg, json_t *device, const char *property, const char *text)
{
	json_t *first = json_object_get(json_array_get(json_object_get(device, "iothread-vq-mapping"), 0), "iothread");
	if (first) {
		json_object_set(device, "iothread", first);
		json_object_del(device, "iothread-vq-mapping");
	}
	json_object_set_new(device, property, json_string(text));
	free(arg->value);
	arg->value = as_options(device);
}

/*
 * QEMU makes all devices of option strings before the first one of JSON (softmmu/vl.c, qemu_create_cli_devices): where there is one of them,
 * by a set or among the user's own arguments, those that it may stand on (a port, a controller) have to be option strings, too.
 */
static void keep_order(struct args *a)
{
	bool flat = false;
	for (size_t i = 0; i < a->n; i++) {
		const char *device = a->v[i].value ? a->v[i].value : i + 1 < a->n ? a->v[i + 1].option : "{";
		flat = flat || (streq(a->v[i].option, "-device") && *device != '{');
	}
	for (size_t i = 0; flat && i < a->n; i++) {
		struct arg *arg = &a->v[i];
		json_t *device = streq(arg->option, "-device") && arg->value ? json_loads(arg->value, 0, NULL) : NULL;
		char *options = device ? as_options(device) : NULL;
		if (options) {
			free(arg->value);
			arg->value = options;
		}
		json_decref(device);
	}
}

/* A device that was made an option string by an earlier set has its id there: properties are added at its end, and the last one holds. */
static bool set_on(struct arg *arg, const char *set)
{
	json_t *device = streq(arg->option, "-device") && arg->value ? json_loads(arg->value, 0, NULL) : NULL;
	const char *id = json_string_value(json_object_get(device, "id")), *flat = arg->value ? strstr(arg->value, ",id=") : NULL;
	cleanup_free char *own = id                                      ? str_dup(id)
				 : flat && streq(arg->option, "-device") ? str_ndup(flat + 4, strcspn(flat + 4, ","))
									 : NULL;
	size_t n = own ? strlen(own) : streq(arg->option, "-machine") ? strlen("machine") : 0;
	bool mine = n && strncmp(set, own ? own : "machine", n) == 0 && set[n] == '.' && strchr(set + n, '=');
	if (mine) {
		cleanup_free char *property = str_ndup(set + n + 1, strcspn(set + n + 1, "="));
		const char *value = strchr(set + n, '=') + 1;
		if (device) {
			set_property(arg, device, property, value);
		} else {
			struct sb sb = {};
			sb_addf(&sb, "%s,%s=", arg->value, property);
			add_doubled(&sb, value);
			free(arg->value);
			arg->value = sb_steal(&sb);
		}
	}
	json_decref(device);
	return mine;
}

void args_set(struct args *a, const struct strv *sets)
{
	for (size_t i = 0; i < sets->n; i++) {
		const char *set = sets->v[i];
		bool found = false;
		for (size_t k = 0; k < a->n; k++)
			found = set_on(&a->v[k], set) || found;
		if (found)
			continue;
		size_t driver = strcspn(set, "."), property = strcspn(set + driver, "=");
		cleanup_free char *name = str_ndup(set, driver), *what = property ? str_ndup(set + driver + 1, property - 1) : str_dup("");
		args_opts(a, "-global", "as [qemu] says", "", "driver", name, "property", what, "value", set + driver + property + 1, NULL);
	}
	keep_order(a);
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
