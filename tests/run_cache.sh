#!/bin/sh
# run_cache.sh TSRUN PRELOAD CORPUS WEIGHTS: --cache, with files that are right, damaged, of others, and in the way.
set -u
tsrun=$1 preload=$2 corpus=$3 weights=$4
here=$(cd "$(dirname "$0")" && pwd)
. "$here/checks.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-cache.XXXXXX") || exit 1
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
umask 022
ASAN_OPTIONS=verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS
none="tsrun: 0 of"
with= # before the command: env ASSIGNMENT...
some=" bytes of prepared weights are in the cache"

# run NAME FOLDER TEXT MODEL ARG...: TEXT in what -v tells, and the answer is that without a cache
run() {
  name=$1 folder=$2 text=$3 archive=$4
  shift 4
  want=$($with "$tsrun" "$archive" "${archive%/*}/inputs.pt" -p all "$@" 2>/dev/null)
  checks=$((checks + 1))
  out=$($with "$tsrun" "$archive" "${archive%/*}/inputs.pt" -p all --cache "$folder" -v "$@" 2>"$dir/told")
  [ "$out" = "$want" ] || fail "$name" "another answer"
  out=$(cat "$dir/told")
  has "$some" "$text"
}
file() { ls "$1"/*.tsrcache; } # the only one
used() { # NAME FOLDER MODEL: all that there is comes from the cache, and nothing is told
  run "$1" "$2" "tsrun:" "$3"
  lacks "$none"
  lacks note
}

# The second run uses what the first one wrote: every kind of block.
for case in nets-resnet nets-mobilenet nets-transformer-full layout-gates nnops-recurrent-cells-steps-frozen demo-digits older-1.2-conv nets-lenet-frozen; do
  [ -f "$corpus/$case/inputs.pt" ] || continue
  run "first-$case" "$dir/$case" "$none" "$corpus/$case/model.pt"
  lacks note
  [ -d "$dir/$case" ] || continue
  used "second-$case" "$dir/$case" "$corpus/$case/model.pt"
  that "one-$case" test "$(ls "$dir/$case" | wc -l)" -eq 1
done
model=$corpus/nets-resnet/model.pt cache=$dir/nets-resnet
that mode test "$(stat -c %a "$cache")-$(stat -c %a "$(file "$cache")")" = 700-600
t environment 0 "" verify "$corpus/nets-resnet" --cache "$cache" 2>&1 | grep note && fail verify note

# Another instruction set, other passes, no Winograd: files of their own.
with="env TSRUN_ISA=scalar"
run isa "$cache" "$none" "$model"
with=
run pass "$cache" "$none" "$model" --disable-pass batchnorm
run winograd "$cache" "$none" "$model" --no-winograd
that files test "$(ls "$cache" | wc -l)" -ge 3
used again "$cache" "$model"

# Never half-used: cut short, longer, foreign, damaged in the head, the table, a block.
name_of() { basename "$(file "$1")"; }
fresh() {
  rm -rf "$dir/f"
  "$tsrun" "$model" "${model%/*}/inputs.pt" --cache "$dir/f" >"$dir/null" 2>&1
  f=$(file "$dir/f") size=$(stat -c %s "$f")
}
spoil() { # NAME TEXT: what was told, and the next run is served by a new file
  run "$1" "$dir/f" "$2" "$model"
  has "made again"
  used "$1-after" "$dir/f" "$model"
}
for at in 0 1 40 79 80 200 half end; do
  fresh
  case $at in half) at=$((size / 2)) ;; end) at=$((size - 1)) ;; esac
  dd if="$f" of="$dir/cut" bs=1 count="$at" 2>/dev/null
  cat "$dir/cut" >"$f"
  spoil "cut-$at" "is cut short"
done
fresh
printf x >>"$f"
spoil longer "longer than it says"
fresh
cp "$corpus/demo-digits/model.pt" "$f"
spoil foreign "not one of tsrun's"
for at in 20 28 36 60 84 100 112 124; do
  fresh
  printf '\377' | dd of="$f" bs=1 seek="$at" conv=notrunc 2>/dev/null
  run "head-$at" "$dir/f" "$none" "$model"
  used "head-$at-after" "$dir/f" "$model"
done
fresh
printf '\377\376\375' | dd of="$f" bs=1 seek=$((size - 40)) conv=notrunc 2>/dev/null
spoil block "the cache file is damaged"

# The archive has changed: other weights under the same name, and only the time.
cp -r "$corpus/nets-resnet" "$dir/net"
run changed-first "$dir/c" "$none" "$dir/net/model.pt"
used changed-second "$dir/c" "$dir/net/model.pt"
touch -d '2001-01-01' "$dir/net/model.pt"
run changed-time "$dir/c" "$none" "$dir/net/model.pt"
cat "$corpus/nets-lenet/model.pt" >"$dir/net/model.pt"
cp "$corpus/nets-lenet/inputs.pt" "$dir/net/inputs.pt"
run changed-weights "$dir/c" "$none" "$dir/net/model.pt"
used changed-after "$dir/c" "$dir/net/model.pt"
that replaced test "$(ls "$dir/c" | wc -l)" -eq 1
mv "$dir/net" "$dir/moved"
used moved "$dir/c" "$dir/moved/model.pt"

# Weights that are not the mapped archive's own: no file.
t weights 0 "*" "$weights/net.pt" "$weights/input.pt" --weights "$weights/full.pth" --cache "$dir/w"
absent "$dir/w"
cat "$model" | "$tsrun" - "$corpus/nets-resnet/inputs.pt" --cache "$dir/w" >"$dir/null" 2>&1 || fail pipe "failed"
absent "$dir/w"

# Folders that others may write, files of others, no folder, no right, a link.
mkdir "$dir/open"
for mode in 777 775 1777; do
  chmod $mode "$dir/open"
  run "mode-$mode" "$dir/open" "other users may write the cache folder" "$model"
  has "chmod go-w" "the cache is not used"
  that "empty-$mode" test -z "$(ls "$dir/open")"
done
fresh
chmod 666 "$f"
run file-mode "$dir/f" "other users may write the cache file" "$model"
fresh
mv "$f" "$dir/elsewhere"
ln -s "$dir/elsewhere" "$f"
run link "$dir/f" "cannot open" "$model"
run deep "$dir/none/deeper" "cannot make the cache folder" "$model"
has "nothing is cached"
run no-folder "$model" "is no folder" "$model"
if [ "$(id -u)" -ne 0 ]; then
  mkdir "$dir/ro"
  chmod 500 "$dir/ro"
  run unwritable "$dir/ro" "cannot create" "$model"
fi

# Writes that fail: no disk, no file, no rename.  Nothing is left, and the run goes on.
for fault in write:1:28 write:2:28 write:5:28 write:6:5 rename:1:5 open:1:28; do
  rm -rf "$dir/e"
  mkdir "$dir/e"
  with="env BADIO=$fault LD_PRELOAD=$preload"
  run "$fault" "$dir/e" "nothing is cached" "$model"
  with=
  that "$fault-left" test -z "$(ls "$dir/e")"
done
with="env BADIO=write:3:0 LD_PRELOAD=$preload"
run short "$dir/e" "$none" "$model"
with=
used short-after "$dir/e" "$model"

# All files together stay under the limit; those used longest ago go.
run limit-1 "$dir/l" "$none" "$model"
one=$(file "$dir/l") size=$(stat -c %s "$one")
touch -d '2001-01-01' "$one"
run limit-2 "$dir/l" "more than the cache's limit" "$corpus/nets-lenet/model.pt" --cache-limit "$size"
that limit-2 test -e "$one"
run limit-3 "$dir/l" "$none" "$corpus/nets-lenet/model.pt" --cache-limit "$((size * 2))"
absent "$one"

# Two at once.
for i in 1 2 3 4; do
  "$tsrun" "$model" "${model%/*}/inputs.pt" --cache "$dir/t" >"$dir/t$i" 2>&1 &
done
wait
for i in 2 3 4; do that "together-$i" cmp "$dir/t1" "$dir/t$i"; done
that together-left test "$(ls "$dir/t" | wc -l)" -eq 1
used together "$dir/t" "$model"

summary
