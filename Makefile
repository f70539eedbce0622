# SPDX-License-Identifier: GPL-2.0-or-later
# qlaunch. `make` builds build/qlaunch, `make demo` shows the main job, `make check` runs every test, `make help` lists the rest.

PREFIX ?= /usr/local
# where root looks for programs (nft, modprobe, dnsmasq, …), whatever PATH its caller has
ROOT_PATH ?= /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
BUILD  ?= build
CC     ?= gcc
LIBS   := libcap-ng jansson
LATE   := hwloc libarchive libpci libsystemd libmnl libevdev libxml-2.0 libcurl libosinfo-1.0 # only their headers: launcher/base/late.h loads them when they are needed

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 \
	  -Wundef -Wnull-dereference -Wno-missing-field-initializers -Werror
HARDEN := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
CFLAGS ?= -O2 -g
ifeq ($(SAN),1)
  BUILD    := $(BUILD)-san
  SANITIZE := -fsanitize=address,undefined
  CFLAGS   := -O1 -g -fno-omit-frame-pointer $(SANITIZE) -fno-sanitize-recover=all
  HARDEN   := -fPIE
endif
ALL_CFLAGS  = -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(HARDEN) $(CFLAGS) $(PKG_CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) $(LATE) 2>/dev/null)
LDLIBS      = $(shell pkg-config --libs $(LIBS)) -lm

SRC     := $(shell find launcher qmp ovmf -name '*.c' 2>/dev/null | sort)
LIBOBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out launcher/main.c,$(SRC)))
UNITSRC := $(sort $(wildcard tests/unit/*.c))
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(filter tests/unit/test_%,$(UNITSRC)))
UNITLIB := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/unit/test_%,$(UNITSRC)))
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60
LOGS    := $(BUILD)/logs
MO      := $(patsubst share/po/%.po,$(BUILD)/locale/%/LC_MESSAGES/qlaunch.mo,$(wildcard share/po/*.po))

.PHONY: man-po all sanitized dist deb pot po-update po-check deps demo check newest lab lab-newest lab-tools bench latency fuzz tidy format floors unit unit-san replay rule qemu-tests guest guest-direct units install uninstall clean help FORCE
all: $(if $(wildcard launcher/main.c),$(BUILD)/qlaunch) $(BUILD)/libqlaunch.a $(MO)

help:
	@sed -n 's/^## //p' Makefile

## make             build/qlaunch; it runs from there, uninstalled
$(BUILD)/qlaunch: $(BUILD)/obj/launcher/main.o $(BUILD)/libqlaunch.a
	@echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libqlaunch.a: $(LIBOBJ)
	@echo "  AR    $@"; rm -f $@; ar rcs $@ $^

$(BUILD)/obj/launcher/base/behalf.o: CFLAGS += -DROOT_PATH='"$(ROOT_PATH)"'
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D); echo "  CC    $<"; $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(UNITLIB) $(BUILD)/libqlaunch.a
	@mkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

.SECONDARY: # what a chain of rules makes is kept: a touched source makes its own objects again, and no others
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

## make deps        name what is missing and install it (apt, pacman or dnf)
deps:
	@tests/deps

## make demo        all set-up, then the main job: a guest with Secure Boot and TPM, and what it says of itself
demo: deps
	@$(MAKE) --no-print-directory -s all guest
	@tests/demo $(BUILD)

guest:
	@tests/guest/demo-image $(BUILD) && tests/guest/direct $(BUILD)
	@$(MAKE) --no-print-directory -s $(BUILD)/guest/bench.gz

# what `qlaunch bench` runs: as a command of the host, and as all of a guest
$(BUILD)/bench-guest: share/bench/guest.c share/bench/guest.ps1
	@mkdir -p $(@D); cp share/bench/guest.ps1 $@.ps1; echo "  LD    $@"; $(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -g -static -pthread -o $@ $<
$(BUILD)/guest/bench.gz: $(BUILD)/bench-guest
	@mkdir -p $(@D)/bench; cp $< $(@D)/bench/init; cd $(@D)/bench && echo init | cpio -o -H newc --quiet -R 0:0 | gzip -1 >../bench.gz
guest-direct:
	@tests/guest/direct $(BUILD)

## make check       all set-up, then every test; ends with N passed, N failed, N skipped
check: deps
	@tests/check $(BUILD)

## make newest      builds and tests in the newest Debian (sid), below build/newer; no part of check but in CI; needs root
newest: deps
	@$(MAKE) --no-print-directory -s all
	@tests/newest $(BUILD)

unit: $(UNIT)
	@tests/run-unit $(LOGS) $(UNIT)
sanitized:
	@$(MAKE) --no-print-directory -s SAN=1 all
	@tests/sanitized $(BUILD)-san/qlaunch
unit-san:
	@$(MAKE) --no-print-directory -s SAN=1 LOGS=$(LOGS)/san unit

## make lab         the passthrough tests, in a virtual host with an IOMMU, a GPU and a real systemd; JOBS='usb input' for some
lab: deps
	@$(MAKE) --no-print-directory -s all guest lab-tools
	@mkdir -p $(LOGS); set -o pipefail; tests/lab/run $(BUILD) $(JOBS) | tee $(LOGS)/lab.tap; s=$$?; tests/lab/coverage $(BUILD); exit $$s
## make lab-newest  the lab's isolation jobs with the newest kernel, systemd and QEMU (sid's); JOBS='usb input' for others; needs root
lab-newest: deps
	@tests/newer $(BUILD) sid bash -c 'make -s all guest lab-tools && tests/lab/run $$BUILD $(or $(JOBS),host-steps kvm-isolated killed-launcher)'
lab-tools: $(BUILD)/lab/steps
	@tests/debian $(BUILD) irqbalance
## make rule        the import's rule on domains made at random of libvirt's own schema, under ASan; make fuzz does it for FUZZ_SECONDS
RULE_DOMAINS ?= 20
rule:
	@$(MAKE) --no-print-directory -s SAN=1 $(BUILD)-san/rule/reader
	@tests/rule/run $(BUILD)-san/rule/reader $(RULE_DOMAINS)
$(BUILD)/rule/reader: $(BUILD)/obj/tests/rule/reader.o $(BUILD)/libqlaunch.a
	@mkdir -p $(@D); $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/lab/steps: $(BUILD)/obj/tests/lab/steps.o $(BUILD)/libqlaunch.a
	@mkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

## make bench       what qlaunch itself costs, as ratios to raw QEMU, in one run of ROUNDS (20)
ROUNDS ?= 20
bench:
	@tests/deps bench
	@$(MAKE) --no-print-directory -s all $(BUILD)/bench-guest
	@tests/bench/run $(BUILD) --rounds $(ROUNDS)
	@$(MAKE) --no-print-directory -s guest lab-tools
	@echo; echo "  in a virtual host: some minutes"
	@tests/lab/run $(BUILD) run-delay latency | sed -n -e 's/^# run delay/  run delay/p' \
		-e 's/^# evdev latency/  evdev latency, an instruction taking a nanosecond:/p' -e '/^not ok/p'

## make latency     what a twin adds to a key, natively: builds a Linux that runs as a program, once
latency:
	@tests/deps bench
	@$(MAKE) --no-print-directory -s all
	@tests/bench/latency $(BUILD)

## make fuzz        every fuzzer for FUZZ_SECONDS (60)
fuzz: $(FUZZ:%=$(BUILD)/fuzz/%)
	@$(MAKE) --no-print-directory -s rule RULE_DOMAINS=$(FUZZ_SECONDS)s
	@for f in $(FUZZ); do echo "fuzz $$f"; mkdir -p $(BUILD)/corpus/$$f; \
		$(BUILD)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 $(BUILD)/corpus/$$f tests/fuzz/corpus/$$f || exit 1; done
$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(SRC)
	@mkdir -p $(@D); echo "  FUZZ  $@"; clang -std=gnu17 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $(PKG_CFLAGS) -o $@ $< $(filter-out launcher/main.c launcher/verbs/%,$(SRC)) $(LDLIBS)
# the kept corpora once through each entry, for check
replay: $(FUZZ:%=$(BUILD)/replay/%)
	@for f in $(FUZZ); do $(BUILD)/replay/$$f tests/fuzz/corpus/$$f/* || exit 1; done
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/libqlaunch.a
	@mkdir -p $(@D); $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

## make pot         the texts to translate, into build/qlaunch.pot; make po-update merges them into share/po/*.po, the manual's into share/po/man/*.po
pot:
	@mkdir -p $(BUILD); xgettext --language=C --from-code=UTF-8 --keyword $$(sed 's/^/--keyword=/' share/po/keywords) --add-location=file \
		--package-name=qlaunch --no-wrap --output=- $(SRC) | msggrep -K -E -e '(^|[^%a-zA-Z.0-9*-])[a-zA-Z]{2,}|[a-zA-Z]{4,}' - | sed '/^"POT-Creation-Date/d' >$(BUILD)/qlaunch.pot
po-update: pot
	@for f in share/po/*.po; do echo "  PO    $$f"; msgmerge --quiet --update --backup=none --no-fuzzy-matching --no-wrap $$f $(BUILD)/qlaunch.pot; \
		msgattrib --no-obsolete --no-location --no-wrap -o $$f $$f; done
	@$(MAKE) --no-print-directory -s man-po
po-check: pot
	@tests/po $(BUILD)/qlaunch.pot share/po/*.po
$(BUILD)/locale/%/LC_MESSAGES/qlaunch.mo: share/po/%.po
	@mkdir -p $(@D); echo "  PO    $@"; msgfmt --check-format -o $@ $<

## make tidy        clang-tidy and cppcheck
tidy: $(BUILD)/obj/launcher/main.o $(BUILD)/libqlaunch.a # which headers each source includes
	@BUILD=$(BUILD) tests/tidy $(SRC)

## make format      lays the sources out (.clang-format); make check asks whether they are
format:
	@tests/format --fix

## make floors      every file includes only lower floors, and no two call each other in a circle
floors: $(BUILD)/obj/launcher/main.o $(BUILD)/libqlaunch.a
	@tests/floors && tests/calls $(BUILD)

## make install     to DESTDIR and PREFIX (/usr/local); make uninstall takes it away
PAGES := $(patsubst share/man/%.scd,%,$(wildcard share/man/*.scd))
MAN   := $(PAGES:%=$(BUILD)/man/%) $(foreach l,$(patsubst share/po/man/%.po,%,$(wildcard share/po/man/*.po)),$(PAGES:%=$(BUILD)/man/$l/%))
FILES  = bin/qlaunch:755:$(BUILD)/qlaunch \
	 lib/qlaunch/bench-guest:755:$(BUILD)/bench-guest \
	 lib/qlaunch/bench-guest.ps1:644:share/bench/guest.ps1 \
	 $(foreach m,$(MAN),share/man/$(patsubst ./%,%,$(patsubst $(BUILD)/man/%,%,$(dir $(m)))man$(subst .,,$(suffix $(m)))/$(notdir $(m))):644:$(m)) \
	 share/bash-completion/completions/qlaunch:644:share/completions/qlaunch.bash \
	 share/zsh/site-functions/_qlaunch:644:share/completions/_qlaunch \
	 share/fish/vendor_completions.d/qlaunch.fish:644:share/completions/qlaunch.fish \
	 $(foreach m,$(MO),share/locale/$(m:$(BUILD)/locale/%=%):644:$m) \
	 $(foreach u,$(UNITS),lib/systemd/$(if $(filter user/%,$u),$u,system/$u):644:$(BUILD)/units/$u) \
	 share/icons/hicolor/scalable/apps/qlaunch.svg:644:share/icons/hicolor/scalable/apps/qlaunch.svg \
	 share/metainfo/org.qlaunch.qlaunch.metainfo.xml:644:share/metainfo/org.qlaunch.qlaunch.metainfo.xml \
	 share/polkit-1/actions/org.qlaunch.policy:644:$(BUILD)/polkit/org.qlaunch.policy \
	 $(foreach c,$(wildcard configs/*.conf),share/doc/qlaunch/examples/$(notdir $(c)):644:$(c))
UNITS := $(patsubst share/units/%,%,$(wildcard share/units/*.* share/units/user/*.*))
FORCE:
units: $(UNITS:%=$(BUILD)/units/%)
$(BUILD)/units/%: share/units/% FORCE # for the PREFIX of this call
	@mkdir -p $(@D); sed 's|@BINDIR@|$(PREFIX)/bin|' $< >$@
$(BUILD)/polkit/%: share/polkit/% FORCE
	@mkdir -p $(@D); sed 's|@BINDIR@|$(PREFIX)/bin|' $< >$@
# the whole English pages, from which po4a makes those of other languages
$(BUILD)/man/qlaunch.conf.5.scd: share/man/qlaunch.conf.5.scd $(BUILD)/qlaunch
	@mkdir -p $(@D); LC_ALL=C $(BUILD)/qlaunch _keys man >$@.keys && sed -e '/^@KEYS@$$/{r $@.keys' -e 'd}' $< >$@
$(BUILD)/man/%.scd: share/man/%.scd
	@mkdir -p $(@D); cp $< $@
MAN_PO := share/po/man
PO4A = po4a --quiet --master-charset UTF-8 --localized-charset UTF-8 --no-backups --variable build=$(BUILD) --variable po=$(MAN_PO) share/po/man/po4a.cfg
man-po: $(PAGES:%=$(BUILD)/man/%.scd)
	@rm -f $(BUILD)/man/man.pot; $(PO4A) --force --no-translations --msgmerge-opt --no-fuzzy-matching
	@for f in $(MAN_PO)/*.po; do echo "  PO    $$f"; msgattrib --no-obsolete --no-location --no-wrap -o $$f $$f; done
$(BUILD)/man/translated: $(PAGES:%=$(BUILD)/man/%.scd) $(wildcard share/po/man/*)
	@$(PO4A) --no-update && touch $@
$(filter-out $(PAGES:%=$(BUILD)/man/%),$(MAN)): $(BUILD)/man/translated
	@scdoc <$@.scd >$@
$(BUILD)/man/%: $(BUILD)/man/%.scd
	@scdoc <$< >$@
install: all $(MAN) units $(BUILD)/bench-guest $(BUILD)/polkit/org.qlaunch.policy
	@for f in $(FILES); do IFS=: read -r to mode from <<<"$$f"; install -D -m "$$mode" "$$from" "$(DESTDIR)$(PREFIX)/$$to"; done
uninstall:
	@for f in $(FILES); do rm -f "$(DESTDIR)$(PREFIX)/$${f%%:*}"; done
SHELL := /bin/bash

## make deb         build/qlaunch_VERSION_amd64.deb; make dist: the archive that it, the .spec and the PKGBUILD of share/packages build from
VERSION := $(shell sed -n 's/^.define VERSION "\(.*\)"/\1/p' launcher/main.c)
DIST     = $(BUILD)/qlaunch-$(VERSION).tar.gz
dist:
	@mkdir -p $(BUILD); tar --sort=name --owner=0 --group=0 --numeric-owner --transform 's|^|qlaunch-$(VERSION)/|' -czf $(DIST) \
		Makefile COPYING $(wildcard *.md) launcher qmp ovmf configs share tests
deb: dist
	@rm -rf $(BUILD)/deb; mkdir -p $(BUILD)/deb; tar -C $(BUILD)/deb -xzf $(DIST); cp -r share/packages/debian $(BUILD)/deb/qlaunch-$(VERSION)/
	@cd $(BUILD)/deb/qlaunch-$(VERSION) && env -u MAKEFLAGS -u MFLAGS -u BUILD dpkg-buildpackage -us -uc -b >../log 2>&1 || { tail -n 30 ../log; exit 1; }
	@cp $(BUILD)/deb/qlaunch_$(VERSION)_*.deb $(BUILD)/; echo "  DEB   $(BUILD)/qlaunch_$(VERSION)_$$(dpkg --print-architecture).deb"

## make clean       removes the build folders
clean:
	rm -rf $(BUILD) $(BUILD)-san
