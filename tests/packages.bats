#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# The packages: each is really built, by its own distribution's tools, from the archive that `make dist` makes.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	version=$(sed -n 's/^#define VERSION "\(.*\)"/\1/p' launcher/main.c)
	export version out=$BATS_FILE_TMPDIR/build
	make -s dist BUILD="$out" 3>&-
	# what `make install` puts where, which each package has to have, whole
	export wanted=$BATS_FILE_TMPDIR/wanted
	make -s install BUILD="${BUILD:-build}" PREFIX=/usr DESTDIR="$BATS_FILE_TMPDIR/installed" 3>&-
	listed "$BATS_FILE_TMPDIR/installed" >"$wanted"
}
listed() { # ROOT: its files, without what differs by distribution: its own documents, packed manuals, where units lie
	(cd "$1" && find . -type f | sed -e 's|^\./||' -e '/share\/doc\/[^/]*\/[^/]*$/d' -e '/share\/licenses\//d' -e '/^usr\/lib\/\.build-id\//d' \
		-e '/^\./d' -e '/share\/lintian\//d' -e 's|^lib/|usr/lib/|' -e 's#\(/man/.*\)\.\(gz\|zst\)$#\1#' -e 's|zsh/vendor-completions|zsh/site-functions|' | sort)
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	export LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
}
complete() { # ROOT ZSH-DIRECTORY: what every package has
	local f
	[ "$(wc -l <"$wanted")" -gt 20 ]
	diff "$wanted" <(listed "$1") || return 1
	for f in bin/qlaunch lib/qlaunch/bench-guest share/locale/pt_BR/LC_MESSAGES/qlaunch.mo lib/systemd/user/qlaunch@.service \
		share/bash-completion/completions/qlaunch "share/zsh/$2/_qlaunch" share/fish/vendor_completions.d/qlaunch.fish \
		share/doc/qlaunch/examples/win11.conf share/doc/qlaunch*/README.pt-BR.md* share/doc/qlaunch*/[Cc]*.md*; do
		compgen -G "$1/usr/$f" >/dev/null || { echo "$f is missing"; return 1; }
	done
	compgen -G "$1/usr/share/man/man1/qlaunch.1*" >/dev/null && compgen -G "$1/usr/share/man/man5/qlaunch.conf.5*" >/dev/null
	[ -f "$1/lib/systemd/system/qlaunch@.service" ] || [ -f "$1/usr/lib/systemd/system/qlaunch@.service" ]
	[ "$(grep -rhoE '^Exec[A-Za-z]*=[^ ]*' "$1"/lib/systemd "$1"/usr/lib/systemd 2>/dev/null | cut -d= -f2 | sort -u)" = /usr/bin/qlaunch ]
	[ "$("$1/usr/bin/qlaunch" --version)" = "qlaunch $version" ]
	"$1/usr/bin/qlaunch" plan --root "$BATS_TEST_TMPDIR" "$1/usr/share/doc/qlaunch/examples/demo.conf" >/dev/null
}

@test "one version everywhere: the program, the Debian changelog, the .spec, the PKGBUILD and the CHANGELOG" {
	[ "$(sed -n '1s/^qlaunch (\(.*\)) .*/\1/p' share/packages/debian/changelog)" = "$version" ]
	[ "$(sed -n 's/^Version: *//p' share/packages/qlaunch.spec)" = "$version" ]
	[ "$(sed -n 's/^pkgver=//p' share/packages/PKGBUILD)" = "$version" ]
	[ "$(sed -n 's/^## \[\([0-9].*\)\].*/\1/p' CHANGELOG.md | head -n 1)" = "$version" ]
}

@test "Debian: the package is built, lintian has nothing to say, and it runs from another root" {
	make -s deb BUILD="$out" 3>&-
	run lintian --allow-root --pedantic "$out"/deb/*.changes
	echo "$output"
	# a newer lintian asks appstreamcli, which wants a home page: there is none to name
	[ "$status" -eq 0 ]; [ -z "$(grep -v ' appstream-metadata-validation-failed ' <<<"$output")" ]
	dpkg-deb -x "$out/qlaunch_${version}_$(dpkg --print-architecture).deb" "$BATS_TEST_TMPDIR/root"
	complete "$BATS_TEST_TMPDIR/root" vendor-completions
	dpkg-deb -e "$out/qlaunch_${version}_$(dpkg --print-architecture).deb" "$BATS_TEST_TMPDIR/control"
	# what is loaded late is in no header of the binary
	for library in libarchive libevdev libhwloc libmnl libpci libsystemd libxml2; do
		grep -qE "^Depends:.* $library" "$BATS_TEST_TMPDIR/control/control"
	done
	for script in "$BATS_TEST_TMPDIR"/control/{preinst,postinst,prerm,postrm}; do [ ! -f "$script" ] || sh -n "$script"; done
	grep -q "deb-systemd-helper enable 'qlaunch-restore.service'" "$BATS_TEST_TMPDIR/control/postinst"
}

@test "Fedora: rpmlint has nothing to say of the .spec, and the package is built from it" {
	run rpmlint -r share/packages/rpmlintrc share/packages/qlaunch.spec
	# a newer one wants a %check; `make check` wants QEMU and a guest, which no build host has
	[ -z "$(grep -E ': [EW]: ' <<<"$output" | grep -v no-%check-section)" ]
	mkdir -p "$out/rpm/SOURCES"
	cp "$out/qlaunch-$version.tar.gz" "$out/rpm/SOURCES/"
	CFLAGS=-O0 rpmbuild -bb --nodeps --define "_topdir $out/rpm" --define "optflags -O0" share/packages/qlaunch.spec >"$out/rpm/log" 2>&1 3>&- ||
		{ tail -n 30 "$out/rpm/log"; false; }
	mkdir "$BATS_TEST_TMPDIR/root"
	rpm2cpio "$out"/rpm/RPMS/x86_64/qlaunch-"$version"-*.rpm | (cd "$BATS_TEST_TMPDIR/root" && cpio -idm --quiet)
	complete "$BATS_TEST_TMPDIR/root" site-functions
}

@test "Arch: makepkg builds the PKGBUILD" {
	local dir; dir=$(mktemp -d)
	cp share/packages/PKGBUILD "$out/qlaunch-$version.tar.gz" "$dir/"
	sed 's/^CFLAGS=.*/CFLAGS=-O0/' /etc/makepkg.conf >"$dir/makepkg.conf"
	local as=(); [ "$(id -u)" -ne 0 ] || { as=(setpriv --reuid=nobody --regid=nogroup --clear-groups); chown -R nobody:nogroup "$dir"; }
	# there is no pacman to ask for what is installed
	(cd "$dir" && "${as[@]}" env HOME="$dir" PACMAN=true MAKEPKG_CONF="$dir/makepkg.conf" makepkg --nodeps >log 2>&1 3>&-) || { tail -n 30 "$dir/log"; rm -rf "$dir"; false; }
	mkdir "$BATS_TEST_TMPDIR/root"
	bsdtar -C "$BATS_TEST_TMPDIR/root" -xf "$dir"/qlaunch-"$version"-1-x86_64.pkg.tar.*
	rm -rf "$dir"
	complete "$BATS_TEST_TMPDIR/root" site-functions
}
