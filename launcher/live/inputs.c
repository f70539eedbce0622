/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inputs: see inputs.h. */
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/sd.h"
#include "launcher/base/tr.h"
#include "launcher/guest/args_input.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/input/twin.h"
#include "launcher/live/inputs.h"
#include "launcher/plan/claims.h"

#define QMP_LIMIT_MS 10000

struct one {
	struct inputs *in;
	struct twin *twin; /* NULL: QEMU opens the device itself */
	bool there;        /* QEMU has it, or has been asked to take it */
	unsigned again;    /* how often a device without a twin came back */
	unsigned told;     /* of this one (input_device.number) it was said that it cannot be taken */
};

struct inputs {
	struct machine *m;
	struct one *v; /* as in the plan's facts */
	bool host;     /* let go by the escape chord */
	sd_device_monitor *monitor;
};

static struct input_facts *facts(const struct inputs *in)
{
	return &in->m->plan->inputs;
}

/* The step of that input; NULL where none is needed. */
static struct step *step_of(const struct inputs *in, size_t i)
{
	const struct input *input = &facts(in)->v[i];
	bool twin = input->conf->persistent;
	struct steps *steps = &in->m->plan->steps;
	for (size_t k = 0; k < steps->n; k++)
		if (steps->v[k].kind == (twin ? &twin_kind : &node_kind) &&
		    streq(steps->v[k].target, twin ? input->conf->device : input->evdev))
			return &steps->v[k];
	return NULL;
}

struct inputs *inputs_new(struct machine *m)
{
	const struct input_facts *f = &m->plan->inputs;
	if (!f->n)
		return NULL;
	struct inputs *in = mem_new(sizeof(*in));
	in->m = m;
	in->v = mem_new(f->n * sizeof(*in->v));
	for (size_t i = 0; i < f->n; i++) {
		const struct conf_input *conf = f->v[i].conf;
		struct step *s = step_of(in, i);
		in->v[i].in = in;
		in->v[i].there = f->v[i].device;
		if (!conf->persistent || !s)
			continue;
		in->v[i].twin = twin_new(m->cli->root, &f->v[i]);
		s->data = in->v[i].twin;
	}
	return in;
}

static void close_node(struct inputs *in, size_t i)
{
	struct undo_report report = {};
	struct step *s = step_of(in, i);
	if (in->v[i].twin)
		log_err(LOG_LEVEL_WARN, twin_close_node(in->v[i].twin));
	else if (s && s->state == STEP_DONE)
		engine_undo_one(&in->m->cli->env, s, &report);
}

void inputs_opened(struct inputs *in)
{
	for (size_t i = 0; in && i < facts(in)->n; i++)
		close_node(in, i);
}

static void on_chord(void *data)
{
	struct inputs *in = data;
	in->host = !in->host;
	log_info("%s: %s", in->m->name,
		 in->host ? _("keyboard and mouse are the host's now; Ctrl+Alt+Shift+Esc gives them back")
			  : _("keyboard and mouse are shared again"));
	for (size_t i = 0; i < facts(in)->n; i++)
		if (in->v[i].twin)
			twin_let_go(in->v[i].twin, in->host);
}

static void on_away(void *data, const char *name)
{
	struct inputs *in = data;
	cleanup_input_devices struct input_devices all = {};
	log_err(LOG_LEVEL_WARN, input_devices_read(in->m->cli->root, &all));
	for (size_t i = 0; i < facts(in)->n; i++)
		if (streq(facts(in)->v[i].conf->name, name))
			input_lost(&facts(in)->v[i], &all);
	log_info("%s: [input %s] is gone; its twin waits for it", in->m->name, name);
}

static struct err *watch_twin(struct inputs *in, size_t i)
{
	const struct twin_told told = { on_chord, on_away, in };
	struct twin *t = in->v[i].twin;
	if (!t || !twin_made(t))
		return NULL;
	struct err *e = twin_watch(t, in->m->event, &told);
	if (in->host)
		twin_let_go(t, true);
	return e;
}

static void added(void *data, json_t *value, struct err *e)
{
	struct one *one = data;
	struct inputs *in = one->in;
	size_t i = (size_t)(one - in->v);
	(void)value;
	close_node(in, i);
	if (!e)
		log_info("%s: [input %s] has come", in->m->name, facts(in)->v[i].conf->name);
	log_err(LOG_LEVEL_WARN, err_wrap(e, "%s: [input %s]", in->m->name, facts(in)->v[i].conf->name));
}

/* A device that was not there, at the start or since it was unplugged. */
static struct err *add(struct inputs *in, size_t i)
{
	struct machine *m = in->m;
	struct step *s = step_of(in, i);
	if (s)
		TRY(engine_apply_one(&m->engine, s));
	in->v[i].there = true;
	TRY(watch_twin(in, i));
	json_t *object = guest_input_object(facts(in), i);
	/* the old one stays in QEMU, which never opens a device again, and when told to forget a lost one closes a
	 * descriptor twice */
	if (in->v[i].again)
		json_object_set_new(object, "id", json_sprintf("input-%s-%u", facts(in)->v[i].conf->name, in->v[i].again));
	return qmp_send(m->qmp, "object-add", object, QMP_LIMIT_MS, added, &in->v[i]);
}

/* From here on the device is this machine's: its step's target and the claim are what it is called now. */
static struct err *meet(struct inputs *in, size_t i, const struct input_device *d)
{
	struct machine *m = in->m;
	struct step *s = step_of(in, i);
	cleanup_free char *base = journal_base();
	input_met(&facts(in)->v[i], d);
	if (s && !facts(in)->v[i].conf->persistent)
		str_set(&s->target, facts(in)->v[i].evdev);
	return claims_take(m->cli->root, base, m->journal, m->plan);
}

static struct err *take(struct inputs *in, size_t i, const struct input_device *d)
{
	TRY(meet(in, i, d));
	if (!in->v[i].there)
		return add(in, i);
	TRY(twin_return(in->v[i].twin));
	log_info("%s: [input %s] is back", in->m->name, facts(in)->v[i].conf->name);
	return NULL;
}

static bool is_missing(const struct one *one)
{
	return one->twin && twin_made(one->twin) ? twin_is_away(one->twin) : !one->there;
}

/* What is missing is looked for, under any number, in all devices or in the one that has come ("/dev/input/event7"): udev is done with that
 * one. */
static void look(struct inputs *in, const struct input_devices *all, const char *node)
{
	struct machine *m = in->m;
	for (size_t i = 0; i < facts(in)->n; i++) {
		struct one *one = &in->v[i];
		const struct input_device *d = is_missing(one) ? input_seek(m->cli->root, &facts(in)->v[i], all) : NULL;
		if (!d || (node && !streq(d->node, node)))
			continue;
		struct err *e = take(in, i, d);
		unsigned told = e ? d->number : 0;
		if (one->told != told || !told)
			log_err(LOG_LEVEL_WARN, err_wrap(e, "%s: [input %s]", m->name, facts(in)->v[i].conf->name));
		else
			err_free(e);
		one->told = told;
	}
}

/* A twin learns from its descriptor that the device is gone; of the others only udev tells, and another one may have the number by then. */
static void look_for_lost(struct inputs *in, const struct input_devices *all)
{
	for (size_t i = 0; i < facts(in)->n; i++) {
		struct input *input = &facts(in)->v[i];
		if (in->v[i].twin || !in->v[i].there || input_is_there(input, all))
			continue;
		input_lost(input, all);
		in->v[i].there = false;
		in->v[i].again++;
		log_info("%s: [input %s] is gone; it is taken when it comes back", in->m->name, input->conf->name);
	}
}

static int on_device(sd_device_monitor *monitor, sd_device *device, void *data)
{
	struct inputs *in = data;
	sd_device_action_t action;
	const char *name = NULL;
	cleanup_input_devices struct input_devices all = {};
	(void)monitor;
	if (sd_device_get_action(device, &action) < 0 || sd_device_get_sysname(device, &name) < 0 || !str_starts(name, "event"))
		return 0;
	struct err *e = input_devices_read(in->m->cli->root, &all);
	if (e) {
		log_err(LOG_LEVEL_WARN, e);
		return 0;
	}
	cleanup_free char *node = str_fmt("/dev/input/%s", name);
	look_for_lost(in, &all);
	if (action != SD_DEVICE_REMOVE)
		look(in, &all, node);
	return 0;
}

/* udev speaks when it has made the links by which devices are named; without udev there are none. */
static struct err *watch_devices(struct inputs *in)
{
	int r = sd_device_monitor_new(&in->monitor);
	if (r >= 0)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(in->monitor, "input", NULL);
	if (r >= 0)
		r = sd_device_monitor_attach_event(in->monitor, in->m->event);
	if (r >= 0)
		r = sd_device_monitor_start(in->monitor, on_device, in);
	return r < 0 ? err_errno(-r, "udev: devices that come are not seen") : NULL;
}

struct err *inputs_watch(struct inputs *in)
{
	if (!in)
		return NULL;
	cleanup_input_devices struct input_devices all = {};
	struct err *e = watch_devices(in);
	for (size_t i = 0; i < facts(in)->n; i++) /* one that fails keeps no other from being fed */
		log_err(LOG_LEVEL_WARN, err_wrap(watch_twin(in, i), "%s: [input %s]", in->m->name, facts(in)->v[i].conf->name));
	log_err(LOG_LEVEL_WARN, input_devices_read(in->m->cli->root, &all));
	look_for_lost(in, &all);
	look(in, &all, NULL); /* what came before we listened */
	return e;
}

void inputs_free(struct inputs *in)
{
	if (!in)
		return;
	sd_device_monitor_unref(in->monitor);
	for (size_t i = 0; i < facts(in)->n; i++)
		twin_free(in->v[i].twin);
	free(in->v);
	free(in);
}
