/* SPDX-License-Identifier: GPL-2.0-or-later */
/* display: see display.h. */
#include <inttypes.h>
#include <stdio.h>
#include "launcher/base/tr.h"
#include "launcher/guest/args_display.h"
#include "launcher/guest/args_usb.h"
#include "launcher/guest/slots.h"

/* 3D needs the card's other model, and for SPICE a GPU of the host that draws off the screen. */
static bool draws_3d(const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	return c->display.gl && c->display.video == VIDEO_VIRTIO && qemu_has(q, "device:virtio-vga-gl") &&
	       (c->display.mode == DISPLAY_WINDOW || (c->display.mode == DISPLAY_SPICE && d->render));
}

static void add_video(struct args *out, const struct config *c, const struct qemu_facts *q, bool gl)
{
	unsigned width, height;
	if (c->display.video == VIDEO_NONE)
		return;
	bool qxl = c->display.video == VIDEO_QXL;
	json_t *o = json_pack("{s:s, s:s}", "driver", qxl ? "qxl-vga" : gl ? "virtio-vga-gl" : "virtio-vga", "id", "video");
	slot_put(o, SLOT_VIDEO, 0, 1);
	if (gl && c->display.hostmem && qemu_has(q, "device:virtio-vga-gl.hostmem")) {
		json_object_set_new(o, "blob", json_true());
		json_object_set_new(o, "hostmem", json_integer((json_int_t)c->display.hostmem));
		if (c->display.venus && qemu_has(q, "device:virtio-vga-gl.venus"))
			json_object_set_new(o, "venus", json_true());
	}
	if (c->display.resolution && sscanf(c->display.resolution, "%5ux%5u", &width, &height) == 2) {
		json_object_set_new(o, "xres", json_integer(width));
		json_object_set_new(o, "yres", json_integer(height));
	}
	args_json(out, "-device", o,
		  qxl  ? "the virtual graphics card of SPICE"
		  : gl ? N_("a virtual graphics card that lets the host's GPU draw")
		       : N_("a virtual graphics card that every firmware and Linux know"));
}

/* Clipboard and resolution follow the window, if the guest runs spice-vdagent. */
static void add_agent(struct args *out, const char *backend, const char *clipboard)
{
	json_t *o = json_pack("{s:s, s:s}", "driver", "virtio-serial-pci", "id", "serial");
	slot_put(o, SLOT_CLIPBOARD, 0, 1);
	args_json(out, "-device", o, "clipboard and size of the window, for spice-vdagent in the guest");
	args_opts(out, "-chardev", NULL, backend, "id", "chr-vdagent", "name", "vdagent", "clipboard", clipboard, NULL);
	args_json(out, "-device",
		  json_pack("{s:s, s:s, s:s, s:s}", "driver", "virtserialport", "bus", "serial.0", "chardev", "chr-vdagent", "name",
			    "com.redhat.spice.0"),
		  NULL);
}

/* Viewers elsewhere; where there are certificates, not a byte in the clear. */
static void add_spice_port(struct args *out, const struct config *c)
{
	cleanup_free char *port = str_fmt("%u", c->display.port);
	bool tls = c->display.tls, password = c->display.password;
	if (password)
		args_json(out, "-object",
			  json_pack("{s:s, s:s, s:s}", "qom-type", "secret", "id", "spice-password", "file", c->display.password),
			  "the password of viewers, read by QEMU itself");
	args_opts(out, "-spice", tls ? N_("a port for viewers, encrypted") : N_("a port for viewers"), "", "addr",
		  c->display.listen ? c->display.listen : "127.0.0.1", tls ? "tls-port" : "port", port, "x509-dir", c->display.tls,
		  "password-secret", password ? "spice-password" : NULL, "disable-ticketing", password ? NULL : "on", NULL);
	add_agent(out, "spicevmc", NULL);
}

static void add_spice(struct args *out, const struct config *c, const struct desktop_facts *d, bool gl)
{
	if (c->display.mode == DISPLAY_SPICE && c->display.port) {
		add_spice_port(out, c);
		return;
	}
	if (!d->spice)
		return;
	args_opts(out, "-spice", "a socket that the user alone can open; nothing listens on the network", "", "unix", "on", "addr",
		  d->spice, "disable-ticketing", "on", "image-compression", "off", "gl", gl ? "on" : NULL, NULL);
	add_agent(out, "spicevmc", NULL);
}

static void add_shared(struct args *out, const struct desktop_facts *d)
{
	args_json(out, "-object",
		  json_pack("{s:s, s:s, s:b, s:s, s:I}", "qom-type", "memory-backend-file", "id", "looking-glass", "share", 1, "mem-path",
			    d->shared, "size", (json_int_t)d->shared_size),
		  "Looking Glass: the guest's program copies the picture here, its client shows it");
	json_t *o = json_pack("{s:s, s:s}", "driver", "ivshmem-plain", "memdev", "looking-glass");
	slot_put(o, SLOT_MEMORY, 0, 1);
	args_json(out, "-device", o, NULL);
}

void guest_display(struct args *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	enum display_mode mode = c->display.mode;
	bool gl = draws_3d(c, d, q);
	if (mode == DISPLAY_WINDOW)
		args_opts(out, "-display", "a window on this host", "gtk", "gl", gl ? "on" : "off", NULL);
	else
		args_add(out, "-display", "none", mode == DISPLAY_NONE ? "no window on this host" : N_("another program shows it"));
	add_video(out, c, q, gl);
	if (mode == DISPLAY_LOOKING_GLASS)
		add_shared(out, d);
	add_spice(out, c, d, gl);
	if (mode == DISPLAY_WINDOW && qemu_has(q, "spice")) /* its protocol is built in, the agent's channel with it */
		add_agent(out, "qemu-vdagent", "on");
	if (mode == DISPLAY_WINDOW || mode == DISPLAY_SPICE)
		args_json(out, "-device", json_pack("{s:s, s:s}", "driver", "usb-tablet", "bus", USB_BUS),
			  "the pointer is where the host's is, and leaves the window freely");
}

void display_viewer(struct strv *ret_argv, const struct config *c, const struct desktop_facts *d)
{
	if (!d->viewer || !d->screen)
		return;
	if (c->display.mode == DISPLAY_SPICE && d->spice) {
		strv_add(ret_argv, d->viewer);
		strv_addf(ret_argv, "--title=%s", c->vm.name);
		strv_addf(ret_argv, "spice+unix://%s", d->spice);
	} else if (c->display.mode == DISPLAY_SPICE && c->display.port) {
		const char *at = c->display.listen && !streq(c->display.listen, "0.0.0.0") && !streq(c->display.listen, "::")
					 ? c->display.listen
					 : "127.0.0.1";
		strv_add(ret_argv, d->viewer);
		strv_addf(ret_argv, "--title=%s", c->vm.name);
		if (c->display.tls)
			strv_addf(ret_argv, "--spice-ca-file=%s/ca-cert.pem", c->display.tls);
		strv_addf(ret_argv, strchr(at, ':') ? "spice://[%s]?%sport=%u" : "spice://%s?%sport=%u", at, c->display.tls ? "tls-" : "",
			  c->display.port);
	} else if (c->display.mode == DISPLAY_LOOKING_GLASS) {
		strv_add(ret_argv, d->viewer);
		strv_addf(ret_argv, "app:shmFile=%s", d->shared);
		strv_addf(ret_argv, "win:title=%s", c->vm.name);
		strv_addf(ret_argv, "spice:enable=%s", d->spice ? "yes" : "no");
		if (d->spice) {
			strv_addf(ret_argv, "spice:host=%s", d->spice);
			strv_add(ret_argv, "spice:port=0");
		}
	}
}

static void bad(struct findings *out, const char *text, const char *remedy)
{
	findings_add(out, FINDING_BAD, "display", tr_dup(text), tr_dup(remedy));
}

static void warn(struct findings *out, const char *text, const char *remedy)
{
	findings_add(out, FINDING_WARN, "display", tr_dup(text), tr_dup(remedy));
}

static void find_window(struct findings *out, const struct desktop_facts *d, const struct qemu_facts *q)
{
	if (!qemu_has(q, "display:gtk"))
		bad(out, N_("this QEMU has no window of its own (gtk)"),
		    N_("apt-get install qemu-system-gui, pacman -S qemu-ui-gtk or dnf install qemu-ui-gtk; or "
		       "display.mode = spice"));
	else if (!d->screen)
		bad(out, N_("no display: neither DISPLAY nor WAYLAND_DISPLAY is set"),
		    N_("start it from a desktop session; with sudo: sudo "
		       "--preserve-env=DISPLAY,WAYLAND_DISPLAY,XAUTHORITY"));
}

static void find_spice(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	bool elsewhere = c->display.port && c->display.listen && !str_starts(c->display.listen, "127.") && !streq(c->display.listen, "::1");
	if (elsewhere && !c->display.tls)
		warn(out, N_("screen, keyboard and mouse of the guest go over the network unencrypted"), N_("display.tls = FOLDER"));
	if (!qemu_has(q, "spice"))
		bad(out, N_("this QEMU has no SPICE"),
		    N_("apt-get install qemu-system-modules-spice, pacman -S qemu-ui-spice-core or dnf install qemu-ui-spice-core; or "
		       "display.mode = window"));
	else if (!d->spice && !c->display.port)
		bad(out, N_("no directory for SPICE's socket: the user has no XDG_RUNTIME_DIR"),
		    N_("log in on this host, or: loginctl enable-linger"));
	else if (!d->viewer)
		warn(out, N_("remote-viewer, which shows the picture, is not installed: the guest runs unseen"),
		     N_("apt-get install virt-viewer, pacman -S virt-viewer or dnf install virt-viewer"));
	else if (!d->screen)
		warn(out, N_("no display (DISPLAY, WAYLAND_DISPLAY): the guest runs unseen until somebody connects"),
		     c->display.port ? N_("remote-viewer spice://ADDRESS:PORT, from wherever it is reached")
				     : N_("remote-viewer spice+unix://SOCKET; its path is in: qlaunch plan"));
}

static void find_looking_glass(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	if (!qemu_has(q, "device:ivshmem-plain") || !qemu_has(q, "object:memory-backend-file"))
		bad(out, N_("this QEMU has no ivshmem, by which Looking Glass gets its picture"), N_("another QEMU: qemu.binary = PATH"));
	if (d->shared_now && d->shared_now < d->shared_size)
		findings_add(out, FINDING_BAD, "display",
			     tr_fmt("%s is there already, and too small for %s: %" PRIu64 " MiB of %" PRIu64, d->shared,
				    c->display.resolution, d->shared_now >> 20, d->shared_size >> 20),
			     str_fmt("rm %s", d->shared));
	if (!d->viewer)
		warn(out, N_("looking-glass-client is not installed"), N_("https://looking-glass.io"));
}

static void find_3d(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	if (!c->display.gl)
		return;
	if (c->display.hostmem && !qemu_has(q, "device:virtio-vga-gl.hostmem"))
		warn(out, N_("this QEMU gives no window to the memory of the host's GPU (hostmem)"), N_("QEMU 9.2 or newer"));
	if (c->display.venus && !qemu_has(q, "device:virtio-vga-gl.venus"))
		warn(out, N_("this QEMU has no Vulkan for guests (venus)"), N_("QEMU 9.2 or newer"));
	if (draws_3d(c, d, q))
		return;
	if (c->display.video != VIDEO_VIRTIO)
		warn(out, N_("gl = yes does nothing without video = virtio"), NULL);
	else if (!qemu_has(q, "device:virtio-vga-gl"))
		warn(out, N_("this QEMU has no 3D (virtio-vga-gl): the guest draws by itself"),
		     N_("apt-get install qemu-system-modules-opengl, pacman -S qemu-hw-display-virtio-vga-gl or dnf "
			"install "
			"qemu-device-display-virtio-vga-gl"));
	else
		warn(out, N_("no GPU of the host draws for a guest (/dev/dri/renderD128): the guest draws by itself"), NULL);
}

void display_findings(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	switch (c->display.mode) {
	case DISPLAY_WINDOW:
		find_window(out, d, q);
		break;
	case DISPLAY_SPICE:
		find_spice(out, c, d, q);
		break;
	case DISPLAY_LOOKING_GLASS:
		find_looking_glass(out, c, d, q);
		break;
	case DISPLAY_NONE:
		break;
	}
	if (c->display.video == VIDEO_QXL && !qemu_has(q, "device:qxl-vga"))
		bad(out, N_("this QEMU has no QXL card"), N_("display.video = virtio"));
	if (c->display.video == VIDEO_VIRTIO && !qemu_has(q, "device:virtio-vga"))
		bad(out, N_("this QEMU has no virtio graphics card"),
		    N_("apt-get install qemu-system-x86, pacman -S "
		       "qemu-hw-display-virtio-vga or dnf install qemu-device-display-virtio-vga"));
	find_3d(out, c, d, q);
}
