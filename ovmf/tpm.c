/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tpm: see tpm.h. */
#include "launcher/base/tr.h"
#include "ovmf/keep.h"
#include "ovmf/tpm.h"
#include "ovmf/vars.h"

#define STATE_MAX (4u << 20) /* libtpms's whole non-volatile memory is below 256 KiB */

struct err *tpm_check(const void *data, size_t len, const void *unused)
{
	(void)unused;
	const uint8_t *p = data;
	if (len < 10)
		return err_new("%zu bytes are no TPM state", len);
	unsigned header = (unsigned)p[2] << 8 | p[3];
	uint32_t total = (uint32_t)p[6] << 24 | (uint32_t)p[7] << 16 | (uint32_t)p[8] << 8 | p[9];
	if (p[0] == 0 || p[1] == 0 || p[1] > p[0] || header < 10 || header >= len)
		return err_new("the header of the TPM state is damaged");
	if (total != len)
		return err_new("%zu bytes, and the header says %u", len, total);
	return NULL;
}

char *tpm_dir(const struct config *c, const char *data_dir)
{
	cleanup_free char *dir = vars_vm_dir(c, data_dir);
	return str_fmt("%s/tpm", dir);
}

static struct err *prepare(struct root *root, const struct config *c, const char *data_dir, bool make_it)
{
	cleanup_free char *dir = tpm_dir(c, data_dir);
	cleanup_free char *path = str_fmt("%s/tpm2-00.permall", dir), *copies = str_fmt("%s.copies", dir);
	struct keep keep = { .what = N_("the TPM's state"), .path = path, .copies = copies, .max = STATE_MAX, .check = tpm_check,
			     .anew = N_("a new TPM: what BitLocker sealed in the old one asks for its recovery key") };
	bool missing;
	if (strchr(dir, ',')) /* swtpm would read what follows as an option, and knows no escape */
		return err_exit(err_hint(err_new("%s: swtpm takes no path with a comma", dir), "set XDG_DATA_HOME to another directory"),
				EXIT_HOST);
	if (!make_it)
		return keep_look(root, &keep, &missing);
	TRY(err_exit(root_mkdirs(root, dir, 0700), EXIT_HOST));
	return keep_copy(root, &keep, &missing);
}

struct err *tpm_prepare(struct root *root, const struct config *c, const char *data_dir)
{
	return prepare(root, c, data_dir, true);
}

struct err *tpm_look(struct root *root, const struct config *c, const char *data_dir)
{
	return prepare(root, c, data_dir, false);
}
