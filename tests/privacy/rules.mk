# SPDX-License-Identifier: MIT
# A Kafka cluster in a process, and what a consumer finds in it; see kafka_mock.c.
$(O)/kafka_mock: $(O)/obj/tests/privacy/kafka_mock.o
	$(call say,LD,$@)$(LINK) -o $@ $^ $(call pkg,--libs,$(PKG_sinks)) $(LDLIBS)
