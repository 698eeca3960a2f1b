#!/bin/sh
# check_operators.sh TSRUN FILE: FILE (docs/operators.md) is up to date with the operator table.
set -eu
work=$(mktemp -d "${TMPDIR:-.}/tsrun-operators.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
"$1" ops --markdown >"$work/operators.md"
cmp -s "$work/operators.md" "$2" && exit 0
diff "$2" "$work/operators.md" | head -20
echo "$2 is out of date: run tsrun ops --markdown >docs/operators.md"
exit 1
