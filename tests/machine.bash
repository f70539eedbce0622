# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# machine: for the suites that run one (load machine). $qlaunch, $vm, $conf for `start`, and $programs (a folder of stand-ins), are the suite's.

# Root looks for programs in a path of its own: there the folder is put over /usr/local/bin, for this one command.
exec_with_programs() { # DIR COMMAND...
	if [ "$(id -u)" -eq 0 ]; then
		# shellcheck disable=SC2016 # expanded inside
		exec unshare -m --propagation private bash -c 'mount --bind "$1" /usr/local/bin; shift; exec "$@"' - "$@"
	fi
	PATH=$1:$PATH; shift
	exec "$@"
}

launch() { # CONF ERR [OPTION...]: in the background, as $pid; returns when the guest runs, and fails with what was said if it does not
	local conf=$1 err=$2; shift 2
	: >"$err" # what another launch said there would be taken for this one's word
	${programs:+exec_with_programs "$programs"} "$qlaunch" run "$@" "$conf" >/dev/null 2>"$err" 3>&- </dev/null & pid=$!
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
q() { run "$qlaunch" "$@" </dev/null; }
says() { # STATUS WORDS...: what the last command said
	[ "$status" -eq "$1" ] || { echo "status $status: $output"; return 1; }; shift
	for w; do [[ $output == *"$w"* ]] || { echo "not \"$w\": $output"; return 1; }; done
}
put_away() { # the machine and what it left, for teardown
	[ -z "${pid:-}" ] || { kill -KILL "$pid"; wait "$pid"; } 2>/dev/null || true
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
}
