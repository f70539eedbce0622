#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make deps` asks a distribution's package manager for. There is one of the three on this machine: the others are played.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	for tool in bash awk cat fold grep id tr; do ln -s "$(command -v $tool)" "$bin/$tool"; done
}
play() { # NAME SCRIPT
	printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

@test "pacman: what is missing is named, and asked for in one call" {
	play pacman 'case $1 in -Qq) [ "$2" != swtpm ] && [ "$2" != jansson ] ;; -S) echo "asked: $*" >"$0.log" ;; esac'
	play sudo 'exec "$@"'
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 0 ]; [[ $output == "deps: installing jansson swtpm" ]]
	[[ $(<"$bin/pacman.log") == "asked: -S --noconfirm --needed jansson swtpm" ]]
}

@test "dnf: what is missing is named, and asked for in one call" {
	play rpm '[ "$2" != jansson-devel ]'
	play dnf 'echo "asked: $*" >"$0.log"'
	play sudo 'exec "$@"'
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 0 ]; [[ $output == "deps: installing jansson-devel" ]]
	[[ $(<"$bin/dnf.log") == "asked: install -y -q jansson-devel" ]]
}

@test "none of the three: the names to install by hand, exit 4" {
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 4 ]; [[ $output == *libhwloc-dev* ]]
}

# apt and dpkg as they answer: $installed, $known (a package that is only virtual has no candidate), $fails (known, and cannot be had now)
play_apt() {
	play dpkg-query 'for p in '"$installed"'; do [ "$p" != "${!#}" ] || { echo "install ok installed"; exit; }; done; exit 1'
	play apt-cache 'for p in '"$known"'; do [ "$p" != "$2" ] || { printf "%s:\n  Installed: (none)\n  Candidate: 1.0\n" "$2"; exit; }; done
case $2 in virtual-*|mono-mcs) printf "%s:\n  Installed: (none)\n  Candidate: (none)\n" "$2" ;; esac'
	play apt-get 'echo "$*" >>"$0.log"
[[ " $* " = *" install "* ]] || exit 0
for p; do case $p in -*|DPkg::*|install) continue ;; esac
	for f in '"$fails"'; do [ "$p" != "$f" ] || { echo "E: cannot fetch $p" >&2; exit 100; }; done
	[[ " '"$known"' " = *" $p "* ]] || { echo "E: Unable to locate package $p" >&2; exit 100; }
done'
	play sudo 'exec "$@"'
}
all_but() { # NAME...: every package of the list, as Debian calls it, but these
	local name
	for name in $(sed -n '/^packages()/,/^}/p' tests/deps | awk 'NF == 3 && $1 != "-" { print $1 }' | tr '|' '\n' | tr -d '?'); do
		[[ " $* " = *" $name "* ]] || printf '%s ' "$name"
	done
}

@test "apt: a name that this release does not know is said, all others are installed, exit 0" {
	known=$(all_but scdoc mono-mcs) installed=$(all_but scdoc jq swtpm mono-mcs) fails=
	play_apt
	run env PATH="$bin" bash tests/deps
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"scdoc cannot be had here"* ]]; [[ $output != *"jq cannot"* ]]
	grep -q 'install .* jq$' "$bin/apt-get.log"; grep -q 'install .* swtpm$' "$bin/apt-get.log"
	grep -qx 'update -qq' "$bin/apt-get.log"
}

@test "apt: a name that it knows and cannot fetch today is exit 75, and the others are installed" {
	known=$(all_but mono-mcs) installed=$(all_but jq swtpm mono-mcs) fails=jq
	play_apt
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 75 ]; [[ $output == *"jq cannot be had here"* ]]
	grep -q 'install .* swtpm$' "$bin/apt-get.log"
	play apt-get '[ "$1" != update ]'
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 75 ]; [[ $output == *"reaches no mirror"* ]]
}

@test "apt: of names that will do, the first that is no mere virtual one; none where one is there; what a release has not is not asked for" {
	# Debian 14: mono-mcs is virtual, diod is gone; Ubuntu: chromium is virtual
	known="mono-devel chromium-browser" installed=$(all_but mono-mcs mono-devel chromium chromium-browser diod) fails=
	play_apt
	run env PATH="$bin" bash tests/deps
	echo "$output"
	[ "$status" -eq 0 ]; [ "$output" = "deps: installing mono-devel chromium-browser" ]
	grep -q 'install .* mono-devel chromium-browser$' "$bin/apt-get.log"
	rm "$bin/apt-get.log"; installed=$(all_but mono-mcs chromium-browser diod)
	play_apt
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 0 ]; [ "$output" = "" ]; [ ! -e "$bin/apt-get.log" ]
}

@test "Arch: what QEMU there is split into; Fedora: the C library to link statically" {
	play pacman 'case $1 in -Qq) [[ $2 != qemu-* ]] ;; esac'
	play sudo 'exec "$@"'
	run env PATH="$bin" bash tests/deps core
	for p in qemu-system-x86 qemu-ui-gtk qemu-hw-usb-host qemu-audio-pipewire qemu-ui-spice-app qemu-chardev-spice qemu-hw-display-qxl; do
		[[ " ${output//$'\n'/ } " == *" $p "* ]]
	done
	[[ $output != *-device-* ]]
	rm "$bin/pacman"; play rpm '[[ $2 != qemu-* && $2 != glibc-static ]]'; play dnf ':'
	run env PATH="$bin" bash tests/deps core
	for p in glibc-static qemu-device-usb-host qemu-device-display-qxl qemu-char-spice; do [[ " ${output//$'\n'/ } " == *" $p "* ]]; done
}

@test "pacman: lists that were never fetched are fetched first, those that are there are left" {
	play pacman 'echo "$*" >>"$0.log"; case $1 in -Qq) [ "$2" != swtpm ] ;; -Sl) [ ! -e "$0.fetched" ] || echo core swtpm ;; -Sy) : >"$0.fetched" ;; esac'
	play sudo 'exec "$@"'
	for _ in first later; do
		run env PATH="$bin" bash tests/deps
		[ "$status" -eq 0 ]
		grep -v '^-Qq\|^-Sl' "$bin/pacman.log" >>"$bin/asked"; rm "$bin/pacman.log"
	done
	[ "$(<"$bin/asked")" = "-Sy --noconfirm
-S --noconfirm --needed swtpm
-S --noconfirm --needed swtpm" ]
}

@test "pacman, dnf: one unknown name does not keep the others away" {
	play pacman 'case $1 in -Qq) [ "$2" != scdoc ] && [ "$2" != swtpm ] ;; -S) [[ $* != *scdoc* ]] && echo "$*" >>"$0.log" ;; esac'
	play sudo 'exec "$@"'
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 0 ]; [[ $output == *"scdoc cannot be had here"*"pacman -Syu"* ]]
	[ "$(<"$bin/pacman.log")" = "-S --noconfirm --needed swtpm" ]
}
