/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input: steps, claims and findings. See input.h. Pure. */
#include "launcher/base/tr.h"
#include "launcher/host/input/input.h"
#include "launcher/host/kind/module.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/input/twin.h"

void input_claims(const struct input *in, struct strv *ret)
{
	const struct input_device *d = in->device;
	if (!d)
		strv_add(ret, in->conf->device);
	else if (!d->names.n)
		strv_add(ret, d->node);
	for (size_t i = 0; d && i < d->names.n; i++)
		strv_add(ret, d->names.v[i]);
}

static bool may_open(const struct input_device *d, const struct user *u)
{
	if (u->uid == 0)
		return true;
	if (d->uid == u->uid)
		return (d->mode & 0600) == 0600;
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == d->gid)
			return (d->mode & 0060) == 0060;
	return (d->mode & 0006) == 0006;
}

static void add_step(struct steps *out, const struct input *in, const struct user *u)
{
	struct step *s;
	if (in->conf->persistent) {
		cleanup_free char *owner = str_fmt("%u", u->uid);
		s = steps_add(out, &twin_kind, in->conf->device, owner,
			      "what host and guest share; it stays when the device is unplugged or asleep");
	} else if (!in->device || !may_open(in->device, u)) {
		s = node_step(out, in->evdev, u->uid, in->device ? in->device->gid : 0, "QEMU runs as the user and opens it");
	} else {
		return;
	}
	s->late = !in->device && in->conf->wait;
	if (in->strange)
		s->obstacle = tr_fmt("%s is no input device", in->conf->device);
	else if (in->rivals.n)
		s->obstacle = tr_fmt("%s is more than one device", in->conf->device);
	else if (!in->device)
		s->obstacle = tr_fmt("%s is not there%s", in->conf->device, s->late ? _(" yet") : "");
}

void input_steps(struct steps *out, const struct input_facts *f, const struct user *u)
{
	bool twins = false;
	for (size_t i = 0; i < f->n; i++)
		twins |= f->v[i].conf->persistent;
	if (twins && !f->uinput)
		steps_add(out, &module_kind, "uinput", "loaded", "virtual input devices");
	for (size_t i = 0; i < f->n; i++)
		add_step(out, &f->v[i], u);
}

static void finding(struct findings *out, const struct config *c, const struct input *in, enum verdict verdict, char *text, char *remedy)
{
	cleanup_free char *section = str_fmt("input %s", in->conf->name), *where = config_where(c, section, "device"), *what = text;
	findings_add(out, verdict, "input", str_fmt("%s: %s", where, what), remedy);
}

static bool is_number(const char *device)
{
	return str_starts(device, "/dev/input/event");
}

static void judge(struct findings *out, const struct config *c, const struct input *in)
{
	const struct conf_input *conf = in->conf;
	const struct input_device *d = in->device;
	if (in->rivals.n) {
		cleanup_free char *rivals = strv_join(&in->rivals, ", ");
		finding(out, c, in, FINDING_BAD, tr_fmt("%s is more than one device: %s", conf->device, rivals),
			tr_fmt("device = %s, or another one of them", in->rivals.v[0]));
	} else if (in->strange)
		finding(out, c, in, FINDING_BAD, tr_fmt("%s is no input device", conf->device), tr_dup("qlaunch input lists them"));
	else if (!d && !conf->wait)
		finding(out, c, in, FINDING_BAD, tr_fmt("%s is not there", conf->device),
			tr_dup("plug it in, or set wait = yes; qlaunch input lists those that are there"));
	else if (!d && is_number(conf->device))
		finding(out, c, in, FINDING_BAD,
			tr_fmt("%s is not there, and its number does not say which device is waited for", conf->device),
			tr_dup("plug it in and name it as qlaunch input does"));
	else if (!d)
		finding(out, c, in, FINDING_WARN, tr_fmt("%s is not there; it is taken when it comes", conf->device), NULL);
	else if (d->twin)
		finding(out, c, in, FINDING_BAD, tr_fmt("%s is a twin that a running machine made", conf->device),
			tr_dup("name the device itself; qlaunch input lists them"));
	else if (!(d->is & (INPUT_KEYBOARD | INPUT_MOUSE | INPUT_POINTER | INPUT_KEYS)))
		finding(out, c, in, FINDING_WARN,
			tr_fmt("%s (%s) is no keyboard or mouse: the guest sees little of it", conf->device, d->name),
			tr_dup("pass it as [usb NAME], whole"));
	else if (is_number(conf->device))
		finding(out, c, in, FINDING_WARN, tr_fmt("%s may be another device after the next start", conf->device),
			d->names.n ? tr_fmt("device = %s", d->names.v[0]) : NULL);
	else
		finding(out, c, in, FINDING_OK, str_fmt("%s is %s", conf->device, d->name), NULL);
}

void input_findings(struct findings *out, const struct config *c, const struct input_facts *f)
{
	bool keyboard = false, mouse = false;
	for (size_t i = 0; i < f->n; i++) {
		judge(out, c, &f->v[i]);
		keyboard |= f->v[i].is & INPUT_KEYBOARD && f->v[i].conf->grab;
		mouse |= f->v[i].is & (INPUT_MOUSE | INPUT_POINTER);
		for (size_t k = 0; k < i; k++)
			if (f->v[i].device && f->v[k].device && streq(f->v[i].device->node, f->v[k].device->node))
				finding(out, c, &f->v[i], FINDING_BAD, tr_fmt("the same device as [input %s]", f->v[k].conf->name), NULL);
	}
	if (mouse && !keyboard)
		findings_add(out, FINDING_WARN, "input", tr_dup("no keyboard with grab = yes: nothing moves the mouse back to the host"),
			     tr_dup("add the keyboard as another [input NAME]"));
}
