#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The example consumers without a broker: they are sound, and the one in C, in Python and in JavaScript print the same of
# every recording, each record once though it comes twice. tests/kafka runs them against a broker. Needs build/amitap and
# build/examples/consumer. One line "ok …" or "FAIL …" each.
set -u
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
c=build/examples/consumer
python=examples/consumers/python/consumer.py
javascript=examples/consumers/javascript/consumer.js

check() {
  local what=$1
  shift
  if "$@"; then echo "ok $what"; else echo "FAIL $what"; status=1; fi
}

check "python: compiles" python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$python"
check "python: each record once" python3 tests/examples/merge_twice.py
check "javascript: parses" node --check "$javascript"

# Each record twice, and one as a hostile caller would have it.
records() {
  build/amitap replay --records events tests/captures/*/ami.raw | sed p
  cat <<'EOF'
{"kind":"call","id":"x","start":null,"caller_number":"","caller_name":"\u001b[2J\u009b2J\u0007\"Bé\"","dialled":"1\n2","answer":null,"duration":0.999999,"hung_up_by":null,"inferred":true}
{"kind":"of the future","id":"y"}
{"kind":"call_state","id":"z","subject":"1.2"}
EOF
}
records >"$folder/records"
for one in "$c" "$python" "$javascript"; do
  "$one" - <"$folder/records" >"$folder/$(basename "$one")" || status=1
done
same() { cmp "$folder/consumer" "$folder/consumer.py" && cmp "$folder/consumer" "$folder/consumer.js"; }
check "all three print the same" same
wanted=$(sed '$d' "$folder/records" | grep -cE '^\{"kind":"(call_ringing|call|cdr)"')
printed=$(wc -l <"$folder/consumer")
once() { [ "$printed" -gt 500 ] && [ $((printed - 1)) = $(((wanted - 1) / 2)) ]; }
check "each of $printed records once" once
clean() {
  [ "$(tail -n 1 "$folder/consumer")" = 'CALL - unknown "?[2J?2J?"Bé"", dialled 1?2: not answered, 0 s (inferred)' ]
}
check "nothing but text is printed" clean

usage() {
  local one
  for one in "$c" "$python" "$javascript"; do
    "$one" 2>/dev/null
    [ $? = 2 ] || return 1
  done
}
check "wrong arguments are told" usage
printf 'no.such.property=1\n' >"$folder/wrong"
refuses() { ! "$c" "$folder/wrong" 2>"$folder/said" && grep -q 'no.such.property' "$folder/said"; }
check "an unknown property is refused" refuses
exit $status
