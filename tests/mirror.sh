#!/bin/sh
# SPDX-License-Identifier: MIT
# mirror.sh SUITE: the first Debian mirror in this machine's apt configuration that carries SUITE; not zero when none does.
set -u
probe=$(mktemp) || exit 1
trap 'rm -f "$probe"' EXIT
for site in $(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' | sort -u); do
    if /usr/lib/apt/apt-helper download-file "$site/dists/$1/InRelease" "$probe" >/dev/null 2>&1; then
        echo "$site"
        exit 0
    fi
done
exit 1
