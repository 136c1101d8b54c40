#!/bin/sh
# SPDX-License-Identifier: MIT
# names.sh EVENT|HEADER FILE.def: writes on stdout the perfect hash of the names in FILE.def, C
# made by gperf for parsers/ami_name.c to include, which has the comparison that it calls.
set -eu

kind=$1
lower=$(printf %s "$kind" | tr A-Z a-z)

{
    cat <<EOF
%language=ANSI-C
%struct-type
%omit-struct-type
%readonly-tables
%compare-lengths
%compare-strncmp
%ignore-case
%enum
%define initializer-suffix ,0
%define hash-function-name ${lower}_hash
%define lookup-function-name ${lower}_lookup
%define word-array-name ${lower}_words
%define length-table-name ${lower}_lengths
struct name_row { const char *name; unsigned short id; };
%%
EOF
    sed -n "s/^AMI_$kind(\([A-Z0-9]*\), \"\([^\"]*\)\",.*/\2,AMI_${kind}_\1/p" "$2"
} | gperf -m 10
