/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ddc: see ddc.h. Only functions that libddcutil 1.4 and 2.x both have; the structures are those of the header that this
 * was built with, so the library of the same generation is loaded.
 */
#include <ddcutil_c_api.h>
#include <ddcutil_macros.h>
#include <stdio.h>
#include "launcher/base/late.h"
#include "launcher/host/screen/ddc.h"

#if DDCUTIL_VMAJOR >= 2
#define LIBRARY "libddcutil.so.5"
#else
#define LIBRARY "libddcutil.so.4"
#endif
#define VCP_INPUT 0x60

#define FUNCTIONS(X) \
	X(ddca_get_display_info_list2) X(ddca_open_display2) X(ddca_close_display) X(ddca_get_non_table_vcp_value) \
	X(ddca_set_non_table_vcp_value) X(ddca_get_capabilities_string) X(ddca_redetect_displays) X(ddca_rc_name)

static struct ddc LATE_TABLE(FUNCTIONS) lib;

static DDCA_Display_Info_List *found; /* for the life of the child */

static struct err *load(void)
{
	static const char *const functions[] = LATE_NAMES(FUNCTIONS);
	return err_hint(late_load(LIBRARY, functions, &lib),
			"apt-get install libddcutil5 (Debian 12: libddcutil4), pacman -S ddcutil or dnf install libddcutil");
}

/* One that does not answer has a negative number; so has the second one of what the library takes for the same monitor. */
static bool answers(const DDCA_Display_Info *d)
{
	return d->dispno > 0;
}

static bool same(const DDCA_Display_Info *d, const struct monitor *m)
{
	return d->path.io_mode == DDCA_IO_I2C ? d->path.path.i2c_busno == m->bus : m->bus < 0 && answers(d);
}

static int read_input(DDCA_Display_Handle h)
{
	DDCA_Non_Table_Vcp_Value value;
	/* MCCS 2.2a knows one byte; what is above 255 is a maker's own, and some take such values */
	return lib.ddca_get_non_table_vcp_value(h, VCP_INPUT, &value) == 0 ? value.sh << 8 | value.sl : -1;
}

static void describe(const DDCA_Display_Info *d, bool inputs, struct monitor *m)
{
	DDCA_Display_Handle h;
	char *capabilities = NULL;
	*m = (struct monitor){ .bus = d->path.io_mode == DDCA_IO_I2C ? d->path.path.i2c_busno : -1, .input = -1 };
	snprintf(m->name, sizeof(m->name), "%.3s %.13s", d->mfg_id, d->model_name);
	snprintf(m->serial, sizeof(m->serial), "%.13s", d->sn);
	if (!answers(d) || lib.ddca_open_display2(d->dref, true, &h) != 0)
		return;
	m->input = read_input(h);
	if (inputs && lib.ddca_get_capabilities_string(h, &capabilities) == 0)
		monitor_parse_inputs(capabilities, m);
	lib.ddca_close_display(h);
}

struct err *ddc_list(bool inputs, struct monitors *ret_monitors)
{
	TRY(load());
	/* who is asked again wants to know what is so now: the library remembers who did not answer */
	DDCA_Status rc = found ? lib.ddca_redetect_displays() : 0;
	if (rc == 0)
		rc = lib.ddca_get_display_info_list2(true, &found);
	if (rc != 0 || !found)
		return err_new("libddcutil: %s", lib.ddca_rc_name(rc));
	for (int i = 0; i < found->ct && ret_monitors->n < MONITORS_MAX; i++)
		if (answers(&found->info[i]) || found->info[i].path.io_mode == DDCA_IO_I2C) {
			describe(&found->info[i], inputs, &ret_monitors->v[ret_monitors->n]);
			ret_monitors->n++; /* not before: who looks while we hang finds whole ones only */
		}
	return NULL;
}

static struct err *open_monitor(const struct monitor *m, DDCA_Display_Handle *ret_handle)
{
	for (int i = 0; found && i < found->ct; i++) {
		DDCA_Status rc;
		if (!same(&found->info[i], m) || !answers(&found->info[i]))
			continue;
		if ((rc = lib.ddca_open_display2(found->info[i].dref, true, ret_handle)) != 0)
			return err_new("%s", lib.ddca_rc_name(rc));
		return NULL;
	}
	return err_new("it does not answer");
}

struct err *ddc_set_input(const struct monitor *m, unsigned input)
{
	DDCA_Display_Handle h;
	TRY(open_monitor(m, &h));
	DDCA_Status rc = lib.ddca_set_non_table_vcp_value(h, VCP_INPUT, (uint8_t)(input >> 8), (uint8_t)input);
	lib.ddca_close_display(h);
	return rc == 0 ? NULL : err_new("%s", lib.ddca_rc_name(rc));
}

int ddc_input(const struct monitor *m)
{
	DDCA_Display_Handle h;
	struct err *e = open_monitor(m, &h);
	if (e) {
		err_free(e);
		return -1;
	}
	int input = read_input(h);
	lib.ddca_close_display(h);
	return input;
}
