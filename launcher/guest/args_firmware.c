/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firmware: see machine.h. UEFI in flash, and the TPM. */
#include "launcher/guest/args_machine.h"

static json_t *flash(const char *node, const char *format, const char *path, bool readonly)
{
	return json_pack("{s:s, s:s, s:b, s:{s:s, s:s}}", "node-name", node, "driver", format, "read-only", readonly, "file", "driver",
			 "file", "filename", path);
}

void guest_firmware(struct args *a, const struct config *c, const struct guest_host *h)
{
	const struct firmware *f = h->firmware;
	if (c->firmware.type != FIRMWARE_UEFI || !f || !f->code)
		return;
	args_json(a, "-blockdev", flash("flash-code", f->code_format, f->code, true), "UEFI, which all machines share");
	args_json(a, "-blockdev", flash("flash-vars", f->vars_format, h->vars_path, false), "this machine's own UEFI variables");
	if (f->secure_boot && f->requires_smm)
		args_add(a, "-global", "driver=cfi.pflash01,property=secure,value=on",
			 "only the firmware itself, in SMM, writes them: else the guest's kernel could switch Secure Boot off");
}

void guest_tpm(struct args *a, const struct config *c, const struct guest_host *h)
{
	if (c->tpm.version == TPM_NONE)
		return;
	cleanup_free char *fd = str_fmt("%d", h->fd_tpm);
	args_opts(a, "-chardev", "to swtpm, by a socket that only the two have", "socket", "id", "chr-tpm", "fd", fd, NULL);
	args_opts(a, "-tpmdev", "TPM 2.0, emulated", "emulator", "id", "tpm", "chardev", "chr-tpm", NULL);
	args_json(a, "-device", json_pack("{s:s, s:s}", "driver", c->tpm.model == TPM_CRB ? "tpm-crb" : "tpm-tis", "tpmdev", "tpm"), NULL);
}

void guest_swtpm(struct args *a, const struct config *c, const char *dir, int fd)
{
	(void)c; /* version 2.0 is the only one there is */
	cleanup_free char *state = str_fmt("dir=%s,mode=0600", dir), *control = str_fmt("type=unixio,clientfd=%d", fd);
	args_add(a, "socket", NULL, NULL);
	args_add(a, "--tpm2", NULL, "version 2.0, as Windows 11 wants it");
	args_add(a, "--tpmstate", state, "kept between starts: BitLocker's keys are in it");
	args_add(a, "--ctrl", control, "QEMU's end of a socket pair: no file, nothing to wait for");
	args_add(a, "--terminate", NULL, "ends with QEMU");
}
