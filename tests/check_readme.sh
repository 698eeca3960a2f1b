#!/bin/sh
# check_readme.sh LIB_DIR CC SANITIZERS: the C example of README.md compiles as it stands and reads a digit.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-.}/tsrun-readme.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
awk '/^```c$/ { p = 1; next } /^```$/ { p = 0 } p' README.md >"$work/demo.c"
[ -s "$work/demo.c" ]
"$2" -Wall -Werror ${3:+-fsanitize=$3} "$work/demo.c" -Iinclude -L"$1" -ltsrun "-Wl,-rpath,$1" -o "$work/demo"
cp corpus/demo-digits/model.pt corpus/demo-digits/digit.npy "$work"
cd "$work"
./demo >out.txt
cat out.txt
grep -q '^4: 0\.9' out.txt
rm model.pt
./demo >out.txt 2>err.txt || :
grep -q 'model\.pt' err.txt
