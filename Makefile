# SPDX-License-Identifier: MIT
#
#   make            build/amitap and build/amisim        make demo   see it run, nothing to set up
#   make check      the fast tests, under sanitizers     make test   every test (root or sudo)
#
# V=1 shows the commands. O=DIR builds into DIR, ROOM=NAME checks one room only.

PREFIX  ?= /usr/local
VERSION ?= 0.1.0
O       ?= build
GEN     := build/gen
CFLAGS  ?= -O2 -g
WERROR  ?= -Werror
PKG_CONFIG ?= pkg-config

# The rooms, left to right: each includes, and links with, only those to its left. web/ stands
# apart and knows none of them.
ROOMS := parsers base config link state facts outbox sinks view users commands

PKG_config := libconfuse
PKG_link   := libevent libevent_pthreads libssl libcrypto
PKG_facts  := jansson
PKG_outbox := sqlite3
PKG_sinks  := rdkafka
PKG_users  := libcrypto
PKG_web    := libmicrohttpd
PKG_amisim := libevent libcrypto
PKG_TESTS  := check jansson

# Debian packages: what the build needs, what the demo and the tests need on top.
DEPS_BUILD := gcc make libc6-dev pkg-config gperf uthash-dev libconfuse-dev libevent-dev \
	libssl-dev libsqlite3-dev libmicrohttpd-dev libjansson-dev librdkafka-dev
DEPS_DEMO  := curl sqlite3
DEPS_TEST  := check tzdata clang-format-14 cppcheck python3 python3-venv ca-certificates git debootstrap \
	chromium nodejs npm maven openjdk-17-jre-headless openssl clang-14 libclang-rt-14-dev afl++ systemd systemd-container python3-seccomp \
	prometheus

.PHONY: all deps deps-test needs check unit run-unit lint docs demo test prove-tests fuzz soak bench install clean
all:

# Every object waits for what rules.mk files add to this: tables, migrations and pages that are
# generated into $(GEN).
GENERATED :=
-include $(wildcard parsers/rules.mk collector/*/rules.mk web/rules.mk tests/*/rules.mk)

has = $(shell echo 'int main(void){return 0;}' | \
	$(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo $(1))
ifndef OPTIONAL_FLAGS
OPTIONAL_FLAGS := $(call has,-fstrict-flex-arrays=3) $(call has,-fzero-init-padding-bits=all) \
	$(call has,-fcf-protection=full) $(call has,-ftrivial-auto-var-init=zero) \
	$(call has,-Wtrampolines) $(call has,-Wbidi-chars=any)
endif
# Found once for the makes below this one, unless "make demo" has yet to install a compiler.
ifneq ($(shell command -v $(firstword $(CC))),)
export OPTIONAL_FLAGS
endif

WARNINGS := -Wall -Wextra -Wconversion -Wformat=2 -Wimplicit-fallthrough -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef \
	-Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
	-Werror=int-conversion $(WERROR)
ifdef SANITIZE
HARDENING := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer -fPIE
LDHARDENING := -fsanitize=$(SANITIZE) -pie
else
HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-clash-protection \
	-fstack-protector-strong -fPIE -fno-delete-null-pointer-checks -fno-strict-overflow \
	-fno-strict-aliasing
LDHARDENING := -pie -Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now
endif

# What is missing is said by "needs", not by pkg-config once per library.
pkg = $(if $(strip $(2)),$(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null))
PKG_ALL := $(foreach r,$(ROOMS) web,$(PKG_$(r)))
override CPPFLAGS += -D_GNU_SOURCE -I. -I$(GEN) $(call pkg,--cflags,$(PKG_ALL))
# CRASH_POINTS=1 is a build that tests can kill at named places (collector/base/crash_point.h).
ifdef CRASH_POINTS
override CPPFLAGS += -DAMITAP_CRASH_POINTS
CRASH_OBJECTS = $(call objects,tests/crash)
endif
COMPILE = $(CC) -std=c11 $(CPPFLAGS) $(WARNINGS) $(HARDENING) $(OPTIONAL_FLAGS) -pthread $(CFLAGS) \
	-MMD -MP
LINK = $(CC) $(CFLAGS) -pthread $(LDHARDENING) -Wl,--as-needed $(LDFLAGS)

ifneq ($(V),1)
Q := @
say = @printf '  %-4s %s\n' $(1) $(2);
endif

dir_parsers  := parsers
dir_web      := web
dir_amisim   := tests/amisim
$(foreach r,$(filter-out parsers,$(ROOMS)),$(eval dir_$(r) := collector/$(r)))
objects = $(patsubst %.c,$(O)/obj/%.o,$(wildcard $(1)/*.c))

# The archives and libraries of a room and all to its left, in the order the linker wants.
upto    = $(if $(2),$(firstword $(2)) $(if $(filter-out $(1),$(firstword $(2))),$(call \
	upto,$(1),$(wordlist 2,99,$(2)))))
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
rooms   = $(if $(filter web,$(1)),web,$(if $(filter amisim,$(1)),amisim base parsers,$(call reverse,$(call upto,$(1),$(ROOMS)))))
libs    = $(patsubst %,$(O)/lib/%.a,$(call rooms,$(1)))
pkgs    = $(foreach r,$(call rooms,$(1)),$(PKG_$(r)))

define room_rules
$(O)/lib/$(1).a: $(call objects,$(dir_$(1)))
	@mkdir -p $$(@D) && rm -f $$@
	$$(call say,AR,$$@)$(AR) rcsD $$@ $$^
endef
$(foreach r,$(ROOMS) web amisim,$(eval $(call room_rules,$(r))))

$(O)/obj/%.o: %.c | needs $(GENERATED)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) -c -o $@ $<
$(O)/obj/collector/main.o: override CPPFLAGS += -DAMITAP_VERSION='"$(VERSION)"'

$(O)/amitap: $(O)/obj/collector/main.o $(CRASH_OBJECTS) $(O)/lib/web.a $(call libs,commands)
	$(call say,LD,$@)$(LINK) -o $@ $^ $(call pkg,--libs,$(PKG_ALL)) $(LDLIBS)

# amitap whose allocations can fail, for tests/memory.
WRAPPED := malloc calloc realloc strdup strndup asprintf
$(O)/amitap-memory: $(O)/obj/collector/main.o $(call objects,tests/memory) $(O)/lib/web.a $(call libs,commands)
	$(call say,LD,$@)$(LINK) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(call pkg,--libs,$(PKG_ALL)) $(LDLIBS)

$(O)/amisim: $(call objects,tests/amisim) $(call libs,base)
	$(call say,LD,$@)$(LINK) -o $@ $^ $(call pkg,--libs,$(PKG_link)) $(LDLIBS)

PROGRAMS := $(if $(wildcard collector/main.c),$(O)/amitap) \
	$(if $(wildcard tests/amisim/main.c tests/amisim/amisim.c),$(O)/amisim)
all: $(PROGRAMS) $(patsubst %,$(O)/lib/%.a,$(ROOMS) web)

# tests/unit/ROOM/check_NAME.c is one test program, linked with the rooms up to ROOM. Other .c
# files beside it are helpers of that room's tests.
ROOM ?= *
UNIT_SOURCES := $(wildcard tests/unit/$(ROOM)/check_*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/unit/%,$(UNIT_SOURCES))
define unit_rules
$(O)/unit/$(1)/%: $(O)/obj/tests/unit/$(1)/%.o \
		$(filter-out $(O)/obj/tests/unit/$(1)/check_%,$(call objects,tests/unit/$(1))) \
		$(call libs,$(1))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(LINK) -o $$@ $$^ $$(call pkg,--libs,$(call pkgs,$(1)) $(PKG_TESTS)) $(LDLIBS)
endef
$(foreach d,$(wildcard tests/unit/*/.),$(eval $(call \
	unit_rules,$(notdir $(patsubst %/.,%,$(d))))))
.SECONDARY:

unit: $(UNIT_TESTS)

run-unit: $(UNIT_TESTS)
	@tests/unit/run.sh $(O)/unit $(UNIT_TESTS)

# SAN=thread runs them under the thread sanitizer instead.
SAN ?= address,undefined
check: needs $(GENERATED)
	@$(MAKE) --no-print-directory O=$(O)/$(if $(filter address%,$(SAN)),asan,$(SAN)) \
		SANITIZE=$(SAN) CFLAGS='-O1 -g' run-unit

lint: all
	@tests/lint/run.sh

# What is written from facts.def, the schemas and the last tests' faults, and committed.
docs:
	@python3 schemas/docs.py
	@tests/kit/fault_table.py

needs:
	@test -z "$(PKG_ALL)" || $(PKG_CONFIG) --exists $(PKG_ALL) 2>/dev/null || { \
		echo "amitap: libraries are missing; 'make deps' installs them" >&2; exit 1; }

deps:
	@tests/deps.sh $(DEPS_BUILD) $(DEPS_DEMO)

deps-test:
	@tests/deps.sh $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST)

# A second make, since the libraries' flags are only known once they are installed.
demo: deps
	@$(MAKE) --no-print-directory -j2 all
	@tests/demo/demo.sh

test: deps-test
	@tests/run-all.sh

# Breaks the source on purpose, one rule at a time: the tests must notice each.
prove-tests: deps-test
	@tests/prove/run.py

# Looks for inputs that break the parsers and machines, for so long with each of two fuzzers.
FUZZ_SECONDS ?= 600
fuzz: deps-test
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

# Random calls on a real Asterisk, tapped live, and a disk that freezes and thaws under 5,000 events a second, each for as
# long as asked; many more deaths and failing calls.
SOAK_SECONDS ?= 600
SOAK_SUITES  := build systemd_booted mixer soak crash disk memory
soak: deps-test
	@FAULT_LOG=soak MIX_SECONDS=$(SOAK_SECONDS) SUITE_SECONDS=3600 CRASH_OPTIONS='--kills 1000 --power-cuts 300' \
		DISK_OPTIONS=--every MEMORY_OPTIONS='--runs 400' tests/run-all.sh $(SOAK_SUITES)

bench: all
	@tests/bench/run.sh

install: all
	install -D -m 755 $(O)/amitap $(DESTDIR)$(PREFIX)/bin/amitap
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/|$(PREFIX)/|' examples/systemd/amitap.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/amitap.service
	install -D -m 644 examples/amitap.conf $(DESTDIR)$(PREFIX)/share/doc/amitap/amitap.conf

clean:
	rm -rf build

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
