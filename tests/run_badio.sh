#!/bin/sh
# run_badio.sh TSRUN LIBRARY FOLDER: each write, fsync, rename and making of a file of every command that writes one fails
# once (LIBRARY is faults/badio.c, preloaded).  The file must stay as it was, the error must name it, and nothing may be left.
set -u
tsrun=$1
library=$2
w=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-badio.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
checks=0
failed=0
ASAN_OPTIONS=verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS

fail() {
  failed=$((failed + 1))
  printf 'FAIL %s\n' "$1"
}

# with RULE COMMAND...: run under it; its exit code in rc, what it printed in out
with() {
  rule=$1
  shift
  out=$(BADIO=$rule LD_PRELOAD=$library "$@" 2>&1 </dev/null)
  rc=$?
}

# fails CALL ERRNO TEXT FILE COMMAND...: every such call, until there are no more of them
fails() {
  call=$1 errno=$2 text=$3 file=$4
  shift 4
  n=1
  while [ "$n" -lt 200 ]; do
    checks=$((checks + 1))
    echo old >"$file"
    with "$call:$n:$errno" "$@"
    [ "$rc" -eq 0 ] && break
    [ "$rc" -eq 6 ] || fail "$call $n of $file: exit $rc: $out"
    [ "$(cat "$file")" = old ] || fail "$call $n of $file: the old file is gone"
    case $out in *"$file"*"$text"*) ;; *) fail "$call $n of $file: no \"$text\" in: $out" ;; esac
    [ "$(ls "$dir")" = "${file##*/}" ] || fail "$call $n of $file: left $(ls "$dir")"
    n=$((n + 1))
  done
  [ "$n" -gt 1 ] || fail "$call of $file: there is none"
  [ "$n" -lt 200 ] || fail "$call of $file: it never works"
  [ "$(ls "$dir")" = "${file##*/}" ] || fail "$call of $file: left $(ls "$dir")"
}

# whole FILE COMMAND...: short and interrupted writes change nothing
whole() {
  file=$1
  shift
  "$@" >/dev/null 2>&1 </dev/null
  cp "$file" "$dir.want"
  for how in 0 4; do
    for n in 1 2 3 7; do
      checks=$((checks + 1))
      with "write:$n:$how" "$@"
      [ "$rc" -eq 0 ] || fail "write $n of $file, errno $how: exit $rc: $out"
      cmp -s "$file" "$dir.want" || fail "write $n of $file, errno $how: other bytes"
    done
  done
  rm -f "$dir.want"
}

# command FILE COMMAND...
command_fails() {
  fails write 28 "No space left on device" "$@"
  fails fsync 5 "Input/output error" "$@"
  fails rename 13 "Permission denied" "$@"
  fails open 24 "Too many open files" "$@"
  rm -f "$dir"/*
}

for form in npy npz pt safetensors json; do
  command_fails "$dir/run.$form" "$tsrun" "$w/plain.pt" "$w/plain-input.pt" -o "$dir/run.$form"
  whole "$dir/run.$form" "$tsrun" "$w/plain.pt" "$w/plain-input.pt" -o "$dir/run.$form"
  rm -f "$dir"/*
done
for form in npz pt safetensors; do
  command_fails "$dir/new.$form" "$tsrun" weights convert "$w/turned.pth" "$dir/new.$form"
  whole "$dir/new.$form" "$tsrun" weights convert "$w/turned.pth" "$dir/new.$form"
  rm -f "$dir"/*
done
command_fails "$dir/extracted.pt" "$tsrun" weights extract "$w/plain.pt" "$dir/extracted.pt"
command_fails "$dir/merged.pt" "$tsrun" weights merge "$w/plain.pt" "$w/sharded" "$dir/merged.pt"
command_fails "$dir/report.json" "$tsrun" bench --runs 1 --export "$dir/report.json" "$w/plain.pt" "$w/plain-input.pt"
command_fails "$dir/trace.json" "$tsrun" profile --runs 1 --trace "$dir/trace.json" "$w/plain.pt" "$w/plain-input.pt"

# a full device behind the standard output
checks=$((checks + 1))
out=$("$tsrun" "$w/plain.pt" "$w/plain-input.pt" -o - -f npz 2>&1 >/dev/full)
rc=$?
case "$rc $out" in "6 "*"No space left on device"*) ;; *) fail "full stdout: exit $rc: $out" ;; esac

echo "$checks checks, $failed failed"
[ "$failed" -eq 0 ]
