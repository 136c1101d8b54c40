# SPDX-License-Identifier: MIT
# The example consumer in C, with the project's own warnings.
.PHONY: examples
examples: $(O)/examples/consumer
all: $(O)/examples/consumer

$(O)/examples/consumer: $(O)/obj/examples/consumers/c/consumer.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(LINK) -o $@ $^ $(call pkg,--libs,rdkafka jansson) $(LDLIBS)
