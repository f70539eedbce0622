# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A gamepad that comes, goes and comes again while the guest runs, by its id; another run has it by its port, and its launcher and QEMU are
# killed: the host's driver has it back each time.
# check: no: `make lab` runs it
# seconds: 400
. "$(dirname "$0")/../lib.sh"
lab_host
systemctl start systemd-udevd.service systemd-logind.service
modprobe -a usbhid hid-generic
plug() {
	"$(dirname "$0")/../usb-pad.py" >"$work/pad.log" 2>&1 &
	pad=$!
	wait_for 20 pad_driver usbhid || note <"$work/pad.log"
}
unplug() { kill "$pad"; wait "$pad" 2>/dev/null; }
pad_name() { grep -lsx 1209 /sys/bus/usb/devices/*/idVendor | head -n 1 | xargs -r dirname | xargs -r basename; }
pad_driver() { [ "$(basename "$(readlink "/sys/bus/usb/devices/$(pad_name):1.0/driver" || echo none)")" = "$1" ]; }
ask_qemu() { # VM COMMAND ARGUMENTS: by its second monitor
	python3 - "/run/qlaunch/$1/monitor" "$2" "$3" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); f = s.makefile("rw")
		for command in ({"execute": "qmp_capabilities"}, {"execute": sys.argv[2], "arguments": json.loads(sys.argv[3])}):
		    f.write(json.dumps(command) + "\n"); f.flush()
		    while "return" not in (answer := json.loads(f.readline())) and "error" not in answer: pass
		print(answer.get("return", answer))
	END
}
times() { [ "$(tr -d '\r' <"$serial" | grep -c "^guest: usb 1209:0001 $1\$")" -eq "$2" ]; }

direct_config pad
sed -i -e '/^\[pci/,/^functions/d' -e 's/^threads = .*/threads = 1/' -e 's/^isolate = .*/isolate = off/' -e 's/guest.forever/guest.usb &/' "$work/pad.conf"
cp "$work/pad.conf" "$work/port.conf"
printf '[usb pad]\nid = 1209:0001\n' >>"$work/pad.conf"
host_snapshot "$work/before"
launch "$work/pad.conf"
check "the guest is up" guest_up 150 || { show_run; finish; }
plug
check "plugged in: the launcher hands it over" wait_for 30 grep -q "is the guest's" "$log" || show_run
check "the guest has it" wait_for 60 times came 1 || show_run
check "the host's driver has let go" pad_driver usbfs
check "QEMU may not open its node" test "$(stat -c %u "/dev/bus/usb/$(printf '%03d/%03d' "$(cat "/sys/bus/usb/devices/$(pad_name)/busnum")" "$(cat "/sys/bus/usb/devices/$(pad_name)/devnum")")")" = 0
unplug
check "unplugged: the guest hears of it" wait_for 30 times went 1 || show_run
check "the launcher says so" grep -q 'USB device .* is gone' "$log"
plug
check "plugged in again: the guest has it again" wait_for 60 times came 2 || show_run
timeout 60 "$qlaunch" stop --now pad >/dev/null 2>&1
exit_of 60 "$launcher"
equal "the launcher's exit status" 0 "$code" || show_run
check "the host's driver has it back" wait_for 10 pad_driver usbhid

sed -i 's/^name = pad/name = port/' "$work/port.conf"
printf '[usb pad]\nport = %s\n' "$(pad_name)" >>"$work/port.conf"
launch --set boot.order=pad "$work/port.conf"
check "by its port, there from the start: the guest is up" guest_up 150 || { show_run; finish; }
check "named in boot.order, it is there before the guest runs" test "$(grep -oE "is the guest's|running after" "$log" | head -n 1)" = "is the guest's" || show_run
equal "and in QEMU's boot order" 1 "$(ask_qemu port qom-get '{"path": "/machine/peripheral/usb-pad-0", "property": "bootindex"}')"
check "the guest has it" wait_for 60 times came 1 || show_run
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "the launcher killed: restore" 0 $? || note <"$work/restore"
check "the host's driver has it back" pad_driver usbhid

launch "$work/port.conf"
check "once more: the guest has it" wait_for 200 times came 1 || show_run
kill -KILL "$(qemu_pid)"
exit_of 60 "$launcher"
equal "QEMU killed: the launcher's exit status" 1 "$code" || show_run
check "the host's driver has it back" pad_driver usbhid
unplug
same_host "the host is as before"
finish
