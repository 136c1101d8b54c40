#!/bin/bash
# SPDX-License-Identifier: MIT
# What fresh.sh runs inside the fresh machine: what its user would type, and whether that did what it should.
set -u
cd /root || exit 1
export DEBIAN_FRONTEND=noninteractive
logs=/root/logs
mkdir -p "$logs"

# step NAME COMMAND…: a line "ok ..." or "FAIL ..." with its time; the log's end when it failed. Not zero then.
step() {
  local name=$1 begin=$SECONDS status
  shift
  "$@" >"$logs/step" 2>&1 </dev/null
  status=$?
  if [ $status = 0 ]; then
    echo "ok    $name ($((SECONDS - begin)) s)"
    return
  fi
  echo "FAIL  $name: status $status ($((SECONDS - begin)) s)"
  tail -n 40 "$logs/step" | sed 's/^/      /'
  return 1
}

# Only what a user of the README has: a name here that came with the bootstrap would hide that it is missing.
is_bare() { ! command -v git make gcc cc curl sqlite3 python3 sudo; }

prepare() { apt-get update && apt-get install -y git make; }

fetch() { git clone -q amitap.bundle amitap; }

demo() { make -C amitap demo DEMO_SECONDS=20; }

# Somebody who is not root, may use sudo, and lacks one of the packages.
prepare_user() {
  apt-get install -y sudo && apt-get purge -y sqlite3 && useradd -m somebody &&
    echo 'somebody ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/somebody &&
    cp amitap.bundle /home/somebody/ && runuser -u somebody -- git clone -q ~somebody/amitap.bundle ~somebody/amitap
}

# running NAME: the ids of its processes; this is a process namespace of our own.
running() { grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null; }

# interrupted COMMAND…: a plain demo that is stopped as a terminal does it: everything in the foreground gets SIGINT. It
# must stop both programs and leave a database that is whole and has rows.
interrupted() {
  local log=$logs/interrupted pid database i
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  for ((i = 0; i < 1200; i++)); do
    ! grep -q Ctrl-C "$log" || break
    sleep 0.1
  done
  sleep 15
  cat "$log"
  [ -n "$(running amitap)" ] && [ -n "$(running amisim)" ] || { echo "they do not run"; return 1; }
  kill -INT -- "-$pid"
  for ((i = 0; i < 100; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "-- after SIGINT"
  tail -n 8 "$log"
  ! kill -9 -- "-$pid" 2>/dev/null || { echo "it did not end within 10 s"; return 1; }
  [ -z "$(running amitap)$(running amisim)" ] || { echo "amitap or amisim still runs"; return 1; }
  grep -q '^demo: stopped' "$log" || { echo "it does not say that it stopped"; return 1; }
  ! grep -q 'had to be killed\|ended with status' "$log" || return 1
  grep -q '^deps: missing, to be installed: sqlite3$' "$log" || { echo "it does not say what is missing"; return 1; }
  database=$(sed -n 's/^demo: database *\([^ ]*\).*/\1/p' "$log" | tail -n 1)
  [ "$(sqlite3 "$database" 'PRAGMA integrity_check')" = ok ] || { echo "the database is damaged"; return 1; }
  [ "$(sqlite3 "$database" 'SELECT count(*) > 0 FROM cdr')" = 1 ] || { echo "no CDR was stored"; return 1; }
}

step "nothing of what the demo needs is there" is_bare || exit 1
step "apt-get install -y git make" prepare || exit 1
step "git clone" fetch || exit 1
step "make demo DEMO_SECONDS=20" demo || exit 1
grep -E '^(ok|FAIL) ' "$logs/step"
step "a user with sudo, a clone of theirs" prepare_user || exit 1
step "make demo as that user, stopped by Ctrl-C" interrupted runuser -u somebody -- make -C ~somebody/amitap demo
