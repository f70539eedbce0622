# SPDX-License-Identifier: GPL-2.0-or-later
# qlaunch: `make` builds build/qlaunch; `make demo` shows the main job; `make check` runs every test. `make help` lists the rest.

PREFIX ?= /usr/local
BUILD  ?= build
CC     ?= gcc
LIBS   := libpci hwloc libcap-ng libsystemd jansson inih

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 \
	  -Wundef -Wnull-dereference -Wno-missing-field-initializers -Werror
HARDEN := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
CFLAGS ?= -O2 -g
ifeq ($(SAN),1)
  BUILD  := $(BUILD)-san
  SANITIZE := -fsanitize=address,undefined
  CFLAGS := -O1 -g -fno-omit-frame-pointer $(SANITIZE) -fno-sanitize-recover=all
  HARDEN := -fPIE
endif
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(HARDEN) $(CFLAGS) $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
LDLIBS  = $(shell pkg-config --libs $(LIBS))
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)

SRC    := $(shell find launcher qmp ovmf -name '*.c' 2>/dev/null | sort)
OBJ    := $(SRC:%.c=$(BUILD)/obj/%.o)
LIBOBJ := $(filter-out $(BUILD)/obj/launcher/main.o,$(OBJ))
UNIT   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
HELPOBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(filter-out $(wildcard tests/unit/test_*.c),$(wildcard tests/unit/*.c))))

.PHONY: all unit floors clean
all: $(if $(wildcard launcher/main.c),$(BUILD)/qlaunch) $(BUILD)/libqlaunch.a

$(BUILD)/qlaunch: $(BUILD)/obj/launcher/main.o $(BUILD)/libqlaunch.a
	@echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libqlaunch.a: $(LIBOBJ)
	@echo "  AR    $@"; rm -f $@; ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D); echo "  CC    $<"; $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(HELPOBJ) $(BUILD)/libqlaunch.a
	@mkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

unit: $(UNIT)
	@for t in $(UNIT); do echo "  TEST  $$t"; $$t || exit 1; done

# A file includes only lower floors.
floors:
	@tests/floors

clean:
	rm -rf build build-san
