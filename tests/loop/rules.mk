# SPDX-License-Identifier: MIT
# The disk that does not answer, for tests/loop/run.py.
.PHONY: loop-shim
loop-shim: $(O)/loop/freeze.so

$(O)/loop/freeze.so: tests/loop/freeze.c
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -fPIC -shared -o $@ $<
