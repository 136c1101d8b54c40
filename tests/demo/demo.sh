#!/bin/bash
# SPDX-License-Identifier: MIT
#
# amitap at work, with nothing to set up: amisim plays a busy PBX, amitap taps it into SQLite and shows it on its
# wallboard, until Ctrl-C. Called by `make demo`, which installs and builds what this needs.
#
# DEMO_SECONDS=N plays a list with an end within N seconds and then holds what amitap showed and stored against what
# amisim played: exit status 1, and a line "FAIL ...", unless they are the same.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Several copies of a list play at once, each beginning elsewhere in it; tests/demo/words has names for three of them.
endless=(mixed-busy-minute queue-answered-by-agent-hangup mixed-busy-minute queue-timeout-empty
  queue-attended-transfer mixed-busy-minute queue-abandon agi-ai-then-queue conference-three
  mixed-busy-minute queue-blind-transfer hold-and-resume ring-group queue-abandon)
finite=(mixed-busy-minute ivr-digit-to-queue queue-abandon ring-group queue-answered)
first_web_port=8088
seconds_to_check=7 # of DEMO_SECONDS: starting, and looking at the results

seconds=${DEMO_SECONDS:-}
folder= sim= tap= tap_status=

say() { echo "demo: $*"; }
complain() { echo "demo: $*" >&2; }

# end PID: asks it to stop, waits for it, and kills it after ten seconds. Its exit status.
end() {
  local pid=$1 i
  kill "$pid" 2>/dev/null
  for ((i = 0; i < 100; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -9 "$pid" 2>/dev/null || complain "process $pid had to be killed"
  wait "$pid" 2>/dev/null
}

# The tap first, so that it can log off.
stop_both() {
  trap '' INT TERM HUP
  if [ -n "$tap" ]; then end "$tap"; tap_status=$?; tap=; fi
  if [ -n "$sim" ]; then end "$sim"; sim=; fi
}

where() {
  [ -n "$folder" ] || return 0
  say "database    $folder/amitap.db"
  say "logs        $folder/amitap.log, $folder/amisim.log"
}

fail() {
  complain "$*"
  local log
  for log in amitap amisim; do
    [ ! -s "$folder/$log.log" ] || sed "s/^/demo:   $log: /" "$folder/$log.log" | tail -n 12 >&2
  done
  stop_both
  where >&2
  exit 1
}

# On Ctrl-C, TERM, or when the terminal went away.
stopped() {
  stop_both
  trap - HUP
  echo
  say "stopped"
  where
  [ "$tap_status" = 0 ] || { complain "amitap ended with status $tap_status; see its log"; exit 1; }
  [ -z "$seconds" ] || { complain "stopped before the end: nothing was compared"; exit 1; }
  exit 0
}

alive() { kill -0 "$1" 2>/dev/null; }

# await SECONDS COMMAND…: repeats it until it succeeds, both programs run, and there is time.
await() {
  local i tries=$(($1 * 10))
  shift
  for ((i = 0; i < tries; i++)); do
    ! "$@" || return 0
    [ -z "$sim" ] || alive "$sim" || fail "amisim, which plays the PBX, has ended"
    [ -z "$tap" ] || alive "$tap" || fail "amitap has ended"
    sleep 0.1
  done
  return 1
}

check_tools() {
  local tool
  for tool in curl sqlite3 awk; do
    command -v "$tool" >/dev/null || fail "$tool is missing; 'make deps' installs it"
  done
  for tool in build/amitap build/amisim; do
    [ -x "$tool" ] || fail "$tool is not built; 'make' builds it"
  done
  [ -z "$seconds" ] && return
  [[ $seconds =~ ^[0-9]{1,6}$ ]] && ((10#$seconds >= 10)) ||
    fail "DEMO_SECONDS=$seconds: a whole number of at least 10 is needed"
  seconds=$((10#$seconds))
}

# The seconds that a list of recordings takes at their own pace.
length_of() {
  awk '
    FNR == 1 { total += last - first; first = 0; last = 0 }
    /^Timestamp: / { if (!first) first = $2; last = $2 }
    END { print int(total + last - first + ARGC - 1) }' "${@/%//ami.raw}"
}

# Sets play to amisim's options and folders.
choose_play() {
  play=(--first-copy 1 --words tests/demo/words --caller-names)
  if [ -z "$seconds" ]; then
    play+=(--copies 6 --loop 0 --stagger 3 --timestamps now "${endless[@]/#/tests/captures/}")
    return
  fi
  local length time loops pace
  length=$(length_of "${finite[@]/#/tests/captures/}")
  time=$((seconds - seconds_to_check))
  loops=$((time > length ? time / length : 1))
  pace=$(awk "BEGIN { p = $loops * $length / $time; print p < 1 ? 1 : p }")
  play+=(--copies 3 --loop "$loops" --stagger 0 --pace "$pace" --truth "$folder/truth" --summary "$folder/summary.json"
    "${finite[@]/#/tests/captures/}")
}

# In a process group of its own: Ctrl-C comes to this script alone, which stops both in order.
background() {
  local log=$1
  shift
  set -m
  "$@" >"$folder/$log.log" 2>&1 </dev/null &
  set +m
}

ami_port() { sed -n 's/^amisim: listening on .*:\([0-9]*\)$/\1/p' "$folder/amisim.log"; }

start_sim() {
  background amisim build/amisim --port 0 --secret "$(cat "$folder/secret")" "${play[@]}"
  sim=$!
  port_known() { [ -n "$(ami_port)" ]; }
  await 10 port_known || fail "amisim does not say which port it listens on"
}

# A port that nobody answers on.
free_port() {
  local port
  for ((port = first_web_port; port < first_web_port + 100; port++)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

write_config() {
  cat >"$folder/amitap.conf" <<END
pbx demo {
  host = 127.0.0.1
  port = $(ami_port)
  user = tap
  secret_file = '$folder/secret'
}
store { path = '$folder/amitap.db' }
web { listen = '127.0.0.1:$1' }
END
}

# get PATH FILE: what the wallboard's server answers, kept in FILE; not zero unless it is a 200.
get() { curl -fsS --noproxy '*' --max-time 5 -o "$folder/$2" "$address$1" 2>"$folder/curl.log"; }

following() { grep -sq 'following events' "$folder/amitap.log" && get healthz healthz; }

start_tap() {
  local port
  port=$(free_port)
  [ -n "$port" ] || fail "no port from $first_web_port on is free for the wallboard"
  address=http://127.0.0.1:$port/
  write_config "$port"
  # The play's minutes lie in one day wherever the demo is: today's figures begin again at midnight.
  [ -z "$seconds" ] || export TZ="DEMO$((10#$(date -u +%H) - 12))"
  background amitap build/amitap run -c "$folder/amitap.conf"
  tap=$!
  await 15 following || fail "amitap does not follow the PBX"
}

# ask SQL: an expression on state, the JSON as last fetched.
ask() { sqlite3 :memory: "SELECT $1 FROM (SELECT CAST(readfile('$folder/state.json') AS TEXT) AS state)"; }

played() { grep -q '"finished":true' "$folder/summary.json" 2>/dev/null; }

# All of the play is shown: no call is left, and as many CDRs as Asterisk wrote.
shown() {
  get api/v1/state state.json || return 1
  local want
  want=$(sed 's/.*"cdr_rows":\([0-9]*\).*/\1/' "$folder/summary.json")
  [ "$(ask "json_array_length(state, '\$.calls') || ' ' || (SELECT sum(json_extract(value, '\$.cdrs'))
      FROM json_each(state, '\$.counts'))")" = "0 $want" ]
}

# result STATUS WORDS…: a line of the comparison.
result() {
  local status=$1
  shift
  if [ "$status" = 0 ]; then echo "ok    $*"; else echo "FAIL  $*"; fi
}

# What the wallboard answers when all was played: each as a line "ok ..." or "FAIL ...".
look() {
  get '' index.html && grep -qi '<title>.*amitap' "$folder/index.html"
  result $? "the page $address answers"
  get api/v1/state state.json && [ "$(ask "json_valid(state)")" = 1 ]
  result $? "/api/v1/state answers"
  get healthz healthz && grep -q '"connected":true' "$folder/healthz"
  result $? "/healthz says that the PBX is connected"
  curl -sN --noproxy '*' --max-time 1 "${address}api/v1/stream" 2>/dev/null | grep -q '^event: snapshot'
  result $? "/api/v1/stream begins with a snapshot"
}

compare() {
  (cd "$folder" && sqlite3 -batch :memory: 2>&1) <tests/demo/compare.sql |
    sed -e '/^ok    /b' -e '/^FAIL  /b' -e 's/^/FAIL  compare.sql: /'
}

run_to_end() {
  await "$seconds" played || fail "amisim has not played its list within $seconds s"
  await 5 shown || true # the comparison says what is missing
  look >"$folder/results"
  stop_both
  result "$tap_status" "amitap stopped with status $tap_status" >>"$folder/results"
  compare >>"$folder/results"
  cat "$folder/results"
  local failed
  failed=$(grep -vc '^ok ' "$folder/results")
  where
  say "$(grep -c '^ok ' "$folder/results") checks passed, $failed failed"
  [ "$failed" = 0 ] && grep -q '^ok    every row' "$folder/results"
}

trap stopped INT TERM HUP
check_tools
umask 077
folder=$(mktemp -d "${TMPDIR:-/tmp}/amitap-demo.XXXXXX") || fail "no folder for the demo's files"
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$folder/secret"
choose_play
start_sim
start_tap

echo
say "wallboard   $address    open this in a browser"
where
say "look        sqlite3 $folder/amitap.db 'SELECT start, src, dst, disposition FROM cdr'"
if [ -n "$seconds" ]; then
  say "stop        by itself, within $seconds s"
  run_to_end
  exit
fi
say "stop        Ctrl-C"
wait -n "$sim" "$tap"
fail "$(alive "$tap" && echo amisim || echo amitap) has ended by itself"
