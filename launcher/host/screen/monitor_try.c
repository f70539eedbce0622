/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor, one input for some seconds: see monitor_try in monitor.h. */
#include <signal.h>
#include <time.h>
#include "launcher/base/tr.h"
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/host/screen/monitor.h"

/* The way back is taken also when the way there went wrong. */
struct err *monitor_try(struct root *root, const char *match, unsigned input, unsigned back)
{
	bool silent = false, lost = false;
	sigset_t ends = end_signals(), before;
	sigprocmask(SIG_BLOCK, &ends, &before);
	struct err *e = monitor_switch(root, match, input, &silent);
	if (!e) {
		log_info(silent ? "switched; it does not answer on this cable now, so check that it came back"
				: N_("switched; it answers on this cable also while it shows another"));
		sigtimedwait(&ends, NULL, &(struct timespec){ .tv_sec = MONITOR_TRY_SECONDS });
	}
	struct err *other = monitor_switch(root, match, back, &lost);
	if (!other && lost)
		other = err_hint(err_new("it does not answer since it was to come back"),
				 "press the button of its own that chooses the input; from here it cannot be switched");
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (e && other)
		log_err(LOG_LEVEL_ERROR, steal(e));
	return other ? err_exit(other, EXIT_RESIDUE) : e;
}
