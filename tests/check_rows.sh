#!/bin/sh
# check_rows.sh TSRUN_ROWS CORPUS LIST: every operator is called by a case of the corpus, or stands in LIST with the reason why not
# ("NAME  reason", '#' comments).  An operator of LIST that a case does call is an error too.
set -eu
work=$(mktemp -d "${TMPDIR:-.}/tsrun-rows.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
TSRUN_ROWS="$work/called" "$1" verify -O0 "$2"/*/ >/dev/null || true # the corpus test tells about failures
TSRUN_ROWS="$work/called" "$1" verify "$2"/*/ >/dev/null || true
sort -u "$work/called" >"$work/reached"
"$1" ops | sed -n "s/^\([a-z_0-9]*::[A-Za-z_0-9.]*\)(.*/\1/p" | sort -u >"$work/all"
sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$3" | sort -u >"$work/excused"
comm -23 "$work/all" "$work/reached" | comm -23 - "$work/excused" >"$work/untested"
comm -12 "$work/reached" "$work/excused" >"$work/needless"
comm -23 "$work/excused" "$work/all" >"$work/unknown"
bad=0
tell() { # FILE TEXT
  [ -s "$1" ] || return 0
  bad=1
  awk -v text="$2" '{ print $0 ": " text }' "$1"
}
tell "$work/untested" "no case of the corpus calls it (scripts/corpus/)"
tell "$work/needless" "a case calls it: take it out of $(basename "$3")"
tell "$work/unknown" "no such operator: take it out of $(basename "$3")"
echo "$(comm -12 "$work/reached" "$work/all" | wc -l) of $(wc -l <"$work/all") operators called, $(wc -l <"$work/excused") excused"
exit $bad
