# checks.sh: what the scripts that test the command share.  Set $tsrun before the first check; by (a word in the names of
# failures) may change.  summary ends a script.
checks=0
failed=0
by=

fail() {
  failed=$((failed + 1))
  printf 'FAIL %s%s: %s\n' "$1" "$by" "$2"
}

# t NAME CODE TEXT ARG...: the exit code, and TEXT somewhere in stdout and stderr together ("" for nothing at all, * for anything)
t() {
  name=$1 code=$2 text=$3
  shift 3
  checks=$((checks + 1))
  out=$("$tsrun" "$@" 2>&1 </dev/null)
  rc=$?
  why=
  [ "$rc" -eq "$code" ] || why="exit $rc, not $code"
  case $text in
  "*") ;;
  "") [ -z "$out" ] || why="$why; printed something" ;;
  *) case $out in *"$text"*) ;; *) why="$why; no \"$text\"" ;; esac ;;
  esac
  [ -z "$why" ] || fail "$name" "$why: $(printf '%s' "$out" | head -n 5)"
}

# has TEXT...: all of them in what the last command printed
has() {
  for text in "$@"; do
    checks=$((checks + 1))
    case $out in *"$text"*) ;; *) fail "$name" "no \"$text\": $(printf '%s' "$out" | head -n 5)" ;; esac
  done
}

# lacks TEXT
lacks() {
  checks=$((checks + 1))
  case $out in *"$1"*) fail "$name" "there is \"$1\"" ;; esac
}

# that NAME COMMAND...: the command works
that() {
  name=$1
  shift
  checks=$((checks + 1))
  out=$("$@" 2>&1 </dev/null) || fail "$name" "$(printf '%s' "$out" | head -n 5)"
}

absent() {
  checks=$((checks + 1))
  [ ! -e "$1" ] || fail "$name" "$1 was left"
}

summary() {
  echo "$checks checks, $failed failed"
  [ "$failed" -eq 0 ]
}
