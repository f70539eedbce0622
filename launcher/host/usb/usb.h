/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb: the host's USB devices, which of them a configuration means, and what is given back when the guest has had one.
 * QEMU takes a device from the host's drivers when it is attached, and is given an open descriptor for that: no node
 * changes its owner, and no program of the user's gets at the device.
 *
 * Kind "usb": target the kernel's name of the device ("1-2.3": bus, then ports), want "guest", values the device's
 * number on its bus and the driver of each interface: "1/5 1-2.3:1.0=usbhid"; "absent". It changes nothing at first;
 * undo asks the kernel for drivers again where a QEMU that was killed has left none.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

extern const struct step_kind usb_kind;

struct usb_device {
	char *sys;  /* "1-2.3" */
	char *name; /* "Logitech USB Receiver", printable; "" if it says none */
	char *node; /* "/dev/bus/usb/001/005" */
	unsigned vendor, product, bus, number;
	bool hub;
	struct strv blocks; /* disks behind it: "sdb" */
};
struct usb_devices {
	struct usb_device *v; /* by sys */
	size_t n;
};
/* Without the root hubs, which are the controllers'. */
struct err *usb_devices_read(struct root *root, struct usb_devices *ret_devices);
void usb_devices_free(struct usb_devices *d);
#define cleanup_usb_devices cleanup(usb_devices_free)

/* Whether `conf` means that device: by its id, by its port, or because it is below the hub at that port. A hub itself
 * stays the host's. */
bool usb_means(const struct conf_usb *conf, const struct usb_device *d);
/* Whether any [usb NAME] means it. */
bool usb_meant(const struct config *c, const struct usb_device *d);
/* For the devices that are there; `late`, for they are attached to a QEMU that runs. */
void usb_steps(struct steps *out, const struct config *c, const struct usb_devices *d);
struct step *usb_step(struct steps *out, const struct usb_device *d);
void usb_findings(struct findings *out, const struct config *c, const struct usb_devices *d);
