/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/config/config.h"
__attribute__((weak)) char *config_where(const struct config *c, const char *section, const char *key)
{
	return str_fmt("%s: [%s] %s", c->path, section, key);
}
