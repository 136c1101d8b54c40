#!/bin/sh
# SPDX-License-Identifier: MIT
# amitap against a real Apache Kafka, which Maven fetches into build/kafka. Needs build/amitap, build/amisim, make, java, mvn
# and openssl. Arguments are run.py's. One line "ok …" or "FAIL …" each.
set -eu

cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
venv=build/venv
if ! "$venv/bin/python" -c 'import confluent_kafka, jsonschema' 2>/dev/null; then
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" -q --disable-pip-version-check install confluent-kafka==2.16.1 jsonschema==4.26.0
fi
jars=build/kafka/jars
if ! [ -e "$jars/complete" ] || [ tests/kafka/pom.xml -nt "$jars/complete" ]; then
    mvn -q -B -ntp -f tests/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$jars"
    : >"$jars/complete"
fi
make -s -j2 O=build/crash CRASH_POINTS=1 build/crash/amitap >build/kafka/crash-build.log
# One at a time: the broker's folder is shared.
exec 9>build/kafka/lock
flock -n 9 || { echo "kafka: another run is under way; waiting for its end"; flock 9; }
exec "$venv/bin/python" tests/kafka/run.py "$@"
