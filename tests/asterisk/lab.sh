#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A real Asterisk to tap, and a second one that plays its phones and its carrier. Everything listens on 127.0.0.1.
#
#   lab.sh install   Asterisk 22 from Debian sid into $LAB/root, by debootstrap; needs root; kept between runs
#   lab.sh start     write both configurations on free ports and start them, afresh if they run already; the ports are in
#                    $LAB/run-$INSTANCE/ports
#   lab.sh crash     kill the PBX with -9, with the calls that it has, and start it again as it is configured
#   lab.sh stop      stop what start started
#   lab.sh remove    stop and delete the folder
#
# LAB is the folder it lives in (default build/asterisk-lab); INSTANCE names one of several labs that share an
# installation (default lab).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
LAB=${LAB:-$here/../../build/asterisk-lab}
INSTANCE=${INSTANCE:-lab}
mkdir -p "$LAB"
LAB=$(cd "$LAB" && pwd)
root=$LAB/root
run=$LAB/run-$INSTANCE
inside=/srv/$INSTANCE # where an instance lives inside the root

die() { echo "lab.sh: $*" >&2; exit 1; }

install() {
  if [ -e "$root/installed" ]; then
    chroot "$root" asterisk -V
    return
  fi
  [ "$(id -u)" = 0 ] || die "install needs root"
  command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
  local site
  site=$("$here/../mirror.sh" sid) || die "no mirror of apt's configuration carries Debian sid"
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates sid "$root" "$site" >"$LAB/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $(tail -n 3 "$LAB/debootstrap.log")"
  # Nothing may start by itself inside the folder, and documentation is not needed.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n' >"$root/etc/dpkg/dpkg.cfg.d/lab"
  apt-config dump | grep -i '^Acquire::.*proxy' >"$root/etc/apt/apt.conf.d/lab" || true
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends \
    asterisk asterisk-modules asterisk-core-sounds-en-gsm >"$LAB/apt.log" 2>&1 ||
    die "installing Asterisk failed: $(tail -n 3 "$LAB/apt.log")"
  chroot "$root" asterisk -V | grep -q '^Asterisk 22\.' || die "not Asterisk 22: $(chroot "$root" asterisk -V)"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  touch "$root/installed"
  chroot "$root" asterisk -V
}

# Ports that nobody holds now, as shell assignments.
free_ports() {
  python3 - <<'PY'
import random, socket
held = []
def port(kind):
    held.append(socket.socket(socket.AF_INET, kind))
    held[-1].bind(("127.0.0.1", 0))
    return held[-1].getsockname()[1]
for name in ("PBX_AMI", "PHONES_AMI", "HTTP", "AGI", "AUDIOSOCKET"):
    print(f"{name}={port(socket.SOCK_STREAM)}")
for name in ("PBX_SIP", "PHONES_SIP", "HOLD_SIP", "REPLACES_SIP", "ROAMING_SIP", "REGISTRAR_SIP"):
    print(f"{name}={port(socket.SOCK_DGRAM)}")
for name, first in (("pbx", 10000), ("phones", 20000)):
    base = first + 100 * random.randrange(60)
    print(f"{name}_RTP={base}\n{name}_RTP_END={base + 3999}")
PY
}

# The configuration of one of the two: its files and the common ones, with ports and folders filled in.
configure() {
  local name=$1 to=$root$inside/$1 modules file port script
  rm -rf "$to"
  mkdir -p "$to"/{etc/agi,lib,run,spool/outgoing,spool/monitor,spool/tmp,log/cdr-custom,log/cel-custom}
  modules=$(cd "$root" && ls -d usr/lib/*/asterisk/modules)
  script="s|@DIR@|$inside/$name|g;s|@MODULES@|/$modules|g;s|@NAME@|$name|g"
  script="$script;s|@RTP@|$(port_of "${name}_RTP")|;s|@RTP_END@|$(port_of "${name}_RTP_END")|"
  while IFS== read -r port value; do script="$script;s|@$port@|$value|g"; done <"$run/ports"
  for file in "$here"/config/common/*.conf "$here/config/$name"/*.conf; do
    sed "$script" "$file" >"$to/etc/${file##*/}"
  done
  [ "$name" != pbx ] || tap_account >>"$to/etc/manager.conf"
  [ ! -d "$here/config/$name/agi" ] || cp "$here/config/$name"/agi/* "$to/etc/agi/"
}

# amitap's account as examples/manager.conf has it, its secret apart.
tap_account() { sed -n '/^\[tap\]/,$p' "$here/../../examples/manager.conf" | sed 's/change-me/tapsecret/'; }

port_of() { sed -n "s/^$1=//p" "$run/ports"; }

# Only a process that lives in our root is ours: a number may have been given to another one since.
ours() { [ "$(readlink "/proc/$1/root" 2>/dev/null)" = "$root" ]; }

running() { [ -f "$run/$1.pid" ] && ours "$(cat "$run/$1.pid")"; }

# background NAME COMMAND…: in the root, its output and process id kept; returns once it is there
background() {
  local name=$1
  shift
  chroot "$root" "$@" >"$run/$name.out" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
  for _ in $(seq 100); do ! ours $! || break; sleep 0.02; done
}

await_boot() {
  for _ in $(seq 120); do
    running "$1" || die "$1 did not start: $(tail -n 3 "$run/$1.out")"
    chroot "$root" asterisk -C "$inside/$1/etc/asterisk.conf" -rx "core waitfullybooted" 2>/dev/null |
      grep -q "fully booted" && return
    sleep 0.25
  done
  die "$1 did not boot within 30 s"
}

start() {
  [ -e "$root/installed" ] || die "not installed: lab.sh install"
  stop # what an earlier run was killed over
  rm -rf "$run"
  mkdir -p "$run"
  free_ports >"$run/ports"
  # Asterisk looks up its machine's name for each call: none may wait for a name server.
  echo "127.0.0.1 localhost $(uname -n)" >"$root/etc/hosts"
  local name
  for name in pbx phones; do
    configure "$name"
    launch "$name"
  done
  await_boot pbx
  await_boot phones
}

# Whether the last thread of a process is over: until then its sockets are open.
dead() {
  local tasks=("/proc/$1/task"/*)
  [ "${#tasks[@]}" -le 1 ] && ! grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null
}

launch() { background "$1" asterisk -C "$inside/$1/etc/asterisk.conf" -f; }

crash() {
  running pbx || die "no PBX runs"
  local pid
  pid=$(cat "$run/pbx.pid")
  kill -9 "$pid"
  for _ in $(seq 100); do ! dead "$pid" || break; sleep 0.05; done
  launch pbx
  await_boot pbx
}

stop() {
  local pidfile pid
  for pidfile in "$run"/*.pid; do
    [ -e "$pidfile" ] || continue
    pid=$(cat "$pidfile")
    ! ours "$pid" || kill "$pid"
    for _ in $(seq 50); do ours "$pid" || break; sleep 0.1; done
    ! ours "$pid" || kill -9 "$pid"
    rm -f "$pidfile"
  done
}

case ${1:-} in
install) install ;;
start) start ;;
crash) crash ;;
stop) stop ;;
remove) stop && rm -rf "$LAB" ;;
*) die "usage: lab.sh install|start|crash|stop|remove" ;;
esac
