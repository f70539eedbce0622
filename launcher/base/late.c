/* SPDX-License-Identifier: GPL-2.0-or-later */
/* late: see late.h. */
#include <dlfcn.h>
#include <string.h>
#include "launcher/base/late.h"

struct err *late_load(const char *soname, const char *const *names, void *table)
{
	void *found, *first;
	memcpy(&first, table, sizeof(first));
	if (first)
		return NULL;
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return err_hint(err_exit(err_new("%s", dlerror()), EXIT_HOST), "install the package that has %s", soname);
	for (size_t i = 0; names[i]; i++)
		if (!dlsym(library, names[i]))
			return err_hint(err_exit(err_new("%s", dlerror()), EXIT_HOST), "%s is another version than qlaunch was built for",
					soname);
	for (size_t i = 0; names[i]; i++) {
		found = dlsym(library, names[i]);
		memcpy((char *)table + i * sizeof(found), &found, sizeof(found));
	}
	return NULL;
}
