/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as libvirt's XML or quickemu's text: a clear error, or a text that is a valid configuration. */
#include <stdlib.h>
#include "launcher/config/config.h"
#include "launcher/import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = str_ndup(size ? (const char *)data : "", size), *made = NULL;
	cleanup_draft struct draft d = {};
	cleanup_err struct err *e = import_read(text, "fuzz", "/dir", NULL, &d);
	e = e ? e : import_compose(&d, &made);
	if (e && (err_status(e) != EXIT_CONFIG || !*err_text(e)))
		abort();
	struct conf_errors errors = {};
	if (!e)
		config_free(config_parse(made, "fuzz", NULL, NULL, &errors));
	if (errors.lines.n)
		abort();
	return 0;
}
