# SPDX-License-Identifier: MIT
# Tests of what happens when memory is short count allocations and refuse one (short_memory.h).
$(O)/unit/state/check_memory $(O)/unit/facts/check_memory $(O)/unit/sinks/check_figures: LDFLAGS += \
	$(foreach f,malloc calloc realloc strdup strndup,-Wl,--wrap=$(f))
# That of files does something between the making of a file and its lock.
$(O)/unit/outbox/check_sqlite_file: LDFLAGS += -Wl,--wrap=flock
# That of keys says itself what the kernel gives.
$(O)/unit/base/check_random: LDFLAGS += -Wl,--wrap=getrandom

# Names that have two addresses or are slow to come (fake_names.h).
$(O)/unit/link/%: LDFLAGS += -Wl,--wrap=getaddrinfo
