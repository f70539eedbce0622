#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The caches that a guest sees are those that the plan names, in size and sharing, level by level: a real guest's own words, with what is
# planned for a captured host of two L3 caches. Emulated, so the flag by which AMD's processors tell of it is forced.

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return
	build=$(readlink -f "${BUILD:-build}") qlaunch=$build/qlaunch dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_CACHE_HOME=$dir/cache LC_ALL=C.UTF-8
	tests/captured/capture ryzen "$dir/host"
	# the captured host has this one's QEMU
	"$qlaunch" plan configs/direct.conf >"$dir/asked"
	mkdir -p "$dir/host/var/cache/qlaunch"
	grep -l '"key": *"/usr/bin/qemu-system-x86_64 ' "$dir"/cache/qlaunch/*.json /var/cache/qlaunch/qemu-*.json 2>"$dir/none" | head -n 1 |
		xargs -I @ cp @ "$dir/host/var/cache/qlaunch/qemu.json"
	cat >"$dir/vm.conf" <<-END
		[vm]
		accel = tcg
		[cpu]
		threads = 8
		place = 0-1,16-17,8-9,24-25
		emulator = 15,31
		isolate = off
		[memory]
		size = 256M
		hugepages = off
		[firmware]
		type = bios
		[boot]
		kernel = $build/guest/vmlinuz
		initrd = $build/guest/initrd.gz
		cmdline = console=ttyS0 quiet no_timer_check
		[console]
		serial = $dir/serial
	END
}

sees() { # MODEL FLAG...: `planned` is the plan's line on the processor, `seen` what the guest said of its caches
	local model=$1; shift
	planned=$("$qlaunch" plan --root "$dir/host" --set "cpu.model=$model" --set "cpu.flags=$*" "$dir/vm.conf" | tr -s ' \n' ' ' | grep -o "# [^#]* -cpu $model")
	"$qlaunch" export --sh --root "$dir/host" --set "cpu.model=$model" --set "cpu.flags=$*" "$dir/vm.conf" >"$dir/vm" 2>"$dir/said" || true
	timeout -k 5 240 sh "$dir/vm" >"$dir/log" 2>&1 </dev/null || { tail -n 3 "$dir/log" "$dir/serial"; return 1; }
	seen=$(tr -d '\r' <"$dir/serial" | sed -n 's/^guest: cache //p')
	echo "$planned"; echo "$seen"
}

@test "a model of AMD's: its own sizes, siblings share L1 and L2, each die an L3" {
	sees EPYC-Milan -pcid -invpcid -rdseed -sha-ni -rdpid -fsrm -fxsr-opt -misalignsse -3dnowprefetch -osvw -perfctr-core -clzero -xsaveerptr \
		-wbnoinvd -ibpb -ibrs -amd-stibp -amd-ssbd -nrip-save -xsavec -xsaves +topoext x-force-features=on
	[[ $planned == *"caches in that model's sizes, an L3 for each die"* ]]
	# where QEMU can be told who shares which (10.0), it was told
	[ "$(grep -c smp-cache "$dir/vm")" -eq "$(qemu-system-x86_64 -machine q35,help | grep -c smp-cache)" ]
	[ "$seen" = 'L1d 32K 0-1 2-3 4-5 6-7
L1i 32K 0-1 2-3 4-5 6-7
L2 512K 0-1 2-3 4-5 6-7
L3 32768K 0-3 4-7' ]
}
