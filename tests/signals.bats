#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# A launch of root's for a user that is ended in the middle: by the terminal's Ctrl-C, which goes to every process of its foreground group, and by
# signals to the launcher alone. Each program that starts on the way can be stopped before it begins (a stand-in of its name waits, then is the
# real one), so the moment is known and not a matter of time. After each: nothing runs, nothing is left, and `after` ran where `before` did.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	open=$(mktemp -d -p /var/tmp); chmod 755 "$open"
	user=qlsig$$ vm=s$BATS_TEST_NUMBER-$$
	useradd -M -d "$open/home" "$user"
	mkdir -m 777 "$open/home" "$open/at"; mkdir "$open/bin"; chown "$user" "$open/home"
	for program in nft swtpm dnsmasq qemu-system-x86_64 hook; do
		real=$(command -v $program || echo true)
		cat >"$open/bin/$program" <<-STAND-IN
			#!/bin/sh
			case "\$*" in *"-machine none"*) exec $real "\$@" ;; esac # is only asked what it can
			call="$program\${QLAUNCH_HOOK:+ \$QLAUNCH_HOOK} \$*"
			echo "\$call" >>$open/at/calls
			if grep -qE -f $open/at/moment <<WORDS && mkdir $open/at/there 2>/dev/null; then
			\$call
			WORDS
				until [ -e $open/at/go ]; do sleep 0.05; done
			fi
			exec $real "\$@"
		STAND-IN
	done
	chmod 755 "$open"/bin/*
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[tpm]\nversion = 2.0
		[network lan]\nmode = nat\n[hooks]\nbefore = %s/bin/hook\nafter = %s/bin/hook\n' "$vm" "$open" "$open" | tr -d '\t' >"$open/s.conf"
}
teardown() {
	[ -z "${open:-}" ] || { "$qlaunch" restore "$vm" >/dev/null 2>&1 || true; userdel "$user"; rm -rf "$open"; }
}

# MOMENT SIGNAL, in a network of its own: the launch, its end by the signal at that moment; "exit STATUS" is the last line.
ended_at() {
	: >"$open/at/calls"; rm -rf "$open/at/there" "$open/at/go"
	echo "$1" >"$open/at/moment"
	chmod 666 "$open/at/calls"
	cat >"$open/host" <<-'HOST'
		mount -t sysfs sysfs /sys # which shows this network, and not the one that it was mounted in
		ip link set lo up; ip link add d0 type veth peer name d1; ip link set d1 up
		ip addr add 198.51.100.1/24 dev d0; ip link set d0 up; ip route add default via 198.51.100.2
		mount --bind "$open/bin" /usr/local/bin
		state() { ip -br link | awk '{ print $1 }'; ip -4 -br addr | awk '{ print $1, $3 }'; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward; }
		state >"$open/before"
		# until the stand-in waits; then the signal, which waits at the launcher that blocks it; then the stand-in goes on
		launcher="pgrep -xf '$qlaunch run $open/s.conf'"
		wait="until [ -d $open/at/there ]; do sleep 0.05; done"
		arrived="until [ \$((0x\$(sed -n 's/^ShdPnd:.//p' /proc/\$($launcher)/status) & MASK)) -ne 0 ]; do sleep 0.05; done"
		steps=()
		[[ $(cat "$open/at/moment") != *delete* ]] || steps=("wait:running after" "run:$qlaunch stop --now $vm >/dev/null 2>&1 &")
		case $signal in
		terminal) steps+=("run:$wait" 'key:\x03' "run:${arrived/MASK/2}; touch $open/at/go") ;; # SIGINT is 2
		*) steps+=("run:$wait; kill -$signal \$($launcher); ${arrived/MASK/$((1 << ($(kill -l "$signal") - 1)))}; touch $open/at/go") ;;
		esac
		SUDO_UID=$(id -u "$user") tests/terminal.py "${steps[@]}" -- "$qlaunch" run "$open/s.conf"
		state | diff "$open/before" -
	HOST
	export signal=$2 open qlaunch vm user
	run timeout 100 unshare -mn --propagation private bash "$open/host"
	echo "$1, $2: $output"
}

nothing_left() {
	[ ! -e "/run/qlaunch/$vm" ]
	[ "$(grep -c '^hook after' "$open/at/calls")" -eq 1 ]
	for _ in $(seq 50); do pgrep -u "$user" >/dev/null || break; sleep 0.1; done # a stand-in's own `sleep`
	run pgrep -u "$user" -a
	echo "$output"; [ -z "$output" ]
}

@test "Ctrl-C and signals while a hook runs, and while networks, TPM and QEMU begin: nothing is left of a user's launch as root" {
	local moments=('^hook before' '^nft -- table' '^dnsmasq' '^swtpm' '^qemu') others=(TERM INT HUP TERM INT) n
	for n in "${!moments[@]}"; do
		for signal in terminal "${others[n]}"; do
			ended_at "${moments[n]}" "$signal"
			[ "$status" -eq 0 ]; [[ $output == *"stopped before the guest began"*"exit 1, terminal kept"* ]]
			nothing_left
		done
	done
}

@test "Ctrl-C and signals on the way back reach no program that gives something back" {
	for signal in terminal TERM; do
		ended_at '^nft -- delete' "$signal"
		[ "$status" -eq 0 ]; [[ $output == *"ended after"*"exit 0, terminal kept"* ]]
		nothing_left
	done
}
