# SPDX-License-Identifier: MIT
# An invented call centre behind the real pages; see fake_feed.c.
$(O)/fake_feed: $(O)/obj/tests/browser/fake_feed.o \
		$(patsubst %,$(O)/lib/%.a,web view facts state link config base parsers)
	$(call say,LD,$@)$(LINK) -o $@ $^ $(call pkg,--libs,$(PKG_web) $(call pkgs,view)) $(LDLIBS)
