# SPDX-License-Identifier: MIT
# Makes a C header of numbered SQL files, in the order given: awk -v name=NAME -f embed.awk FILE...
BEGIN {
    print "/* SPDX-License-Identifier: MIT */"
    print "/* Made by schemas/sql/embed.awk; version 1 first. */"
    printf "static const char *const %s[] = {\n", name
}
FNR == 1 && NR > 1 { print "    ," }
/^ *--/ || /^ *$/ { next }
{
    gsub(/\\/, "&&")
    gsub(/"/, "\\\"")
    print "    \"" $0 "\\n\""
}
END { print "};" }
