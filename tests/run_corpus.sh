#!/bin/sh
# run_corpus.sh TSRUN CORPUS COUNT_FILE: verifies every case; the file gets "passed failed".
set -u
out=$("$1" verify "$2"/*/ 2>&1)
status=$?
summary=$(printf '%s\n' "$out" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' | tail -n 1)
printf '%s\n' "$out" | grep -v '^ok ' || true
if [ -z "$summary" ]; then
  echo "tsrun verify printed no summary (exit $status)"
  exit 1
fi
printf '%s\n' "$summary" >"$3"
cases=$(find "$2" -mindepth 2 -maxdepth 2 -name model.pt | wc -l)
total=$((${summary% *} + ${summary#* }))
[ "$total" -eq "$cases" ] || { echo "$cases cases, $total verified"; exit 1; }
[ "$status" -eq 0 ] && [ "${summary#* }" -eq 0 ]
