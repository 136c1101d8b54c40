#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh PACKAGE...: says which of these Debian packages are missing and installs them. One counts
# as there when a command of its name is, however that came (npm is part of some nodejs packages).
set -eu

missing=
for package in "$@"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    if [ "$status" != "install ok installed" ] && ! command -v "$package" >/dev/null; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then
    echo "deps: nothing is missing"
    exit 0
fi
echo "deps: missing, to be installed:$missing"

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: run 'apt-get install$missing' as root (there is no sudo here)" >&2
        exit 1
    fi
    echo "deps: installing needs root, sudo may ask for your password"
    as_root=sudo
fi
install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing
}
$as_root apt-get -q update || true
install
