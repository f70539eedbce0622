#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The caches that a guest sees are those that the plan names, in size and sharing, level by level: a real guest's own words, with what is
# planned for a captured host of two L3 caches, and for this one. Emulated, so the flag by which AMD's processors tell of it is forced.

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

sees() { # MODEL FLAG...: `planned` is the plan's line on the processor, `seen` what the guest said of its caches; `host`: of which root it is
	local model=$1; shift
	planned=$("$qlaunch" plan --root "${host-$dir/host}" --set "cpu.model=$model" --set "cpu.flags=$*" "$dir/vm.conf" | tr -s ' \n' ' ' | grep -o "# [^#]* -cpu $model")
	"$qlaunch" export --sh --root "${host-$dir/host}" --set "cpu.model=$model" --set "cpu.flags=$*" "$dir/vm.conf" >"$dir/vm" 2>"$dir/said" || true
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

@test "a model of Intel's, below one L3: siblings share what QEMU can say that they do" {
	sed -i 's/^place = .*/place = 0-3,16-19/' "$dir/vm.conf"
	sees Skylake-Client x-force-features=on -pcid -hle -rtm -invpcid -xsavec -xsaves -3dnowprefetch -tsc-deadline
	[[ $planned == *"caches in that model's sizes, an L3 for each die"* ]]
	# before QEMU 10.0 an Intel's L1 is never shared, whatever -smp says
	local l1='0-1 2-3 4-5 6-7'
	grep -q smp-cache "$dir/vm" || l1='0 1 2 3 4 5 6 7'
	[ "$(cut -d' ' -f1,3- <<<"$seen" | xargs)" = "L1d $l1 L1i $l1 L2 0-1 2-3 4-5 6-7 L3 0-7" ]
}

@test "caches = host: this processor's own, as its kernel sees them" {
	# the processor's own words on caches are of a form that is its maker's
	case $(sed -n 's/^vendor_id.*: //p;T;q' /proc/cpuinfo) in AuthenticAMD) maker=(vendor=AuthenticAMD +topoext x-force-features=on) ;; *) maker=(vendor=GenuineIntel) ;; esac
	sed -i -e "s/^threads = .*/threads = $(nproc)/" -e '/^place/d; /^emulator/d' -e 's/^isolate = .*/&\ncaches = host/' "$dir/vm.conf"
	host=/ sees max "${maker[@]}"
	[[ $planned == *"caches as the host has them, in size and sharing"* ]]
	grep -q 'host-cache-info=on,l3-cache=off' "$dir/vm"
	own=$(for c in /sys/devices/system/cpu/cpu0/cache/index*; do
		echo "L$(<"$c/level")$(case $(<"$c/type") in Data) echo d ;; Instruction) echo i ;; esac) $(<"$c/size")"
	done)
	[ "$(cut -d' ' -f1,2 <<<"$seen")" = "$own" ]
}
