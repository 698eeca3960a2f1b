#!/bin/sh
# check_layers.sh [LIBTSRUN.so]: the rules of docs/architecture.md that a compiler does not check.
set -u
cd "$(dirname "$0")/.." || exit
work=$(mktemp -d "${TMPDIR:-.}/tsrun-layers.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT INT TERM
# report TITLE: lines on stdin are violations.  (It runs at the end of pipes, so it leaves a file, not a variable.)
report() {
  lines=$(cat)
  [ -z "$lines" ] || printf '%s\n%s\n\n' "$1" "$lines" >>"$work/violations"
}
# includes PATTERN FOLDER...: local and system includes that match
includes() {
  pattern=$1; shift
  grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($pattern)" "$@" --include='*.[chly]' --include='*.def' 2>/dev/null
}

includes '(core|frontend|ops|interp|cli)/' include | report 'include/ stands alone:'
includes '[^>"]*' include | grep -vE '<std(bool|def|int)\.h>' | report 'include/ uses only <stdbool.h> <stddef.h> <stdint.h>:'
includes '(frontend|ops|interp|cli)/' core | report 'core/ includes a higher layer:'
includes '(ops|interp|cli)/' frontend | report 'frontend/ includes a higher or neighbouring layer:'
includes '(frontend|interp|cli)/' ops | report 'ops/ includes a higher or neighbouring layer:'
includes 'cli/' interp | report 'interp/ includes the command:'
includes '(core|frontend|ops|interp)/' cli | report 'cli/ goes past the public header:'

# owner HEADER FILE...: only these files may include the header
owner() {
  header=$1; shift
  found=$(includes "$header" include core frontend ops interp cli)
  for file; do found=$(printf '%s\n' "$found" | grep -v "^$file:"); done
  printf '%s' "$found" | report "<$header> belongs to $*:"
}
owner 'zip\.h' frontend/archive.c
owner 'jansson\.h' frontend/json.c
owner '(cblas|lapacke|lapack|openblas_config)\.h' ops/blas.c
owner 'pthread\.h' core/threads.c
owner 'cpuid\.h' ops/cpu.c

# Sizes: a file that outgrew its concept.
find include core frontend ops interp cli -name '*.[chly]' -exec wc -l {} + | awk '$2 != "total" && $1 > 1200 { print $1, $2 }' | report 'files over 1,200 lines:'

# No path of any one machine in what people read.  (The corpus' archives hold /src and /usr/lib only.)
git ls-files -- . ':!corpus' ':!tests/check_layers.sh' ':!LICENSE' 2>/dev/null | while IFS= read -r f; do
  [ -f "$f" ] && grep -nIE '(/home/[a-z][a-z]|/root/|/work/|/Users/|[^[:alnum:]._-]/tmp/)' "$f" /dev/null
done | report 'absolute machine paths:'

if [ $# -gt 0 ]; then
  nm -D --defined-only "$1" | awk '$2 ~ /^[A-Z]$/ && $3 !~ /^tsr_/ && $3 !~ /^(_init|_fini|__asan|__odr_asan|__ubsan|__tsan)/ { print $3 }' | report 'exported symbols that do not start with tsr_:'
  nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | sort >"$work/exports"
  grep -oE '\btsr_[a-z0-9_]+\(' include/tsrun.h | tr -d '(' | sort -u | grep -vxFf "$work/exports" | report 'declared in tsrun.h, but not exported:'
fi
if [ -s "$work/violations" ]; then
  cat "$work/violations"
  exit 1
fi
echo "layers hold"
