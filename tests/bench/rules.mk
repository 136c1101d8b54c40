# SPDX-License-Identifier: MIT
bench: $(O)/bench_parse

$(O)/bench_parse: $(O)/obj/tests/bench/bench_parse.o $(O)/lib/parsers.a
	$(call say,LD,$@)$(LINK) -o $@ $^
