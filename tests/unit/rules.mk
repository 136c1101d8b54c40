# SPDX-License-Identifier: MIT
# Tests of what happens when memory is short count allocations and refuse one (short_memory.h).
$(O)/unit/state/check_memory $(O)/unit/facts/check_memory $(O)/unit/sinks/check_figures: LDFLAGS += \
	$(foreach f,malloc calloc realloc strdup strndup,-Wl,--wrap=$(f))
# That of files does something between the making of a file and its lock.
$(O)/unit/outbox/check_sqlite_file: LDFLAGS += -Wl,--wrap=flock
# That of the history has some of its syncs fail.
$(O)/unit/sinks/check_history: LDFLAGS += -Wl,--wrap=sqlite_file_sync
# That of keys says itself what the kernel gives.
$(O)/unit/base/check_random: LDFLAGS += -Wl,--wrap=getrandom

# Names that have two addresses or are slow to come (fake_names.h).
$(O)/unit/link/%: LDFLAGS += -Wl,--wrap=getaddrinfo
# That of a session has a PBX to talk with, and refuses memory to our rooms alone.
$(O)/unit/commands/check_session_memory: LDFLAGS += \
	$(foreach f,bytes zeroed resized failures,-Wl,--wrap=memory_$(f))
$(O)/unit/commands/check_session_memory: $(O)/obj/tests/unit/link/fake_pbx.o
