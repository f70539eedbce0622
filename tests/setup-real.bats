#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# setup with a distribution's real programs (tests/layouts/real): GRUB's menu, initramfs-tools' and dracut's images, systemd-boot's entries,
# and stand-ins of what Debian has not; proven, put back when
# they fail, and undone.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	read -r KERNEL V <<<"$(tests/lab/kernel "${BUILD:-build}")"
	export KERNEL V
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	[ "$(id -u)" -eq 0 ] || skip "a view of the machine is root's"
	for tool in mkinitramfs dracut grub-mkconfig lsinitrd kernel-install; do
		command -v "$tool" >/dev/null || skip "$tool is not here: Debian has it"
	done
}
real() { # SCRIPT: inside, the few modules that a test needs
	run tests/layouts/real "$PWD/${BUILD:-build}/qlaunch" "$KERNEL" "$V" "
		put /etc/initramfs-tools/initramfs.conf 'MODULES=list
COMPRESS=gzip'
		picture() { (cd / && find etc boot var/lib/qlaunch -type f -not -name grub.cfg -not -name 'initrd*' -not -path 'etc/ld.so*' | sort | xargs -d '\n' sha256sum) 2>/dev/null; }
		$1"
	echo "$output"
}

loader_is() { # inside, `loader_is INFO [ENTRY]`: what the loader leaves behind (systemd.io/BOOT_LOADER_INTERFACE)
	cat <<-'SCRIPT'
		efi_says() { { printf "\6\0\0\0"; printf "%s" "$2" | sed "s/./&\x00/g"; } >/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f; }
		loader_is() { mkdir -p /sys/firmware/efi/efivars; efi_says LoaderInfo "$1"; [ -z "${2:-}" ] || efi_says LoaderEntrySelected "$2"; }
	SCRIPT
}

@test "real: GRUB and initramfs-tools: the words in every menu entry but the recovery, the script and the module in the image; undone" {
	real 'before=$(picture)
		qlaunch setup --yes >/dev/null || exit
		grep -c "^[[:space:]]*linux.* intel_iommu=on iommu=pt$" /boot/grub/grub.cfg
		grep "single" /boot/grub/grub.cfg | grep -c iommu
		lsinitramfs /boot/initrd.img-$V | grep -cx -e etc/qlaunch/vfio-early -e etc/modprobe.d/qlaunch.conf -e etc/udev/rules.d/10-qlaunch-vfio.rules
		qlaunch setup --undo --yes >/dev/null || exit
		[ "$(picture)" = "$before" ] && echo as before
		grep -c iommu /boot/grub/grub.cfg
		lsinitramfs /boot/initrd.img-$V | grep -c qlaunch; true'
	[ "$status" -eq 0 ]
	[[ $output == *"2
0
3
"*"as before
0
0" ]]
}

@test "real: an image that cannot be built, or lacks the script: everything is put back at once, with the tool's words" {
	real 'before=$(picture)
		put /usr/sbin/update-initramfs "#!/bin/sh
echo no space left on device >&2; exit 1"
		qlaunch setup --yes >/dev/null; echo status $?
		[ "$(picture)" = "$before" ] && echo as before
		put /usr/sbin/update-initramfs "#!/bin/sh
rm -f /etc/initramfs-tools/hooks/qlaunch; exec mkinitramfs -o /boot/initrd.img-'"$V $V"'"
		qlaunch setup --yes >/dev/null; echo status $?
		[ "$(picture)" = "$before" ] && echo as before
		put /usr/sbin/update-initramfs "#!/bin/sh
exit 0"; rm -f /boot/initrd*; sleep 3
		qlaunch setup --yes >/dev/null; echo status $?
		[ "$(picture)" = "$before" ] && echo as before'
	[ "$(grep -c 'as before$' <<<"$output")" -ge 3 ]
	[[ $output == *"no space left on device"*"does not hold /etc/qlaunch/vfio-early"*"built no initial RAM disk"* ]]
	if grep -qx 'status 0' <<<"$output"; then false; fi
}

@test "real: GRUB's configuration that is broken already: nothing takes effect, nothing stays" {
	real 'printf "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\n" >/etc/default/grub
		before=$(picture)
		qlaunch setup --yes --gpu none >/dev/null; echo status $?
		[ "$(picture)" = "$before" ] && echo as before; [ -e /boot/grub/grub.cfg ] || echo no menu was made'
	[[ $output == *"status 4"*"as before"* ]]
}

# by bash, which is the sh of most of them and knows +=
@test "real: grub-mkconfig reads what setup makes of each layout with GRUB" {
	declare -A seen=()
	list=
	for f in tests/layouts/*; do
		grep -q '^put /etc/default/grub ' "$f" && ! grep -q '^refuses' "$f" && grep -q 'zz-qlaunch.cfg\|GRUB_CMDLINE_LINUX_DEFAULT intel' "$f" && list+=" ${f##*/}"
	done
	[ "$(wc -w <<<"$list")" -ge 20 ]
	mkdir "$BATS_TEST_TMPDIR/made"
	for name in $list; do
		(T=$BATS_TEST_TMPDIR/made/$name E=$T.expected; . tests/layouts/lib.sh; hardware; . "tests/layouts/$name"
			"$PWD/${BUILD:-build}/qlaunch" setup --yes --root "$T" >/dev/null; rm -rf "$T/sys" "$T/proc" "$T.expected")
	done
	tar -C "$BATS_TEST_TMPDIR/made" -cf "${BUILD:-build}/layouts-$$.tar" .
	cp "${BUILD:-build}/layouts-$$.tar" "/var/tmp/layouts-$$.tar"; rm "${BUILD:-build}/layouts-$$.tar"
	real 'mkdir /tmp/l; tar -C /tmp/l -xf /var/tmp/layouts-'$$'.tar
		for d in /tmp/l/*; do
			rm -rf /etc/default/grub /etc/default/grub.d; cp -r "$d"/etc/default/grub* /etc/default/
			bash /usr/sbin/grub-mkconfig -o /tmp/cfg >/dev/null 2>&1 || { echo "bad: ${d##*/}"; continue; }
			grep "^[[:space:]]*linux" /tmp/cfg | head -n 1 | grep " root=" | grep -q "intel_iommu=on.*iommu=pt\|iommu=pt.*intel_iommu=on" || echo "lacks: ${d##*/}"
			echo looked
		done'
	rm -f "/var/tmp/layouts-$$.tar"
	[ "$status" -eq 0 ]
	if grep 'bad:\|lacks:' <<<"$output"; then false; fi
	[ "$(grep -c looked <<<"$output")" -eq "$(wc -w <<<"$list")" ]
}

@test "real: dracut: the script, its rules and the module are in the image, and the image is undone" {
	real 'put /etc/kernel/postinst.d/dracut "exec dracut"; mkdir -p /etc/dracut.conf.d
		put /etc/dracut.conf.d/few.conf "hostonly=no
dracutmodules+=\" bash base \"
compress=gzip"
		before=$(picture)
		qlaunch setup --yes >/dev/null; echo status $?
		lsinitrd /boot/initrd.img-$V | grep -c -e "etc/qlaunch/vfio-early" -e "etc/modprobe.d/qlaunch.conf" -e "10-qlaunch-vfio.rules" -e "/vfio-pci.ko"
		qlaunch setup --undo --yes >/dev/null; echo undone $?
		[ "$(picture)" = "$before" ] && echo as before
		lsinitrd /boot/initrd.img-$V | grep -c -e qlaunch -e /vfio-pci.ko; true'
	[[ $output == *"status 0
4
"*"undone 0
as before
0" ]]
}

# 252 of systemd tells of the ESP by asking the disk that the view does not have; SYSTEMD_RELAX_ESP_CHECKS is its own word for that
@test "real: systemd-boot: Debian's hooks have kernel-install make the entry, bootctl reads the words in it; undone" {
	tests/debian "${BUILD:-build}/tools" systemd-boot systemd-boot-efi initramfs-tools linux-base
	export TREE=${BUILD:-build}/tools/debian/root
	real 'id=0123456789abcdef0123456789abcdef entry=/boot/efi/loader/entries/$id-$V.conf
		put /etc/machine-id $id
		mkdir -p /boot/efi/$id /sys/firmware/efi/efivars
		printf "\6\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0 \0002\0" >/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
		mv /usr/bin/bootctl /usr/bin/bootctl.real
		put /usr/bin/bootctl "#!/bin/sh
SYSTEMD_RELAX_ESP_CHECKS=1 SYSTEMD_ESP_PATH=/boot/efi exec bootctl.real \"\$@\""; chmod +x /usr/bin/bootctl
		bootctl install --no-variables >/dev/null 2>&1
		put /etc/kernel/cmdline "root=UUID=0f ro quiet"
		put /etc/initramfs-tools/update-initramfs.conf "update_initramfs=all
backup_initramfs=no"
		update-initramfs -c -k $V >/dev/null || exit
		cp $entry /tmp/entry; before=$(picture)
		qlaunch setup --yes >/tmp/said; echo status $?; grep then: /tmp/said
		bootctl list | grep -o "options:.*"
		lsinitramfs /boot/efi/$id/$V/initrd.img-$V | grep -x etc/qlaunch/vfio-early
		qlaunch setup --undo --yes >/dev/null; echo undone $?
		cmp $entry /tmp/entry && [ "$(picture)" = "$before" ] && echo as before
		lsinitramfs /boot/efi/$id/$V/initrd.img-$V | grep -c qlaunch; true'
	[[ $output == *"status 0
then: update-initramfs -u -k all
"*"options: root=UUID=0f ro quiet intel_iommu=on iommu=pt systemd.machine_id=0123456789abcdef0123456789abcdef
etc/qlaunch/vfio-early
"*"undone 0
as before
0" ]]
}

# as its package leaves it: the words go where none were kept, and stay out of the entry when they have been booted with, too
@test "real: systemd-boot without /etc/kernel/cmdline: the entry keeps what it was started with; undone after a reboot" {
	tests/debian "${BUILD:-build}/tools" systemd-boot systemd-boot-efi initramfs-tools linux-base
	export TREE=${BUILD:-build}/tools/debian/root
	real "$(loader_is)"'
		id=0123456789abcdef0123456789abcdef entry=/boot/efi/loader/entries/$id-$V.conf
		put /etc/machine-id $id
		mkdir -p /boot/efi/$id
		mv /usr/bin/bootctl /usr/bin/bootctl.real
		put /usr/bin/bootctl "#!/bin/sh
SYSTEMD_RELAX_ESP_CHECKS=1 SYSTEMD_ESP_PATH=/boot/efi exec bootctl.real \"\$@\""; chmod +x /usr/bin/bootctl
		bootctl install --no-variables >/dev/null 2>&1
		put /etc/initramfs-tools/update-initramfs.conf "update_initramfs=all
backup_initramfs=no"
		update-initramfs -c -k $V >/dev/null || exit
		loader_is "systemd-boot 252" $id-$V.conf
		cp $entry /tmp/entry; before=$(picture)
		qlaunch setup --yes >/tmp/said; echo status $?; grep then: /tmp/said
		grep ^options $entry; lsinitramfs /boot/efi/$id/$V/initrd.img-$V | grep -x etc/qlaunch/vfio-early
		echo "BOOT_IMAGE=/v $(sed -n "s/^options *//p" $entry)" >/tmp/now; mount --bind /tmp/now /proc/cmdline
		qlaunch setup --undo --yes >/dev/null; echo undone $?; grep ^options $entry; grep -c iommu /etc/kernel/cmdline
		rm -r /etc/kernel/cmdline; grep -v "^options" $entry | cmp - <(grep -v "^options" /tmp/entry) && cp /tmp/entry $entry
		[ "$(picture)" = "$before" ] && echo as before'
	[[ $output == *"status 0
then: update-initramfs -u -k all
"*"options "*"root=UUID=0f ro quiet intel_iommu=on iommu=pt systemd.machine_id=0123456789abcdef0123456789abcdef
etc/qlaunch/vfio-early
"*"undone 0
options "*"root=UUID=0f ro quiet systemd.machine_id=0123456789abcdef0123456789abcdef
0
as before" ]]
}

# what the loader says that it started decides, not what lies beside it
@test "real: the entry that this host was started with lacks the words, or its image was not built anew: everything is put back" {
	real "$(loader_is)"'
		rm -rf /etc/default/grub
		mkdir -p /boot/EFI/Linux; printf MZ >/boot/EFI/Linux/mine.efi
		put /boot/loader/entries/old.conf "title Old
linux /vmlinuz
initrd /initrd.img-'"\$V"'
options root=UUID=0f ro"
		put /boot/loader/entries/copied.conf "title Copied
linux /copy/vmlinuz
initrd /copy/initrd.img
options root=UUID=0f ro"
		put /boot/copy/initrd.img "as it was"; touch -d "1 hour ago" /boot/copy/initrd.img /boot/EFI/Linux/mine.efi
		before=$(picture)
		loader_is "systemd-boot 257" mine.efi
		qlaunch setup --yes --gpu none >/dev/null; echo unified: status $?; [ "$(picture)" = "$before" ] && echo unified: as before
		loader_is "systemd-boot 257" copied.conf
		qlaunch setup --yes >/dev/null; echo copied: status $?; [ "$(picture)" = "$before" ] && echo copied: as before
		loader_is "systemd-boot 257" old.conf
		qlaunch setup --yes >/dev/null; echo old: status $?'
	[[ $output == *"does not have: intel_iommu=on iommu=pt (looked for in /boot/EFI/Linux/mine.efi)"*"unified: status 4
unified: as before"*"not built anew: /boot/copy/initrd.img"*"copied: status 4
copied: as before
"*"old: status 0"* ]]
}

# Stand-ins for what Debian has not. mkinitcpio 41 (functions arrayize_config, process_preset, add_file, add_module; hook modconf): the folder of
# drop-ins is joined to the configuration unless a preset names one; a file or module that is not there is an error.
mkinitcpio='put /usr/bin/mkinitcpio "#!/bin/bash
_d_config=/etc/mkinitcpio.conf.d
build() { # IMAGE [CONFIG]
	( unset MODULES FILES HOOKS; root=\$(mktemp -d)
	if [ -n \"\$2\" ]; then . \"\$2\"; else for f in /etc/mkinitcpio.conf \$_d_config/*.conf; do [ ! -e \"\$f\" ] || cat \"\$f\"; done >/tmp/joined; . /tmp/joined; fi || exit
	for a in MODULES FILES HOOKS; do declare -n v=\$a; [[ \${v@a} == *a* ]] || IFS=\" \" read -r -a \"\$a\" <<<\"\$v\"; done
	for f in \"\${FILES[@]}\"; do install -D \"\$f\" \"\$root\$f\" || exit; done
	for m in \"\${MODULES[@]}\"; do f=\$(modinfo -k '"'\$V'"' -n \"\$m\") || { echo \"==> ERROR: module not found: \$m\" >&2; exit 1; }; install -D \"\$f\" \"\$root\$f\"; done
	[[ \" \${HOOKS[*]} \" != *\" modconf \"* ]] || install -D -t \"\$root/etc/modprobe.d\" /etc/modprobe.d/*.conf
	cd \"\$root\" && find . -type f | sed s,^./,, | cpio -o -H newc --quiet | gzip -1 >\"\$1\" )
}
[ \"\$*\" = -P ] || exit 1
for preset in /etc/mkinitcpio.d/*.preset; do
	( . \"\$preset\"; for p in \"\${PRESETS[@]}\"; do i=\${p}_image c=\${p}_config; build \"\${!i}\" \"\${!c:-\$ALL_config}\" || exit; done ) || exit
done"
put /usr/bin/lsinitcpio "#!/bin/sh
case \$1 in *.efi) objcopy --dump-section .initrd=/tmp/inside \$1 /dev/null; set -- /tmp/inside ;; esac # as mkinitcpio 41 does (unpack_uki)
gzip -dc \"\$1\" | cpio -t --quiet"
chmod +x /usr/bin/mkinitcpio /usr/bin/lsinitcpio
put /etc/mkinitcpio.d/linux.preset "PRESETS=(default fallback)
default_image=/boot/initramfs-linux.img
fallback_image=/boot/initramfs-linux-fallback.img"
'"$(loader_is)"'
loader_is "systemd-boot 257"
put /boot/loader/entries/arch.conf "title Arch
linux /vmlinuz-linux
options root=UUID=0f rw"'

@test "stand-in: mkinitcpio, with arrays and with strings, with a preset's own configuration: script and module in each image; undone" {
	real "V=\$V; $mkinitcpio"'
		in_both() { for i in initramfs-linux initramfs-linux-fallback; do lsinitcpio /boot/$i.img | grep -c -e etc/qlaunch/vfio-early -e qlaunch.conf -e /vfio-pci.ko -e 10-qlaunch -e ext4 ; done | xargs; }
		try() { # WHAT
			mkinitcpio -P; before=$(picture)
			qlaunch setup --yes >/dev/null; echo "$1: status $? in images $(in_both) $(grep -c "rw intel_iommu=on iommu=pt" /boot/loader/entries/arch.conf)"
			qlaunch setup --undo --yes >/dev/null; echo "$1: undone $? in images $(in_both)"
			[ "$(picture)" = "$before" ] && echo "$1: as before"; }
		picture() { (cd / && find etc boot var/lib/qlaunch -type f -not -name "initr*" | sort | xargs -d "\n" sha256sum) 2>/dev/null; }
		put /etc/mkinitcpio.conf "MODULES=(ext4)
FILES=()
HOOKS=(base modconf)"; try arrays
		put /etc/mkinitcpio.conf "MODULES=\"ext4\"
FILES=\"\"
HOOKS=\"base modconf\""; try strings
		cp /etc/mkinitcpio.conf /etc/mine.conf; echo "ALL_config=/etc/mine.conf" >>/etc/mkinitcpio.d/linux.preset; try preset
		echo "MODULES=(no_such)" >>/etc/mine.conf; before=$(picture); qlaunch setup --yes >/dev/null; echo "broken: status $?"
		[ "$(picture)" = "$before" ] && echo "broken: as before"'
	for what in arrays strings preset; do
		grep -qx "$what: status 0 in images 5 5 1" <<<"$output"; grep -qx "$what: undone 0 in images 1 1" <<<"$output"; grep -qx "$what: as before" <<<"$output"
	done
	[[ $output == *"mkinitcpio: ==> ERROR: module not found: no_such"* ]]
	grep -qx "broken: status 5" <<<"$output"; grep -qx "broken: as before" <<<"$output"
}

# kernelstub 3.1 (application.py, main): each word once into "user", an entry written anew; -d takes words out; no kernel: exit 0 and nothing done
@test "stand-in: kernelstub: the words in its entry, never in Recovery; one that does nothing is not called done; undone" {
	real 'put /usr/bin/kernelstub "#!/bin/bash
f=/etc/kernelstub/configuration
[ -e /boot/kernel-is-there ] || { echo cannot find the kernel image; exit 0; }
case \$1 in
-a) jq -c --arg w \"\$2\" \".user.kernel_options |= if index(\\\$w) then . else . + [\\\$w] end\" \$f >\$f.new ;;
-d) jq -c --arg w \"\$2\" \".user.kernel_options -= [\\\$w]\" \$f >\$f.new ;;
esac
mv \$f.new \$f
printf \"title Pop!_OS\nlinux /EFI/Pop_OS/vmlinuz.efi\noptions root=UUID=0f ro %s\n\" \"\$(jq -r \".user.kernel_options | join(\\\" \\\")\" \$f)\" >/boot/efi/loader/entries/Pop_OS-current.conf"
		chmod +x /usr/bin/kernelstub
		put /etc/kernelstub/configuration "{\"default\":{\"kernel_options\":[\"quiet\"]},\"user\":{\"kernel_options\":[\"quiet\",\"splash\"]}}"
		put /boot/efi/loader/entries/Recovery-1.conf "title Pop!_OS Recovery
linux /EFI/Recovery/vmlinuz.efi
options boot=casper"
		: >/boot/kernel-is-there; kernelstub -a quiet; before=$(picture)
		qlaunch setup --yes >/dev/null; echo status $?; grep -h options /boot/efi/loader/entries/*
		qlaunch setup --undo --yes >/dev/null; echo undone $?; [ "$(picture)" = "$before" ] && echo as before
		rm /boot/kernel-is-there; before=$(picture); qlaunch setup --yes >/dev/null; echo status $?
		[ "$(picture)" = "$before" ] && echo as before'
	[[ $output == *"status 0
options root=UUID=0f ro quiet splash intel_iommu=on iommu=pt
options boot=casper
"*"undone 0
as before
"*"does not have: intel_iommu=on iommu=pt"*"status 4
as before" ]]
}

@test "stand-in: grubby: the words in every kernel's entry, what one kernel has of its own kept; undone" {
	real 'stand_in grubby /usr/sbin/grubby
		rm -f /usr/sbin/update-grub; rm -rf /etc/initramfs-tools /usr/sbin/update-initramfs
		put /etc/default/grub GRUB_ENABLE_BLSCFG=true
		put /etc/dracut.conf.d/few.conf "hostonly=no
dracutmodules+=\" bash base \"
compress=gzip"
		put /boot/loader/entries/a.conf "title Fedora 6.9
linux /vmlinuz-6.9
options root=UUID=0f ro rhgb quiet"
		put /boot/loader/entries/b.conf "title Fedora 6.8
linux /vmlinuz-6.8
options root=UUID=0f ro nomodeset iommu.strict=1"
		before=$(picture)
		qlaunch setup --yes >/dev/null; echo status $?; grep -h ^options /boot/loader/entries/*
		lsinitrd /boot/initrd.img-$V | grep -c -e etc/qlaunch/vfio-early -e /vfio-pci.ko
		qlaunch setup --undo --yes >/dev/null; echo undone $?; [ "$(picture)" = "$before" ] && echo as before
		sed -i "s/nomodeset/iommu=soft/" /boot/loader/entries/b.conf; before=$(picture)
		qlaunch setup --yes --gpu none >/tmp/said; echo status $?; grep -h ^options /boot/loader/entries/*; tr -s "\n " "  " </tmp/said
		qlaunch setup --undo --yes >/dev/null; echo undone $?; [ "$(picture)" = "$before" ] && echo as before'
	[ "$status" -eq 0 ]
	[[ $output == *"status 0
options root=UUID=0f ro rhgb quiet intel_iommu=on iommu=pt
options root=UUID=0f ro nomodeset iommu.strict=1 intel_iommu=on iommu=pt
2
"*"undone 0
as before
"*"options root=UUID=0f ro rhgb quiet intel_iommu=on
options root=UUID=0f ro iommu=soft iommu.strict=1 intel_iommu=on
"*"iommu=soft is there already"*"--args=iommu=soft,pt"*"undone 0
as before" ]]
}

@test "stand-in: rpm-ostree: words and image of the next deployment, with the arguments that it had; one that cannot build takes the words back" {
	real 'stand_in rpm-ostree /usr/bin/rpm-ostree
		: >/run/ostree-booted
		state() { (cd /ostree && head -n 50 kargs regenerate args) | tr "\n" " "; picture; }
		there() { put /ostree/kargs "root=UUID=0f
quiet"; put /ostree/regenerate "$1"; put /ostree/args "$2"; [ -n "$2" ] || : >/ostree/args; }
		# an older deployment had others
		put /ostree/deploy/fedora/deploy/old.0.origin "[rpmostree]
regenerate-initramfs=true
initramfs-args=-I;/etc/old;"
		there true "--add
fido2"; before=$(state)
		qlaunch setup --yes >/dev/null; echo status $?; xargs </ostree/kargs; xargs </ostree/args
		qlaunch setup --yes | grep -c "This host is set up"
		qlaunch setup --undo --yes >/dev/null; echo undone $?; [ "$(state)" = "$before" ] && echo as before
		there false ""; before=$(state)
		qlaunch setup --yes >/dev/null; echo status $?; cat /ostree/regenerate; xargs </ostree/args
		qlaunch setup --undo --yes >/dev/null; echo undone $?; [ "$(state)" = "$before" ] && echo as before
		: >/ostree/broken
		qlaunch setup --yes; echo status $?; [ "$(state)" = "$before" ] && echo as before'
	[ "$status" -eq 0 ]
	[[ $output == *"status 0
root=UUID=0f quiet intel_iommu=on iommu=pt
--force-drivers vfio-pci --add fido2
1
"*"undone 0
as before
"*"status 0
true
--force-drivers vfio-pci
"*"undone 0
as before
"*"no space left on device"*"status 4
as before" ]]
}

@test "stand-in: limine: its own tool, never the wrapper that asks; a variable, a comment, a unified image; words in the root's place are put back" {
	tests/debian "${BUILD:-build}/tools" systemd-boot-efi
	export TREE=${BUILD:-build}/tools/debian/root
	real "V=\$V; $mkinitcpio"'
		stand_in limine-mkinitcpio /usr/bin/limine-mkinitcpio
		put /usr/local/bin/mkinitcpio "#!/bin/sh
echo asked >>/tmp/asked; read -r answer; exit 1"; chmod +x /usr/local/bin/mkinitcpio
		loader_is "Limine 12.6.1"
		rm -rf /boot/loader /etc/default/grub
		put /etc/mkinitcpio.conf "MODULES=()
HOOKS=(base modconf)"
		put /boot/limine.conf "timeout: 5
/Windows
  protocol: efi"
		picture() { (cd / && find etc boot var/lib/qlaunch -type f -not -name "initr*" -not -name "*.efi" | sort | xargs -d "\n" sha256sum) 2>/dev/null; }
		try() { # WHAT
			limine-mkinitcpio || echo "$1: it cannot at all"; before=$(picture)
			qlaunch setup --yes >/tmp/said; echo "$1: status $? images $(lsinitcpio /boot/initramfs-linux.img | grep -c -e etc/qlaunch/vfio-early -e /vfio-pci.ko) $(grep cmdline: /boot/limine.conf | xargs)"
			[ ! -e /boot/EFI/Linux/arch.efi ] || { objcopy -O binary --only-section=.cmdline /boot/EFI/Linux/arch.efi /tmp/words; echo "$1: inside $(xargs </tmp/words)"; }
			qlaunch setup --undo --yes >/dev/null; echo "$1: undone $?"
			[ "$(picture)" = "$before" ] && echo "$1: as before"; }
		put /etc/default/limine "KERNEL_CMDLINE[default]+=\"root=UUID=0f rw\""; try variable
		put /etc/default/limine "#KERNEL_CMDLINE[default]+=quiet"; put /etc/kernel/cmdline "root=UUID=0f ro"; try comment
		put /etc/default/limine "ENABLE_UKI=yes
KERNEL_CMDLINE[default]=root=UUID=0f rw"; try unified
		# the words alone, inside of an image: no root, so it is put back
		put /etc/default/limine "ENABLE_UKI=yes
KERNEL_CMDLINE[default]="; before=$(picture); qlaunch setup --yes >/dev/null; echo "rootless: status $?"
		[ "$(picture)" = "$before" ] && echo "rootless: as before"
		[ -e /tmp/asked ] || echo nobody was asked'
	[ "$status" -eq 0 ]
	for what in variable comment unified; do
		grep -qx "$what: undone 0" <<<"$output"; grep -qx "$what: as before" <<<"$output"
	done
	grep -qx 'variable: status 0 images 2 cmdline: root=UUID=0f rw intel_iommu=on iommu=pt' <<<"$output"
	grep -qx 'comment: status 0 images 2 cmdline: root=UUID=0f ro intel_iommu=on iommu=pt' <<<"$output"
	grep -qx 'unified: inside root=UUID=0f rw intel_iommu=on iommu=pt' <<<"$output"
	grep -qx 'rootless: as before' <<<"$output"; if grep -qx 'rootless: status 0' <<<"$output"; then false; fi
	grep -qx 'nobody was asked' <<<"$output"
}

@test "real: kernel-install and dracut: an entry and an image for each kernel, from wherever its image lies; undone" {
	tests/debian "${BUILD:-build}/tools-dracut" systemd-boot systemd-boot-efi dracut
	export TREE=${BUILD:-build}/tools-dracut/debian/root
	real 'id=0123456789abcdef0123456789abcdef entry=/boot/efi/loader/entries/$id-$V.conf
		rm -rf /etc/default/grub /etc/initramfs-tools /usr/sbin/update-initramfs
		put /etc/machine-id $id
		mkdir -p /boot/efi/$id /boot/efi/loader/entries /sys/firmware/efi/efivars
		printf "\6\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0 \0002\0" >/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
		put /etc/kernel/cmdline "root=UUID=0f ro quiet"
		put /etc/dracut.conf.d/few.conf "hostonly=no
dracutmodules+=\" bash base \"
compress=cat"
		/etc/kernel/postinst.d/dracut $V /boot/vmlinuz-$V 2>/dev/null; kernel-install add $V /boot/vmlinuz-$V # as Debian'"'"'s hooks
		images() { sed -n "s#^initrd *#/boot/efi#p" $entry | sed "s#^/boot/efi/boot#/boot#" | while read -r i; do echo "$(lsinitrd $i | grep -c "$@")"; done | xargs; }
		cp $entry /tmp/entry; before=$(picture)
		qlaunch setup --yes >/tmp/said; echo status $?; grep then: /tmp/said
		grep ^options $entry; echo "images: $(images -e etc/qlaunch/vfio-early -e /vfio-pci.ko)"
		qlaunch setup --undo --yes >/dev/null; echo undone $?
		cmp $entry /tmp/entry && [ "$(picture)" = "$before" ] && echo as before
		echo "images: $(images -e qlaunch)"'
	[[ $output == *"status 0
then: dracut --force /boot/initrd.img-$V $V
then: kernel-install add $V "*"vmlinuz"*"
options "*"root=UUID=0f ro quiet intel_iommu=on iommu=pt"*"images: 2"*"undone 0
as before
images: 0"* ]]
}
