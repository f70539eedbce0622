#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Keyboards, mice and USB devices: what is listed and planned for a captured host, and machines that wait for what is not there.

load machine

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data
	root=$BATS_TEST_TMPDIR/root vm=i$BATS_TEST_NUMBER-$$
	mkdir -p "$XDG_RUNTIME_DIR" "$root/dev/input/by-id" "$root/etc"
	device 2 'LAB Keyboard' '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe' 0 kbd
	device 3 'LAB Mouse' '1f0000 0 0 0 0' 903 mouse
	conf=$BATS_TEST_TMPDIR/$vm.conf
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$conf"
}
teardown() {
	[ -z "${pid:-}" ] || kill -KILL "$pid" 2>/dev/null || true
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
}
device() { # NUMBER NAME KEYS REL LINK
	local d=$root/sys/class/input/event$1/device
	mkdir -p "$d/capabilities" "$d/id"
	echo "$2" >"$d/name"; echo "$3" >"$d/capabilities/key"; echo "$4" >"$d/capabilities/rel"; echo 0 >"$d/capabilities/abs"
	echo 046d >"$d/id/vendor"; echo "c52$1" >"$d/id/product"
	touch "$root/dev/input/event$1"
	ln -s "../event$1" "$root/dev/input/by-id/usb-LAB-event-$5"
}
kbd=/dev/input/by-id/usb-LAB-event-kbd

@test "input lists devices by the names they keep; in a pipe it ends by itself" {
	run "$qlaunch" input --root "$root"
	[ "$status" -eq 0 ]; [[ ${lines[0]} == "$kbd" ]]; [[ ${lines[1]} == *"LAB Keyboard (046d:c522): keyboard, "*"/dev/input/event2" ]]
	[ "$("$qlaunch" input --root "$root" --json | jq -r '.[] | select(.mouse) | "\(.device) \(.buttons)"')" = "/dev/input/by-id/usb-LAB-event-mouse 5" ]
	run timeout 20 "$qlaunch" input
	[ "$status" -eq 0 ]
}

@test "a keyboard without a link: input and check propose what it says of itself, by which it is found under any number" {
	device 7 'Keychron K2' '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe' 0 gone
	rm "$root/dev/input/by-id/usb-LAB-event-gone"
	echo dc:2c:26:01:02:03 >"$root/sys/class/input/event7/device/uniq"
	word=uniq:dc:2c:26:01:02:03
	"$qlaunch" input --root "$root" | grep -qx "$word"
	said() { "$qlaunch" check --root "$root" --set "input k.device=$1" "$conf" 2>&1 | tr -s '\n ' ' '; }
	printf '[input k]\ndevice = /dev/input/event7\n' >>"$conf"
	[[ $(said /dev/input/event7) == *"may be another device after the next start → device = $word"* ]]
	mv "$root/sys/class/input/event7" "$root/sys/class/input/event9"; mv "$root/dev/input/event7" "$root/dev/input/event9"
	[[ $(said /dev/input/event7) == *"/dev/input/event7 is not there"* ]]
	for way in $word 'name:Keychron K2' "$word name:Keychron K2"; do [[ $(said "$way") == *"✓ input --set input k.device: $way is Keychron K2"* ]]; done
	plan=$("$qlaunch" plan --json --root "$root" --set "input k.device=$word" --set 'input k.persistent=no' "$conf")
	jq -r '.qemu[]' <<<"$plan" | grep -q '"evdev":"/dev/input/event9"'
	run "$qlaunch" check --root "$root" --set "input k.device=name:" "$conf"
	[ "$status" -eq 3 ]; [[ $output == *"is no device such as uniq:"* ]]
	sed -i "s/^device = .*/device = $word/" "$conf"; run "$qlaunch" export --libvirt "$conf"
	[ "$status" -eq 0 ]; [[ $output != *evdev* ]]; [[ $output == *"$word"* ]]
}

@test "input: a wrong number of seconds is wrong usage" {
	run "$qlaunch" input --seconds soon
	[ "$status" -eq 2 ]; [[ $output == *soon* ]]
}

@test "plan: a twin before the keyboard, QEMU's object on the twin, virtio devices, toggle" {
	printf '[input k]\ndevice = %s\ntoggle = scrolllock\n[input m]\ndevice = /dev/input/event3\npersistent = no\n' $kbd >>"$conf"
	plan=$("$qlaunch" plan --json --root "$root" "$conf")
	[ "$(jq -r '.steps[] | select(.kind == "twin") | "\(.target) \(.now)"' <<<"$plan")" = "$kbd absent" ]
	object() { jq -r '.qemu[] | select(contains("input-linux")) | fromjson | select(.id == "input-'"$1"'") | '"$2" <<<"$plan"; }
	[ "$(object k '[.grab_all, ."grab-toggle"] | join(" ")')" = "true scrolllock" ]
	[[ $(object k .evdev) == */$vm/input-k ]]
	[ "$(object m .evdev)" = /dev/input/event3 ]
	[ "$(jq -r '[.qemu[] | select(test("virtio-(keyboard|mouse)-pci"))] | length' <<<"$plan")" -eq 2 ]
}

@test "a keyboard that is not there is refused with what to do; with wait = yes the machine runs, and no second one gets it" {
	printf '[input k]\ndevice = /dev/input/by-id/nobody-event-kbd\npersistent = no\n' >>"$conf"
	run "$qlaunch" run "$conf"
	[ "$status" -eq 4 ]; [[ $output == *nobody-event-kbd*"is not there"*wait* ]]
	printf 'wait = yes\n[usb pad]\nid = 1209:0001\n' >>"$conf"
	start
	for same in 'input k.device=/dev/input/by-id/nobody-event-kbd' 'input k.device=/dev/input/by-id/other-event-kbd'; do
		run "$qlaunch" run --set "vm.name=$vm-2" --set "$same" "$conf"
		[ "$status" -eq 4 ]; [[ $output == *"belongs to $vm"* ]] # the keyboard; then the gamepad
	done
	"$qlaunch" stop --now "$vm"
	wait "$pid"
}
