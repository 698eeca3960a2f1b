#!/bin/sh
# check_docs.sh TSRUN FILE...: every console block of the documents prints what stands there.  Run from the repository's root;
# what the commands write goes into a folder of its own.
set -u
PATH=$(cd "$(dirname "$1")" && pwd):$PATH TSRUN_ISA=scalar LC_ALL=C.UTF-8 # the same digits and bars everywhere
export PATH TSRUN_ISA LC_ALL
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-docs.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/top"
for name in tests corpus docs; do ln -s "$PWD/$name" "$dir/top/$name"; done
for doc in "$@"; do
  awk -v dir="$dir" -v n="$(find "$dir" -name '*.sh' | wc -l)" '
    /^```console$/ { inside = 1; next }
    /^```$/ { inside = 0; next }
    inside && /^\$ / { n++; print substr($0, 3) >(dir "/" n ".sh"); printf "" >(dir "/" n ".want"); next }
    inside && n { print >(dir "/" n ".want") }' "$doc"
done
n=1 bad=0
while [ -f "$dir/$n.sh" ]; do
  (cd "$dir/top" && sh "$dir/$n.sh" >"$dir/got" 2>&1 </dev/null)
  if ! cmp -s "$dir/got" "$dir/$n.want"; then
    bad=$((bad + 1))
    echo "FAIL: $(cat "$dir/$n.sh")"
    diff "$dir/$n.want" "$dir/got" | head -n 10
  fi
  n=$((n + 1))
done
echo "$((n - 1)) commands, $bad print something else"
[ "$n" -gt 1 ] && [ "$bad" -eq 0 ]
