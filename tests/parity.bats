#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A yes of `check` is a promise: for each pair of host and configuration in tests/parity/pairs, what `check` says is what `run` does. A refusal
# that is new adds its line there.

load machine

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	build=$(readlink -f "${BUILD:-build}") pairs=$(readlink -f tests/parity/pairs)
	qlaunch=$build/qlaunch dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run
	mkdir -p "$XDG_RUNTIME_DIR"
	cd "$dir"
	other=po-$$ vm=pp-$$
}
teardown() {
	[ -z "${holder:-}" ] || kill "$holder" || true
	for m in "$vm" "$other"; do "$qlaunch" restore "$m" >/dev/null 2>&1 || true; done
	[ -z "${free:-}" ] || losetup -d "$free" || true
	[ -z "${used:-}" ] || losetup -d "$used" || true
	[ -z "${locked:-}" ] || losetup -d "$locked" || true
	cd /
}

base() { # NAME
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\nhugepages = off\n[display]\nmode = none\n' "$1"
}

# The host of the table: what its lines name by @WORD.
make_host() {
	local f
	for f in vmdk vdi vhdx vpc qed qcow2; do qemu-img create -q -f $f a.$f 8M; done
	qemu-img create -q -f vpc -o subformat=fixed fixed.img 8M
	printf 'LUKS\xba\xbe\0\2' >luks.img; truncate -s 4M luks.img # by hand: the real one times its key, which a loaded host fails
	qemu-img create -q -f qcow2 -b "$dir/a.qcow2" -F qcow2 on.qcow2; qemu-img create -q -f qcow2 -b "$dir/a.vmdk" -F vmdk onvmdk.qcow2
	qemu-img create -q -f qcow2 base.qcow2 8M; qemu-img create -q -f qcow2 -b "$dir/base.qcow2" -F qcow2 orphan.qcow2; rm base.qcow2
	truncate -s 8M a.img b.img other.img free.img used.img locked.img; : >empty.img; head -c 70000 a.qcow2 | head -c 50 >torn.qcow2
	echo text | gzip >a.img.gz; echo text | xz >a.img.xz; head -c 64K /dev/urandom >broken.iso; mkdir folder; mkfifo fifo
	{ head -c 32768 /dev/zero; printf '\001CD001\001'; head -c 4096 /dev/zero; } >good.iso
	printf '#!/bin/sh\nexit 0\n' >ok.sh; chmod 755 ok.sh; printf '#!/bin/sh\n' >plain.sh; chmod 644 plain.sh
	cp ok.sh fails.sh
	head -c 1000 /dev/zero >small.fd; mkfifo fifo.fd
	free=$(losetup -f --show free.img)
	mkfs.ext4 -q -F used.img; used=$(losetup -f --show used.img)
	locked=$(losetup -r -f --show locked.img)
	mkdir mnt
	unshare -m --propagation private sh -c "mount $used mnt && echo >ready; exec sleep 600" 3>&- & holder=$!
	for _ in $(seq 100); do [ ! -e ready ] || break; sleep 0.1; done
	{ base "$other"; printf '[firmware]\ntype = bios\n[disk d]\npath = %s/other.img\n' "$dir"; } >other.conf
	launch other.conf other.err
	pid_other=$pid
}

# What `run` does with the configuration: "runs" or "refused".
outcome() { # CONF
	"$qlaunch" run "$1" >/dev/null 2>run.err 3>&- </dev/null & pid=$!
	for _ in $(seq 300); do
		if grep -q 'running after' run.err; then
			"$qlaunch" stop --kill "$vm" >/dev/null 2>&1 || kill -KILL "$pid"
			wait "$pid" 2>/dev/null || true
			echo runs; return
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	wait "$pid" 2>/dev/null || true
	echo refused
}

@test "what check says is what run does" {
	make_host
	local n=0 wrong=0 said line verdict lines name did
	while IFS='|' read -r verdict name lines; do
		case $verdict in '#'* | '') continue ;; esac
		verdict=${verdict// /}
		lines=${lines//@free/$free}; lines=${lines//@used/$used}; lines=${lines//@locked/$locked}; lines=${lines//@other/$other}; lines=${lines//@/$dir/}
		{ base "$vm"; case $lines in *'[firmware]'*) ;; *) printf '[firmware]\ntype = bios\n' ;; esac; tr ';' '\n' <<<"$lines" | sed 's/^ *//'; } >x.conf
		"$qlaunch" check x.conf >check.out 2>&1 && said=runs || said=refused
		did=$(outcome x.conf)
		n=$((n + 1))
		if [ "$said" != "$did" ] || [ "$verdict" != "$did" ]; then
			wrong=$((wrong + 1))
			echo "$name: wanted $verdict, check says $said, run $did"; grep -h '✗' check.out || true; tail -n 3 run.err
		fi
	done <"$pairs"
	kill -KILL "$pid_other"; wait "$pid_other" 2>/dev/null || true
	echo "# $n pairs" >&3
	[ "$n" -ge 80 ]
	[ "$wrong" -eq 0 ]
}
