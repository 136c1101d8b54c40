# SPDX-License-Identifier: MIT
# Each fuzz_NAME.c is one fuzzer, compiled by clang together with the rooms that it needs, since
# both must be instrumented.
FUZZ_CC ?= clang-14
FUZZERS := frame tap config scrub request files
ROOMS_frame  := parsers base
ROOMS_tap    := parsers base config link state facts
ROOMS_config := parsers base config
ROOMS_scrub  := $(ROOMS)
ROOMS_request := web
ROOMS_files   := parsers base users
FUZZ_FLAGS := -std=c11 -g -O1 -fno-omit-frame-pointer -w
fuzz_sources = $(foreach r,$(ROOMS_$(1)),$(wildcard $(dir_$(r))/*.c))
fuzz_pkgs    = $(foreach r,$(ROOMS_$(1)),$(PKG_$(r))) jansson

define fuzz_rules
$(O)/fuzz/$(1): tests/fuzz/fuzz_$(1).c tests/fuzz/fuzz_kit.h $$(call fuzz_sources,$(1)) \
		$$(wildcard collector/*/*.h parsers/*.h web/*.h) | needs $$(GENERATED)
	@mkdir -p $$(@D)
	$$(call say,FUZZ,$$@)$(FUZZ_CC) $$(FUZZ_FLAGS) -fsanitize=$$(FUZZ_SANITIZE) $$(CPPFLAGS) -o $$@ \
		tests/fuzz/fuzz_$(1).c $$(call fuzz_sources,$(1)) $$(call pkg,--libs,$$(call fuzz_pkgs,$(1))) -pthread
endef
FUZZ_SANITIZE ?= fuzzer,address,undefined
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rules,$(f))))

fuzzers: $(FUZZERS:%=$(O)/fuzz/%)

# The same for AFL++: its driver brings main().
AFL_CC ?= afl-clang-fast
define afl_rules
$(O)/fuzz/afl-$(1): $(O)/fuzz/$(1)
	$$(call say,AFL,$$@)AFL_QUIET=1 $(AFL_CC) $$(FUZZ_FLAGS) -fsanitize=fuzzer $$(CPPFLAGS) -o $$@ \
		tests/fuzz/fuzz_$(1).c $$(call fuzz_sources,$(1)) $$(call pkg,--libs,$$(call fuzz_pkgs,$(1))) -pthread
endef
$(foreach f,$(FUZZERS),$(eval $(call afl_rules,$(f))))

afl-fuzzers: $(FUZZERS:%=$(O)/fuzz/afl-%)
