# SPDX-License-Identifier: MIT
# The perfect hashes of event and header names, from schemas/ by gperf.
GENERATED += $(GEN)/parsers/ami_event_hash.h $(GEN)/parsers/ami_header_hash.h

$(GEN)/parsers/ami_event_hash.h: schemas/ami_events.def parsers/names.sh
	@mkdir -p $(@D)
	$(call say,GEN,$@)parsers/names.sh EVENT $< >$@.new && mv $@.new $@

$(GEN)/parsers/ami_header_hash.h: schemas/ami_headers.def parsers/names.sh
	@mkdir -p $(@D)
	$(call say,GEN,$@)parsers/names.sh HEADER $< >$@.new && mv $@.new $@
