# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # the jobs use what is set here
# lib.sh: what the lab's jobs share. Sourced by each job inside the virtual host, with BUILD set; never on a machine of one's own:
# it loads modules, adds a user and kills every QEMU it finds.
# A job says "ok - NAME" or "not ok - NAME" for each thing it checked; tests/lab/run numbers them. Other lines are for the reader.

top=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
build=${BUILD:?}
qlaunch=$build/qlaunch
gpu=0000:01:00.0 sound=0000:01:00.1
work=$(mktemp -d /var/lab/job.XXXXXX)
chmod 755 "$work"
export NO_COLOR=1

told=0
since() { [ $((SECONDS - told)) -lt 5 ] || echo "#   $((SECONDS - told)) s:"; told=$SECONDS; }
ok() { since; echo "ok - $*"; }
not_ok() { since; echo "not ok - $*"; }
note() { sed 's/^/#   /' | tail -n 40; }

check() { # NAME COMMAND...: passes when the command does; its output is shown when it does not
	local name=$1 out; shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name"; note <<<"$* -> $out"; return 1; fi
}
equal() { # NAME WANTED FOUND
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1"; note <<<"wanted \"$2\", found \"$3\""; return 1; fi
}
wait_for() { # SECONDS COMMAND...: until it passes
	local until=$((SECONDS + $1 * ${LAB_PATIENCE:-1})); shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.2
	done
}
ended() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"; }
exit_of() { # SECONDS PID: sets `code` to the exit status of a child of this shell, or to "still there"
	if wait_for "$1" ended "$2"; then wait "$2" && code=0 || code=$?; else code="still there"; fi
}

# --- what this host is, so that before and after can be compared by diff -----------------------------------------------------------------

files() { timeout 20 grep -sH '' "$@" || true; } # FILE...: "path:value" of each that is there, by one process: forks are dear here
pci_state() { # reading driver_override waits for ever behind an unbind that hangs
	find /sys/bus/pci/devices/*/driver -maxdepth 0 -printf '%p %l\n'
	files /sys/bus/pci/devices/*/{driver_override,reset_method,d3cold_allowed,power/control}
}
cgroup_state() {
	find /sys/fs/cgroup -type d | sort
	# a list of every CPU limits nobody, and Linux 6.1 lets nobody empty that of a group with processes
	find /sys/fs/cgroup \( -name cgroup.subtree_control -o -name 'cpuset.*' \) -exec grep -sH '' {} + |
		sed "s/\(cpuset\.cpus:\)0-$(($(nproc --all) - 1))$/\1/" | sort
}
unit_state() { # a disk that comes back has another number in the order of disks
	systemctl list-units --all --plain --no-legend | awk '!/by\\x2ddiskseq/ { print $1, $2, $3, $4 }' | sort
	find /run/systemd/transient /run/systemd/system.control /etc/systemd/system.control -type f 2>/dev/null | sort
}
process_state() { # affinities of what was there before the job, and every process that could be ours
	files /proc/{1,2,$$,$PPID}/limits
	local p
	for p in 1 2 "$$" "$PPID" $(pidof systemd-journald dbus-daemon); do grep -sH '^Cpus_allowed_list' "/proc/$p/status"; done
	grep -lsE '^(qemu|swtpm|qlaunch)' /proc/[0-9]*/comm || true
}
host_snapshot() { # FILE
	{
		pci_state
		cgroup_state
		unit_state
		process_state
		stat -c '%n %U:%G %a' /dev/kvm /dev/vfio/* /dev/net/tun 2>/dev/null
		files /sys/kernel/mm/hugepages/*/nr_hugepages /sys/devices/system/node/node*/hugepages/*/nr_hugepages
		files /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
		files /sys/devices/virtual/workqueue/cpumask /sys/class/vtconsole/*/bind /proc/irq/default_smp_affinity
		# an interrupt stays once it was asked for: one on every CPU is as good as none
		files /proc/irq/*/smp_affinity_list | grep -v ":0-$(($(nproc --all) - 1))$"
		find /run/qlaunch -mindepth 1 ! -name .claims 2>/dev/null | sort
		ls /sys/class/net
		cat /proc/mounts
	} >"$1"
}
same_host() { # NAME: the host is as `host_snapshot $work/before` found it
	host_snapshot "$work/after"
	if diff -U0 "$work/before" "$work/after" >"$work/diff"; then ok "$1"; else not_ok "$1"; note <"$work/diff"; return 1; fi
}

# --- CPU lists ---------------------------------------------------------------------------------------------------------------------------

cpu_set() { # "0-2,5" -> one CPU a line
	local part
	for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}
disjoint() { ! grep -qxFf <(cpu_set "$1") <(cpu_set "$2"); }

# --- machines ----------------------------------------------------------------------------------------------------------------------------

# The GPU's two functions get the drivers that a host's udev would have loaded, and there is an unprivileged user to run machines as.
lab_host() {
	modprobe -a aty128fb snd_hda_intel vfio_pci 2>/dev/null
	chmod 666 /dev/vfio/vfio # and udev's modes, too
	getent group kvm >/dev/null || groupadd kvm
	chgrp kvm /dev/kvm && chmod 660 /dev/kvm
	id player >/dev/null 2>&1 || useradd -m -s /bin/bash -G kvm player
	# what is made by who first asks, and stays: there before the first look
	mkdir -p /run/qlaunch /run/systemd/transient /run/systemd/system.control
	systemctl start dbus.service user.slice systemd-logind.service
	export SUDO_UID SUDO_GID SUDO_USER=player
	SUDO_UID=$(id -u player) SUDO_GID=$(id -g player)
}
driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver" || echo none)"; }
qemu_pid() { pidof -s qemu-system-x86_64; }
suspends() { cat /sys/power/suspend_stats/success; }
suspended() { [ "$(suspends)" -gt "$1" ]; } # COUNT: more often than that
its_interrupts() { # "vfio-msix[1](0000:02:00.0) 4-7": those that a guest's drivers have asked for, and where they may come
	local irq rest
	while read -r irq rest; do echo "${rest##* } $(cat "/proc/irq/${irq%:}/smp_affinity_list")"; done < <(grep vfio-msi /proc/interrupts)
}
interrupts_on() { [ -n "$(its_interrupts)" ] && ! its_interrupts | grep -v " $1$"; } # CPUS
launch() { # ARGUMENT...: qlaunch run in the background; $launcher is its pid, $log what it says
	log=$work/qlaunch.log serial=$work/serial
	: >"$serial"
	chmod 666 "$serial"
	"$qlaunch" run "$@" >"$log" 2>&1 &
	launcher=$!
}
guest_said() { tr -d '\r' <"$serial" | grep -q "^guest: $1"; }
told_or_dead() { guest_said ready || ended "$launcher"; }
guest_up() { # SECONDS: the guest told everything, or the launcher is dead: then false
	wait_for "$1" told_or_dead
	guest_said ready
}
show_run() { echo "# qlaunch said:"; note <"$log"; echo "# the guest said:"; tr -d '\r' <"$serial" | note; }
running() { wait_for 90 grep -q 'running after' "$log" || { not_ok "the machine starts"; show_run; finish; }; } # else there is no more to see
# A job ends with `finish`: only then is its exit status 0, whatever its last check said.
finish() { finished=1; exit; }
finished=
all_over() { # leave nothing for the next job, whatever went wrong in this one
	local p
	for p in $(pidof qlaunch qemu-system-x86_64 swtpm) $(pgrep stress-ng); do kill -KILL "$p" 2>/dev/null; done
	timeout 60 "$qlaunch" restore >/dev/null 2>&1
	rm -rf "$work"
	[ -n "$finished" ] && exit 0
	exit 1
}
trap all_over EXIT

direct_config() { # NAME: a machine that boots Debian's kernel directly, with both functions of the GPU, on the second L3
	cp "$build/guest/vmlinuz" "$build/guest/initrd.gz" "$work" # the user may not be able to read the build folder
	cat >"$work/$1.conf" <<-CONF
		[vm]
		name = $1
		accel = kvm
		[cpu]
		threads = 4
		place = l3 1
		isolate = partition
		hyperv = off
		[memory]
		size = 512M
		hugepages = off
		[firmware]
		type = bios
		[boot]
		kernel = $work/vmlinuz
		initrd = $work/initrd.gz
		cmdline = console=ttyS0 quiet guest.forever
		[console]
		serial = $work/serial
		[pci gpu]
		address = 01:00.0
		functions = group
		[display]
		mode = none
		# Without a screen of its own a BIOS machine gets the card's VGA ports, and QEMU 7.2 dies of a SIGSEGV here.
		video = virtio
	CONF
	chmod 644 "$work/$1.conf"
}

idle_config() { # NAME: the same without a system to boot, for launches that are only to be there
	direct_config "$1"
	sed -i '/^\[boot\]/,/^cmdline/d; s/^size = .*/size = 64M/' "$work/$1.conf"
}

# --- a newcomer's questions ---------------------------------------------------------------------------------------------------------------

# `qlaunch new NAME` on a terminal, as $newcomer; its first five questions get their defaults, but no disk, and the card that is not the host's:
# it is none that is plugged in, and so not proposed. Answers go to descriptor 7.
new_begin() { # NAME
	local question
	mkfifo "$work/answers"
	script -qefc "'$qlaunch' new $1" /dev/null <"$work/answers" >"$work/asked" 2>&1 &
	newcomer=$!
	exec 7>"$work/answers"
	for question in 'Graphics card' 'CPU threads' Memory 'Size of a new disk' 'ISO image'; do
		wait_for 60 grep -q "$question" "$work/asked"
		case $question in
		'Graphics card') echo 1 ;;
		'Size of a new disk') echo none ;;
		*) echo ;;
		esac >&7
	done
}

# --- keyboards and mice -------------------------------------------------------------------------------------------------------------------

by_id=/dev/input/by-id

# evdev.py, which obeys `do_it`, and names for its devices: $by_id/lab-event-kbd, -event-mouse, lab-late-event-mouse, lab-bench-event-mouse.
hand_begin() {
	cat >/etc/udev/rules.d/99-lab.rules <<-'RULES'
		SUBSYSTEM=="input", KERNEL=="event*", ATTRS{name}=="LAB keyboard", SYMLINK+="input/by-id/lab-event-kbd"
		SUBSYSTEM=="input", KERNEL=="event*", ATTRS{name}=="LAB mouse", SYMLINK+="input/by-id/lab-event-mouse"
		SUBSYSTEM=="input", KERNEL=="event*", ATTRS{name}=="LAB late", SYMLINK+="input/by-id/lab-late-event-mouse"
		SUBSYSTEM=="input", KERNEL=="event*", ATTRS{name}=="LAB bench", SYMLINK+="input/by-id/lab-bench-event-mouse"
	RULES
	systemctl start systemd-udevd.service systemd-logind.service
	udevadm control --reload
	mkfifo "$work/hand"
	"$top/tests/lab/evdev.py" "$work/hand" >"$work/hand.log" 2>&1 &
	hand=$!
	exec 9<>"$work/hand" # stays open between commands
	told_hand=0
}
hand_end() { echo end >&9; wait "$hand"; }
obeyed() { [ "$(wc -l <"$work/hand.log")" -ge "$told_hand" ]; }
do_it() { # COMMAND...: returns when it is done
	echo "$*" >&9
	told_hand=$((told_hand + 1))
	wait_for 20 obeyed || note <"$work/hand.log"
}
press() { do_it key "$1" "$2" 1; do_it key "$1" "$2" 0; }
toggle() { do_it key keyboard 29 1; do_it key keyboard 97 1; do_it key keyboard 97 0; do_it key keyboard 29 0; } # both Ctrl keys

# --- a monitor ----------------------------------------------------------------------------------------------------------------------------

monitor_begin() { modprobe -a vhci-hcd i2c-tiny-usb i2c-dev; monitor=; }
plug() { # OPTION...: another monitor (usb-monitor.py) in place of the one there is; $said is what it says
	[ -z "$monitor" ] || unplug
	said=$work/monitor
	python3 "$top/tests/lab/usb-monitor.py" "$@" >"$said" 2>&1 &
	monitor=$!
	wait_for 30 i2c_there
}
unplug() { kill "$monitor"; monitor=; wait_for 20 test ! -e "/dev/i2c-$bus"; }
i2c_there() { bus=$(grep -l i2c-tiny-usb /sys/bus/i2c/devices/i2c-*/name | sed 's/.*i2c-\([0-9]*\).*/\1/') && [ -e "/dev/i2c-$bus" ]; }
inputs_set() { sed -n 's/^monitor: vcp 0x60 = //p' "$said" | tr '\n' ' '; }
shows() { [ "$(sed -n 's/^monitor: vcp 0x60 = //p' "$said" | tail -n 1)" = "$1" ]; }
machine() { # OPTION...: a machine that has nothing to boot, with this monitor
	cat >"$work/seen.conf" <<-CONF
		[vm]
		name = seen
		accel = tcg
		[cpu]
		threads = 1
		isolate = off
		[memory]
		size = 32M
		[firmware]
		type = bios
		[monitor main]
		match = LAB
		guest-input = 0x12
	CONF
	chmod 644 "$work/seen.conf"
	launch "$work/seen.conf" "$@"
	check "the machine runs" wait_for 90 grep -q 'running after' "$log" || show_run
}
