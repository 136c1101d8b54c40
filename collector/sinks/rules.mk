# SPDX-License-Identifier: MIT
GENERATED += $(GEN)/schemas/history_migrations.h

$(GEN)/schemas/history_migrations.h: schemas/sql/embed.awk $(wildcard schemas/sql/history/*.sql)
	$(call embed_sql,history)
