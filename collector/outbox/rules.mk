# SPDX-License-Identifier: MIT
# The numbered SQL files of schemas/sql/NAME become build/gen/schemas/NAME_migrations.h.
GENERATED += $(GEN)/schemas/outbox_migrations.h

define embed_sql
	@mkdir -p $(@D)
	$(Q)LC_ALL=C awk -v name=$(1)_migrations -f schemas/sql/embed.awk \
		$(sort $(filter %.sql,$^)) >$@.new && mv $@.new $@
endef

$(GEN)/schemas/outbox_migrations.h: schemas/sql/embed.awk $(wildcard schemas/sql/outbox/*.sql)
	$(call embed_sql,outbox)
