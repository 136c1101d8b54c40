# SPDX-License-Identifier: MIT
# The wallboard's pages as C arrays.
PAGES := $(addprefix web/pages/,index.html wallboard.css wallboard.js lines.js stream.js icon.svg login.html \
	login.js)
GENERATED += $(GEN)/web/pages_data.h

$(GEN)/web/pages_data.h: web/embed.sh $(PAGES)
	@mkdir -p $(@D)
	$(call say,GEN,$@)web/embed.sh $(PAGES) > $@.new && mv $@.new $@
