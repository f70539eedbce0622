# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# machine: for the suites that run one (load machine). $qlaunch, and $conf for `start`, are the suite's.

launch() { # CONF ERR [OPTION...]: in the background, as $pid; returns when the guest runs, and fails with what was said if it does not
	local conf=$1 err=$2; shift 2
	: >"$err" # what another launch said there would be taken for this one's word
	"$qlaunch" run "$@" "$conf" >/dev/null 2>"$err" 3>&- </dev/null & pid=$!
	for _ in $(seq 300); do
		grep -q 'running after' "$err" && return
		kill -0 "$pid" || { cat "$err"; return 1; }
		sleep 0.1
	done
	return 1
}
start() { # [OPTION...]
	launch "$conf" "$BATS_TEST_TMPDIR/err" "$@"
}
gone() { # PID: it is no more, or nothing but its status is left; asked once, as it may go between two questions
	! grep -qs '^State:.[^ZX]' "/proc/$1/status"
}
