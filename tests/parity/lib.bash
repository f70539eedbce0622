# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# lib: a table of pairs of host and configuration, held against `check` and `run`; for tests/parity.bats and the lab's job "parity". $qlaunch, $vm
# and $dir, an empty folder that is the current one, are the caller's. A line: VERDICT|NAME|LINES|HOST
#
# VERDICT  what `run` does: runs, refused; either: as this host's kernel can
# LINES    of the configuration, parted by ";"; what stands before a section's name is of [vm]; the words of `words` are put in, @NAME is a file below $dir
# HOST     nothing: as it is. ns:NAME: a network namespace that ns_NAME makes ($ns is its name). tree:NAME: a made tree, $tree, of tree_NAME, in which
#          nothing runs: there `plan` has to agree. NAME: what host_NAME does to this host, and host_NAME_over undoes.

declare -gA words

base() { # NAME LINES: what stands before them, ending in [vm]; a section of theirs is not there
	printf '[memory]\nsize = 64M\nhugepages = off\n'
	case ${2:-} in *'[display]'*) ;; *) printf '[display]\nmode = none\n' ;; esac
	case ${2:-} in *'[cpu]'*) ;; *) printf '[cpu]\nthreads = 1\nisolate = off\n' ;; esac
	case ${2:-} in *'[firmware]'*) ;; *) printf '[firmware]\ntype = bios\n' ;; esac
	printf '[vm]\nname = %s\naccel = tcg\n' "$1"
}

# What `run` does with the configuration: "runs", "refused", or "neither" in the time that a slow host needs.
outcome() { # CONF
	: >run.err # here, for what runs beside this shell may do it later than the first look
	"${within[@]}" "$qlaunch" run "$1" >/dev/null 2>run.err 3>&- </dev/null & local pid=$!
	for _ in $(seq $((600 * ${LAB_PATIENCE:-1}))); do
		if grep -q 'running after' run.err; then
			"$qlaunch" stop --kill "$vm" >/dev/null 2>&1 || kill -KILL "$pid"
			wait "$pid" 2>/dev/null || true
			echo runs; return
		fi
		kill -0 "$pid" 2>/dev/null || { wait "$pid" 2>/dev/null || true; echo refused; return; }
		sleep 0.05
	done
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	echo neither
}
planned() { # CONF: the same of a tree, by what `plan` says
	if "$qlaunch" plan --root "$tree" "$1" >plan.out 2>&1 && ! grep -q '^cannot run here:' plan.out; then echo runs; else echo refused; fi
}

# One pair; false where the three do not agree. "NAME: …" is said then.
pair() { # VERDICT NAME LINES HOST
	local verdict=$1 name=$2 lines=$3 host=$4 said did word within=() tree='' ns=''
	for word in "${!words[@]}"; do lines=${lines//@$word/${words[$word]}}; done
	{ base "$vm" "$lines"; tr ';' '\n' <<<"${lines//@/$dir/}" | sed 's/^ *//'; } >x.conf
	case $host in
	'') ;;
	ns:*)
		ns=$vm-${host#ns:} within=(ip netns exec "$vm-${host#ns:}")
		[ -e "/run/netns/$ns" ] || { ip netns add "$ns"; ip -n "$ns" link set lo up; "ns_${host#ns:}"; } ;;
	tree:*)
		tree=$dir/tree-${host#tree:}
		[ -d "$tree" ] || "tree_${host#tree:}" ;;
	*) "host_$host" ;;
	esac
	"${within[@]}" "$qlaunch" check ${tree:+--root "$tree"} x.conf >check.out 2>&1 && said=runs || said=refused
	if [ -n "$tree" ]; then did=$(planned x.conf); else did=$(outcome x.conf); fi
	case $host in '' | *:*) ;; *) "host_${host}_over" ;; esac
	[ "$said" != "$did" ] || { [ "$verdict" != either ] && [ "$verdict" != "$did" ]; } || return 0
	echo "$name: wanted $verdict, check says $said, run $did"
	grep -h -A2 '✗' check.out || true
	tail -n 3 run.err 2>/dev/null || true
	return 1
}

# Every pair of the table; sets $pairs and $wrong.
all_pairs() { # FILE
	local verdict name lines host
	pairs=0 wrong=0
	while IFS='|' read -r verdict name lines host; do
		case $verdict in '#'* | '') continue ;; esac
		pairs=$((pairs + 1))
		pair "${verdict// /}" "$name" "$lines" "$host" || wrong=$((wrong + 1))
	done <"$1"
}
