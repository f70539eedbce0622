# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A host with one graphics card, and what README says of it, word by word: its commands are read there and typed by a user, with a real sudo. The
# machine that `new` proposes is put into /etc/qlaunch, is started by its unit as root, takes the card from a desktop that runs, and has a network;
# at its end the desktop is back. Between the commands one thing is done by hand: there is no Windows here, and OVMF below the nested KVM is
# what this emulator cannot do, so it gets a kernel to boot.
# check: no: `make lab` runs it
# seconds: 600
. "$(dirname "$0")/../lib.sh"
lab_host
unset SUDO_UID SUDO_GID SUDO_USER
echo 1 >/sys/bus/pci/devices/0000:00:03.0/remove # the other card
cd "$top" && make -s install PREFIX=/usr BUILD="$build" >"$work/install" 2>&1 || note <"$work/install"
qlaunch=/usr/bin/qlaunch
printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/desktop.service
ln -s desktop.service /etc/systemd/system/display-manager.service
systemctl daemon-reload
systemctl start desktop.service
echo 'player ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/player
ip link set lo up
ip link add out0 type veth peer name out1 && ip link set out1 up && ip addr add 198.51.100.1/24 dev out0 && ip link set out0 up &&
	ip route add default via 198.51.100.2 dev out0 # passt takes the host's way out, and there must be one
home=$(getent passwd player | cut -d: -f6) serial=$home/serial conf=/etc/qlaunch/win11.conf
host_snapshot "$work/before"

# README's commands, without what is said of them
commands() { # the last `new` before the unit is started, and what follows it
	sed -n 's/^    //; s/  *#.*//; /^qlaunch new win11/h; /^qlaunch new win11/!H; /^sudo systemctl start/{ g; p; q }' "$1" | grep -E '^(sudo|qlaunch) '
}
mapfile -t words < <(commands "$top/README.md")
equal "README has three commands for it" 3 "${#words[@]}" || finish
equal "README.pt-BR has the same" "$(commands "$top/README.md")" "$(commands "$top/README.pt-BR.md")"
typed() { # COMMAND: by the user, on a terminal
	runuser -l player -c "script -qefc '$1' /dev/null"
}
mkfifo "$work/answers"
typed "${words[0]}" <"$work/answers" >"$work/asked" 2>&1 &
new=$!
exec 7>"$work/answers"
answer() { # QUESTION ANSWER
	wait_for 100 grep -q "$1" "$work/asked" || { not_ok "new asks: $1"; note <"$work/asked"; }
	echo "$2" >&7
}
answer 'Graphics card for the guest (or none) \[none\]' 1
answer 'CPU threads' ''
answer Memory ''
answer 'Size of a new disk' 1G
answer 'ISO image' none
answer 'Keyboard for the guest' none
answer 'Mouse for the guest' none
exec 7>&-
exit_of 60 $new
equal "${words[0]}: exit status" 0 "$code" || note <"$work/asked"
check "new: the only card is named as the host's own" grep -q '1  01:00.0 .*: the host.s own' "$work/asked" || note <"$work/asked"
for command in "${words[@]:1}"; do
	check "new: says: $command" grep -qF "${command/\~/$home}" "$work/asked" || note <"$work/asked"
done
check "${words[1]}" typed "${words[1]}"
equal "the file is root's" "root root 644" "$(stat -c '%U %G %a' $conf)"
value() { awk -v s="[$1]" -v k="$2" '$0 == s { on = 1; next } /^\[/ { on = 0 } on && $1 == k { sub(/^[^=]*= */, ""); print }' $conf; }
equal "it says for whom, with which card and network, and that the desktop ends" "player 01:00.0 group user yes" \
	"$(value vm user) $(value 'pci gpu' address) $(value 'pci gpu' functions) $(value 'network lan' mode) $(value host release-console)"
equal "its disk is the user's" player "$(stat -c %U "$(value 'disk main' path)")"

cp "$build/guest/vmlinuz" "$build/guest/initrd.gz" "$home"
runuser -u player -- touch "$serial"
sed -i 's/^type = uefi/type = bios/; /^secure-boot/d; s/^size = .*/size = 384M/; s/^hugepages = .*/hugepages = off/' $conf
sed -i "s|^\[console\]|[boot]\nkernel = $home/vmlinuz\ninitrd = $home/initrd.gz\ncmdline = console=ttyS0 quiet guest.net guest.forever\n&\nserial = $serial|" $conf
sed -i 's/^mode = none/&\nvideo = virtio/' $conf # without a screen of its own a BIOS machine gets the card's VGA ports, and QEMU 7.2 dies of it
log=$work/unit.log
check "${words[2]}" typed "${words[2]}"
is() { [ "$(systemctl is-active "$1")" = "$2" ]; }
told() { guest_said ready || ! is qlaunch@win11.service active; }
wait_for 300 told
journalctl -u qlaunch@win11.service --no-pager >"$log" 2>&1
check "the guest is up" guest_said ready || { show_run; systemctl status --no-pager qlaunch@win11.service | note; finish; }
owner() { stat -c %U "/proc/${1:-nobody}"; }
equal "QEMU is who it was made for" player "$(owner "$(qemu_pid)")"
check "the guest has an address" guest_said 'lease eth0 [0-9]' || show_run
equal "by passt, as that user" player "$(owner "$(pidof -s passt passt.avx2)")"
equal "the TPM, too" player "$(owner "$(pidof -s swtpm)")"
check "it sees the card" guest_said 'pci .* 1002:5046 ' || show_run
equal "which is the guest's now" vfio-pci "$(driver_of "$gpu")"
equal "the desktop is stopped" inactive "$(systemctl is-active desktop.service)"
check "its user sees it without root" bash -c "runuser -l player -c 'qlaunch status' | grep -q 'win11.*sudo qlaunch stop win11'"
check "and stops it" typed 'sudo qlaunch stop --now win11'
check "the unit ends" wait_for 60 is qlaunch@win11.service inactive || systemctl status --no-pager qlaunch@win11.service | note
check "the desktop is back" wait_for 60 is desktop.service active
check "nothing is left of it" wait_for 30 test ! -d /run/qlaunch/win11
equal "the card is the host's" "$(sed -n "s|.*/$gpu/driver .*/||p" "$work/before")" "$(driver_of "$gpu")"
wait_for 20 bash -c '! systemctl -q is-active qlaunch-restore@win11.service && [ ! -d /sys/fs/cgroup/qlaunch_win11.slice ]'
host_snapshot "$work/after"
# a user's session, and the slice that a unit has run in, are systemd's own
uid=$(id -u player)
equal "the host is as before" '' "$(diff -U0 "$work/before" "$work/after" | grep '^[+-][^+-]' |
	grep -vE "user(-runtime-dir)?[-@]$uid|run[-/]user[-/]$uid|user\.slice/cgroup\.subtree_control|system-qlaunch\.slice|systemd-oomd\.service|^\+/proc/")"
finish
