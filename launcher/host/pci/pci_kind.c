/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci_kind: hands one function to vfio-pci and back, and gives a BAR another size.
 *
 * Forward: driver_override = vfio-pci, unbind, drivers_probe. Back: driver_override as it was, unbind, bind to the
 * driver that it had (by that driver's own `bind`: drivers_probe gives the card to whichever driver comes first). Each
 * of these writes can be the last before a crash, so undo looks at what is there and does what is missing. Every one of
 * them takes the device's lock in the kernel and can wait for ever for a program that holds the card: each runs in a
 * child with a time limit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/clock.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/block.h"
#include "launcher/host/pci/pci.h"

#define DRIVERS "/sys/bus/pci/drivers"
#define VFIO    "vfio-pci"
#define GONE    "absent"

#define HOLDERS_PAUSE_MS 100
int pci_holders_limit_ms = 15000; /* logind gives a user's own systemd 10 s after the last session (logind.conf(5), UserStopDelaySec=) */

static struct err *bounded_write(struct root *root, const char *path, const char *value)
{
	struct err *e = child_write(root, path, value);
	if (err_code(e) != ETIMEDOUT)
		return e;
	return err_hint(e, "end the programs that use the card, then `qlaunch restore`; a kernel that stays stuck needs a reboot");
}

/* What holds a function: the two parts of a value. */
struct binding {
	char *driver, *override; /* NULL: none */
};

static void binding_free(struct binding *b)
{
	free(b->driver);
	free(b->override);
}
#define cleanup_binding cleanup(binding_free)

static struct binding binding_parse(const char *text)
{
	static const char mark[] = " override=";
	const char *override = text ? strstr(text, mark) : NULL;
	size_t len = text ? override ? (size_t)(override - text) : strlen(text) : 0;
	struct binding b = { .driver = len ? str_ndup(text, len) : NULL };
	b.override = override ? str_dup(override + strlen(mark)) : NULL;
	if (streq(b.driver, "none"))
		str_set(&b.driver, NULL);
	return b;
}

static struct err *binding_read(struct root *root, struct pci_addr addr, struct binding *ret_binding)
{
	cleanup_free char *link = pci_path(addr, "driver"), *path = pci_path(addr, "driver_override"), *text = NULL;
	TRY(child_read(root, path, &text)); /* the kernel takes the device's lock for this, too */
	*ret_binding = (struct binding){ .driver = root_link_name(root, link) };
	if (*text && !streq(text, "(null)"))
		ret_binding->override = steal(text);
	return NULL;
}

static char *driver_describe(const struct step *s)
{
	return tr_fmt("bind %s to %s", s->target, s->want);
}

static struct err *driver_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct pci_addr addr;
	cleanup_binding struct binding b = {};
	TRY(pci_addr_parse(s->target, &addr));
	cleanup_free char *there = pci_path(addr, "driver_override");
	if (!root_exists(env->root, there)) { /* a virtual function before it is made; a card that was pulled out */
		*ret_value = str_dup(GONE);
		return NULL;
	}
	TRY(binding_read(env->root, addr, &b));
	bool ours = streq(b.driver, VFIO) && streq(b.override, VFIO); /* the override then says nothing more */
	*ret_value = b.override && !ours ? str_fmt("%s override=%s", b.driver ? b.driver : "none", b.override)
					 : str_dup(b.driver ? b.driver : "none");
	return NULL;
}

/* Asked after writes that can succeed and do nothing: to the kernel, a driver that does not want the device is no
 * error. */
static bool bound_to(struct root *root, struct pci_addr addr, const char *driver)
{
	cleanup_free char *link = pci_path(addr, "driver"), *now = root_link_name(root, link);
	return streq(now, driver);
}

static struct err *set_override(struct root *root, struct pci_addr addr, const char *driver)
{
	cleanup_free char *path = pci_path(addr, "driver_override");
	/* a write of no bytes would not reach the kernel's function */
	return bounded_write(root, path, driver ? driver : "\n");
}

static struct err *driver_write(struct root *root, struct pci_addr addr, const char *driver, const char *file)
{
	cleanup_free char *path = str_fmt(DRIVERS "/%s/%s", driver, file);
	return bounded_write(root, path, pci_addr_text(addr).s);
}

/* Who holds it is asked before: while the kernel waits for them, their nodes are gone already. */
static struct err *unbind(struct root *root, struct pci_addr addr, const char *driver)
{
	cleanup_free char *holders = NULL;
	err_free(pci_holders(root, addr, false, NULL, &holders)); /* for the error's words alone: see not_held() */
	struct err *e = driver_write(root, addr, driver, "unbind");
	return err_code(e) == ETIMEDOUT && holders ? err_wrap(e, "the card is held open by %s", holders) : e;
}

static struct err *probe_drivers(struct root *root, struct pci_addr addr)
{
	return bounded_write(root, "/sys/bus/pci/drivers_probe", pci_addr_text(addr).s);
}

/*
 * Asked before the unbind, which would wait for them for ever in the kernel, with everybody behind it who asks for the device. Those of a
 * desktop that was stopped just now get `limit_ms` to end.
 */
static struct err *not_held(struct root *root, struct pci_addr addr, int limit_ms)
{
	int64_t until = clock_ms() + limit_ms;
	cleanup_free char *holders = NULL;
	TRY(pci_holders(root, addr, true, NULL, &holders));
	while (holders && clock_ms() < until) {
		str_set(&holders, NULL);
		usleep(HOLDERS_PAUSE_MS * 1000);
		TRY(pci_holders(root, addr, true, NULL, &holders));
	}
	return holders ? err_hint(err_errno(EBUSY, "it is held open by %s", holders), "end them, then start again") : NULL;
}

/* The disks behind a controller are nobody else's before it leaves, and nobody begins to use one until it has left. */
static struct err *claim_disks(struct root *root, struct pci_addr addr, struct block_claims *ret_claims)
{
	struct pci_function fn;
	TRY(pci_function_read(root, addr, &fn));
	struct err *e = block_claim_all(root, &fn.blocks, ret_claims);
	pci_function_free(&fn);
	return err_hint(e, "never pass a controller through that the host runs from");
}

static struct err *driver_apply(struct step_env *env, struct step *s)
{
	struct pci_addr addr;
	cleanup_binding struct binding b = {};
	cleanup_block_claims struct block_claims claims = {};
	TRY(pci_addr_parse(s->target, &addr));
	TRY(binding_read(env->root, addr, &b));
	if (b.driver && !streq(b.driver, VFIO))
		TRY(not_held(env->root, addr, pci_holders_limit_ms));
	TRY(claim_disks(env->root, addr, &claims));
	TRY(set_override(env->root, addr, VFIO));
	if (streq(b.driver, VFIO))
		return NULL;
	if (b.driver) {
		TRY(not_held(env->root, addr, 0)); /* who came while the disks were asked */
		TRY(unbind(env->root, addr, b.driver));
	}
	TRY(probe_drivers(env->root, addr));
	if (bound_to(env->root, addr, VFIO))
		return NULL;
	return err_hint(err_new("%s did not take it", VFIO), "the kernel's log says why: dmesg | grep %s", s->target);
}

/* Gives an unbound function back to the driver that it had. */
static struct err *bring_back(struct root *root, struct pci_addr addr, const char *driver)
{
	cleanup_err struct err *why = driver_write(root, addr, driver, "bind");
	if (!why && bound_to(root, addr, driver))
		return NULL;
	TRY(probe_drivers(root, addr));
	if (bound_to(root, addr, driver))
		return NULL;
	return err_hint(err_new("its driver %s did not take it back%s%s", driver, why ? ": " : "", err_text(why)),
			"modprobe %s && echo %s > %s/%s/bind", driver, pci_addr_text(addr).s, DRIVERS, driver);
}

static struct err *driver_undo(struct step_env *env, const struct step *s)
{
	struct pci_addr addr;
	cleanup_binding struct binding now = {}, prior = binding_parse(s->prior);
	TRY(pci_addr_parse(s->target, &addr));
	TRY(binding_read(env->root, addr, &now));
	if (!streq(now.override, prior.override))
		TRY(set_override(env->root, addr, prior.override));
	if (streq(now.driver, prior.driver))
		return NULL;
	if (now.driver)
		TRY(unbind(env->root, addr, now.driver));
	return prior.driver ? bring_back(env->root, addr, prior.driver) : NULL;
}

/*
 * Ours is every state that apply or undo can be interrupted in: the override is the prior one or vfio-pci, and the
 * driver is the prior one, none or vfio-pci. Any other driver was bound by somebody else.
 */
static enum step_whose driver_whose(const struct step *s, const char *now_text)
{
	if (streq(now_text, s->prior) || streq(now_text, GONE))
		return STEP_PRIOR;
	if (streq(now_text, s->want))
		return STEP_WANTED;
	cleanup_binding struct binding now = binding_parse(now_text), prior = binding_parse(s->prior);
	bool override = streq(now.override, prior.override) || streq(now.override, VFIO);
	bool driver = !now.driver || streq(now.driver, prior.driver) || streq(now.driver, VFIO);
	return override && driver ? STEP_BETWEEN : STEP_FOREIGN;
}

const struct step_kind pci_driver_kind = {
	.name = "pci-driver",
	.describe = driver_describe,
	.probe = driver_probe,
	.apply = driver_apply,
	.undo = driver_undo,
	.whose = driver_whose,
};

/* "0000:01:00.0/resource1_resize" → address and BAR. */
static struct err *bar_target(const char *target, struct pci_addr *ret_addr, unsigned *ret_bar)
{
	const char *slash = strchr(target, '/');
	cleanup_free char *addr = slash ? str_ndup(target, (size_t)(slash - target)) : str_dup(target);
	unsigned bar;
	int end = 0;
	TRY(pci_addr_parse(addr, ret_addr));
	if (!slash || sscanf(slash, "/resource%u_resize%n", &bar, &end) != 1 || slash[end] || bar >= PCI_BARS)
		return err_new("\"%s\" is no resizable BAR", target);
	*ret_bar = bar;
	return NULL;
}

static char *bar_describe(const struct step *s)
{
	struct pci_addr addr;
	unsigned bar;
	cleanup_err struct err *e = bar_target(s->target, &addr, &bar);
	return e ? tr_fmt("make %s %s large", s->target, s->want) /* a journal's, which may be anything */
		 : tr_fmt("make %s BAR %u %s large", pci_addr_text(addr).s, bar, s->want);
}

static struct err *bar_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct pci_addr addr;
	struct pci_function fn;
	unsigned bar;
	TRY(bar_target(s->target, &addr, &bar));
	cleanup_free char *path = pci_path(addr, "vendor");
	if (!root_exists(env->root, path)) {
		*ret_value = str_dup(GONE);
		return NULL;
	}
	TRY(pci_function_read(env->root, addr, &fn));
	*ret_value = size_format(fn.bar[bar]);
	pci_function_free(&fn);
	return NULL;
}

/* Back to the driver that it was taken from. Our override, where it is still set, keeps any other away meanwhile. */
static struct err *bar_rebind(struct root *root, struct pci_addr addr, const char *driver)
{
	if (!streq(driver, VFIO))
		return bring_back(root, addr, driver);
	TRY(probe_drivers(root, addr));
	return bound_to(root, addr, VFIO) ? NULL : err_new("%s did not take it back", VFIO);
}

/*
 * The kernel resizes only while no driver is bound (resourceN_resize, sysfs-bus-pci): off the driver, resize, on again.
 * That is vfio-pci, except where an earlier undo got the host's driver back, but not the size: then only if nobody uses
 * the card by now. A crash between leaves a state that pci-driver undoes.
 */
static struct err *bar_set(struct root *root, const char *target, const char *size)
{
	struct pci_addr addr;
	unsigned bar;
	uint64_t bytes;
	TRY(bar_target(target, &addr, &bar));
	TRY(size_parse(size, &bytes));
	cleanup_free char *path = str_fmt("/sys/bus/pci/devices/%s", target), *link = pci_path(addr, "driver");
	cleanup_free char *bit = str_fmt("%d", __builtin_ctzll(bytes) - 20); /* 0 is 1 MiB */
	cleanup_free char *driver = root_link_name(root, link);
	cleanup_free char *holders = NULL;
	if (driver && !streq(driver, VFIO))
		TRY(pci_holders(root, addr, true, NULL, &holders));
	if (holders)
		return err_hint(err_new("the card is in use by %s", holders), "end them, then `qlaunch restore`");
	if (driver)
		TRY(unbind(root, addr, driver));
	struct err *e = bounded_write(root, path, bit);
	if (err_code(e) == ENOSPC)
		e = err_hint(e, "switch \"Above 4G decoding\" on in the firmware setup, or ask for a smaller size");
	struct err *back = driver ? bar_rebind(root, addr, driver) : NULL;
	if (!e)
		return back;
	err_free(back);
	return e;
}

static struct err *bar_apply(struct step_env *env, struct step *s)
{
	return bar_set(env->root, s->target, s->want);
}

static struct err *bar_undo(struct step_env *env, const struct step *s)
{
	return bar_set(env->root, s->target, s->prior);
}

/* What is not there has no size to give back: by the time it comes, it is another device to the kernel. */
static enum step_whose bar_whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior) || streq(now, GONE))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind pci_bar_kind = {
	.name = "pci-bar",
	.describe = bar_describe,
	.probe = bar_probe,
	.apply = bar_apply,
	.undo = bar_undo,
	.whose = bar_whose,
};
