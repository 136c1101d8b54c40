#!/bin/sh
# SPDX-License-Identifier: MIT
# The contracts: every record that replay derives from the recordings fits its schema, and facts.def, schemas, SQL,
# samples and docs say the same. Needs build/amitap. One line "ok …" or "FAIL …" each.
set -eu

cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
venv=build/venv
if ! "$venv/bin/python" -c 'import jsonschema, yaml' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" -q --disable-pip-version-check install jsonschema==4.26.0 PyYAML==6.0.3
fi
exec "$venv/bin/python" tests/schemas/check.py
