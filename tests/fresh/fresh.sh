#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The demo on a machine that has nothing: a clean Debian 12 made by debootstrap, what the README tells to install first,
# a clone of the committed HEAD, `make demo DEMO_SECONDS=20`, then a `make demo` that is stopped as Ctrl-C does. Needs root.
#
# The bootstrap is kept as build/fresh/bookworm.tar; every run begins from a clean copy of it, which is deleted at the
# end (FRESH_KEEP=1 keeps it: build/fresh/root). Packages come from the mirror, and by the way, of this machine's apt.
set -u
cd "$(dirname "$0")/../.." || exit 1
suite=bookworm
kept=$PWD/build/fresh
tar=$kept/$suite.tar
root=$kept/root
begin=$SECONDS

die() { echo "FAIL  fresh: $*"; echo "0 passed, 1 failed"; exit 1; }

# Mounts are only ever made in a namespace that ends with its processes, so that nothing but files is here.
clean() { [ -n "${FRESH_KEEP:-}" ] || rm -rf --one-file-system "$root"; }

# This machine's way to its packages and no more of its environment.
environment() {
  echo PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
  env | grep -iE '^(https?|ftp|no|all)_proxy=' || true
}

# As the proxies' settings stand in apt's configuration, and how it checks who answers.
apt_settings() { apt-config dump | grep -iE '^Acquire::.*(proxy|verify|cainfo|retries|timeout|valid-until)' || true; }

bootstrap() {
  local site
  site=$(tests/mirror.sh $suite) || die "no mirror of apt's configuration carries Debian $suite"
  rm -rf --one-file-system "$root"
  echo "debootstrap of $suite, kept for the next run"
  debootstrap --variant=minbase "$suite" "$root" "$site" >"$kept/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $(tail -n 3 "$kept/debootstrap.log")"
  tar -C "$root" --numeric-owner --one-file-system -cf "$tar.new" . && mv "$tar.new" "$tar" || die "$tar cannot be written"
}

# carry FILE: the same file inside, when this machine has it.
carry() {
  [ -e "$1" ] || return 0
  mkdir -p "$root$(dirname "$1")" && rm -rf "$root$1" && cp -rL "$1" "$root$1"
}

unpack() {
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  tar -C "$root" --numeric-owner -xpf "$tar" || die "$tar cannot be unpacked; delete it to make it anew"
  apt_settings >"$root/etc/apt/apt.conf.d/90fresh"
  carry /etc/resolv.conf
  carry /etc/hosts
  carry /usr/local/share/ca-certificates
  carry /etc/ssl/certs/ca-certificates.crt
  # Services must not start inside; packages' documents are not needed, but a fresh machine has them: they stay.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  git -c safe.directory="$PWD" bundle create -q "$root/root/amitap.bundle" HEAD || die "git bundle failed"
  cp tests/fresh/inside.sh "$root/root/"
}

[ "$(id -u)" = 0 ] || die "needs root: sudo tests/fresh/fresh.sh"
for tool in debootstrap unshare git tar; do
  command -v $tool >/dev/null || die "$tool is missing; 'make deps-test' installs what the tests need"
done
mkdir -p "$kept"
exec 9>"$kept/lock"
flock -n 9 || die "another fresh.sh is at work in $kept"
trap clean EXIT
trap 'exit 1' INT TERM HUP
[ -e "$tar" ] || bootstrap
unpack
echo "a clean Debian $(cat "$root/etc/debian_version"), $((SECONDS - begin)) s"

mapfile -t environment < <(environment)
unshare --mount --pid --fork --kill-child --propagation private bash -c '
  mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" || exit
  root=$1
  shift
  exec env -i "$@" chroot "$root" /bin/bash /root/inside.sh' fresh "$root" "${environment[@]}" 9>&- |
  tee "$kept/fresh.log"
status=${PIPESTATUS[0]}
[ "$status" = 0 ] || grep -q '^FAIL' "$kept/fresh.log" || die "the tests inside ended with status $status"
echo "$((SECONDS - begin)) s"
passed=$(grep -c '^ok ' "$kept/fresh.log") failed=$(grep -c '^FAIL' "$kept/fresh.log")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
