#!/bin/sh
# run_refusals.sh TSRUN FOLDER: each method of FOLDER/model.pt must raise what FOLDER/expected.txt says (scripts/make_refusals.py).
set -u
tsrun=$1
folder=$2
checks=0
failed=0
tab=$(printf '\t')
while IFS=$tab read -r method text; do
  checks=$((checks + 1))
  out=$("$tsrun" "$folder/model.pt" --method "$method" 2>&1 </dev/null)
  rc=$?
  case $out in
    *"$text"*) [ "$rc" -eq 1 ] && continue ;;
  esac
  failed=$((failed + 1))
  printf 'FAIL %s: exit code %d, expected: %s\n%s\n' "$method" "$rc" "$text" "$out"
done <"$folder/expected.txt"
printf '%d checks, %d failed\n' "$checks" "$failed"
[ "$failed" -eq 0 ] && [ "$checks" -gt 0 ]
