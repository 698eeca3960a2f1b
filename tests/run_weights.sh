#!/bin/sh
# run_weights.sh TSRUN FOLDER CORPUS: weights of every kind of file listed, compared, converted, and put into archives.
# FOLDER has what PyTorch 2.13 wrote, FOLDER/1.13 the same by PyTorch 1.13 (scripts/make_weights.py).
set -u
tsrun=$1
folder=$2
corpus=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-weights.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
. "$(dirname "$0")/checks.sh"

# runs NAME MODEL INPUT EXPECTED OPTION...: the result with these weights is what PyTorch computed with them
runs() {
  name=$1 model=$2 input=$3 expected=$4
  shift 4
  checks=$((checks + 1))
  out=$("$tsrun" "$model" "$input" -o "$dir/got.pt" "$@" 2>&1 </dev/null) || { fail "$name" "$out"; return; }
  out=$("$tsrun" weights diff "$dir/got.pt" "$expected" --rtol 1e-5 --atol 1e-5 2>&1) || fail "$name" "$out"
}

net() {
  name=$1
  shift
  runs "net $name" "$w/net.pt" "$w/input.pt" "$w/expected.pt" "$@"
}

plain() {
  name=$1
  shift
  runs "plain $name" "$w/plain.pt" "$w/plain-input.pt" "$w/plain-expected.pt" "$@"
}

# says NAME CODE TEXT OPTION...: what loading says
says() {
  name=$1 code=$2 text=$3
  shift 3
  t "$name" "$code" "$text" "$w/plain.pt" "$w/plain-input.pt" "$@"
}

listing() {
  for f in state.pth stream.pth old.tar; do
    t "ls $f" 0 "12 tensors, 76 elements, 308 B" weights ls "$w/$f"
    has "tied.weight" "= fc.weight"
  done
  for f in full.pth full.npz packed.npz; do t "ls $f" 0 "13 tensors" weights ls "$w/$f"; done
  for p in 0 1 2 3 4 5; do t "ls protocol $p" 0 "4 tensors, 43 elements" weights ls "$w/protocol-$p.pth"; done
  t ls-archive 0 "13 tensors, 78 elements, 316 B (8 parameters, 5 buffers)" weights ls "$w/net.pt"
  t ls-part 0 "running_mean" weights ls "$w/net.pt:bn"
  for f in checkpoint.tar checkpoint-stream.tar; do
    t "ls $f" 0 "key: model_state_dict" weights ls "$w/$f"
    t "ls-deep $f" 0 "exp_avg" weights ls "$w/$f:optimizer_state_dict.state.0"
    t "inspect $f" 0 "epoch                       7" inspect "$w/$f"
    has "model_state_dict            state dict: 4 tensors, 43 elements, 172 B" "optimizer (Adam" "lr 0.001" "state of 4 parameters"
  done
  t ls-key 0 "4 tensors" weights ls "$w/two.pth:critic"
  t ls-key-part 0 "2 tensors" weights ls "$w/two.pth:critic.fc1"
  t ls-two 2 "holds 2 state dicts: generator (4 tensors), critic (4 tensors); name one" weights ls "$w/two.pth"
  t ls-wrapped 0 "key: state_dict" weights ls "$w/wrapped.pth"
  t ls-lightning 0 "key: state_dict" weights ls "$w/lightning.ckpt"
  t ls-nested 0 "key: model.state_dict" weights ls "$w/nested.pth"
  t inspect-nested 0 "model.state_dict            state dict: 4 tensors, 43 elements, 172 B" inspect "$w/nested.pth"
  t inspect-class 0 "shop.models.Scaler" inspect "$w/lightning.ckpt"
  has "weights_only=True) would refuse"
  t ls-module 0 "4 tensors, 43 elements, 172 B (4 parameters, 0 buffers)" weights ls "$w/module.pth"
  has "2.weight"
  t ls-custom 0 "(4 parameters, 0 buffers)" weights ls "$w/custom.pth"
  for f in sharded-bin single-bin sharded-bin/pytorch_model.bin.index.json; do t "ls $f" 0 "4 tensors, 43 elements" weights ls "$w/$f"; done
  t ls-cuda 0 "cuda:3" weights ls "$w/cuda.pth"
  t ls-mps 0 "mps" weights ls "$w/mps.pth"
  t ls-meta 0 "meta (no data)" weights ls "$w/meta.pth"
  has "fc2.bias" "(int)"
  t ls-json 0 '"shares_with": "fc.weight"' weights ls --json "$w/state.pth"
  has '"device": "cpu"'
  t ls-fold 0 "layers.#.weight  float32   [2, 2]      48 B  x3" weights ls --fold "$w/layers.pth"
  # parts of one storage that lie apart share nothing; parts that touch do
  t ls-recurrent 0 "4 tensors, 56 elements, 224 B" weights ls "$w/recurrent.pth"
  has "bias_hh_l0    float32   [8]         32 B
"
  t ls-turned 0 "= all" weights ls "$w/turned.pth"
  checks=$((checks + 1))
  out=$("$tsrun" weights ls -:generator <"$w/two.pth" 2>&1)
  case $out in *"4 tensors, 43 elements"*) ;; *) fail stdin-key "$out" ;; esac
  t ls-frozen 4 "torch.jit.freeze" weights ls "$w/frozen.pt"
  t ls-no-key 2 "has no \"decoder\"" weights ls "$w/state.pth:decoder"
  t scan-clean 0 "nothing suspicious" scan "$w/checkpoint.tar"
  t scan-opaque 0 "shop.models.Plain" scan "$w/custom.pth"
}

printing() {
  t print 0 "[[0.37375, 0.951875, 0.53, 0.108125]," weights print "$w/plain.pt:fc1.weight"
  t print-one 0 "scale  float32 []" weights print "$w/net.pt:scale"
  t print-in-key 0 "fc1.bias  float32 [5]" weights print "$w/checkpoint.tar:fc1.bias"
  t print-stats 0 "zeros 2  nan 1  inf 1  -inf 0" weights print "$w/dtypes.pth:float32" --stats
  t print-json 0 '"histogram": [' weights print --json "$w/state.pth:conv.weight"
  t print-parts-of-bytes 0 "[0, 3, 15]]" weights print "$folder/../files/parts-of-bytes.pth:four"
  "$tsrun" weights convert "$folder/../files/parts-of-bytes.pth" "$dir/parts.pth" >/dev/null 2>&1
  t parts-of-bytes-saved 0 "[0, 3, 3]]" weights print "$dir/parts.pth:two"
  t print-wrong 2 "among them conv.weight" weights print "$w/state.pth:c.weight"
  t print-meta 4 "has no data" weights print "$w/meta.pth:fc1.bias"
  LC_ALL=C t print-plain 0 "####" weights print "$w/state.pth:conv.weight" --stats
}

# the same numbers in every kind of file and by either writer
comparing() {
  for f in state.pth stream.pth old.tar; do t "same $f" 0 "12 equal, 0 changed, 0 only" weights diff "$folder/state.pth" "$w/$f"; done
  for f in full.pth full.npz packed.npz; do t "same $f" 0 "13 equal, 0 changed, 0 only" weights diff "$folder/full.pth" "$w/$f"; done
  for f in protocol-0.pth protocol-1.pth protocol-2.pth protocol-3.pth protocol-4.pth protocol-5.pth pickle-module.pth cuda.pth mps.pth sharded-bin single-bin \
    nested.pth custom.pth; do
    t "same $f" 0 "4 equal, 0 changed, 0 only" weights diff "$folder/two.pth:generator" "$w/$f"
  done
  for f in checkpoint.tar checkpoint-stream.tar; do t "same $f" 0 "4 equal, 0 changed, 0 only" weights diff "$folder/checkpoint.tar" "$w/$f"; done
  t same-lightning 0 "4 equal" weights diff "$folder/two.pth:generator" "$w/lightning.ckpt" --strip-prefix net.
  t same-renamed 0 "4 equal" weights diff "$folder/two.pth:generator" "$w/parallel.pth" --strip-prefix module.
  t same-module 0 "4 equal" weights diff "$folder/module.pth" "$w/module.pth"
  t diff-names 1 "- cache  only in the first" weights diff "$w/full.pth" "$w/state.pth"
  t diff-shape 1 "~ fc1.weight  shape: float32 [5, 4] and float32 [4, 5]" weights diff "$w/two.pth:generator" "$w/wrong.pth"
  has "+ head.weight  only in the second"
  t diff-dtype 1 "dtype: float32 [5] and float16 [5]" weights diff "$w/two.pth:generator" "$w/half.pth"
  t diff-values 1 "0 only in the first, 0 only in the second" weights diff "$w/two.pth:generator" "$w/two.pth:critic"
  t diff-tolerance 0 "4 equal" weights diff "$w/two.pth:generator" "$w/two.pth:critic" --atol 2
  t diff-json 1 '"changed": 4' weights diff --json "$w/two.pth:generator" "$w/two.pth:critic"
}

into_archives() {
  for f in full.pth full.npz packed.npz; do net "$f" --weights "$w/$f"; done
  for f in state.pth stream.pth old.tar; do net "$f" --weights "$w/$f" --no-strict; done
  for p in 0 1 2 3 4 5; do plain "protocol $p" --weights "$w/protocol-$p.pth"; done
  for f in pickle-module.pth cuda.pth mps.pth two.pth:generator nested.pth nested.pth:model.state_dict \
    custom.pth sharded-bin single-bin; do
    plain "$f" --weights "$w/$f"
  done
  for f in checkpoint.tar checkpoint-stream.tar checkpoint.tar:model_state_dict; do # they took a step of training
    runs "plain $f" "$w/plain.pt" "$w/plain-input.pt" "$w/checkpoint-expected.pt" --weights "$w/$f"
  done
  plain parallel --weights "$w/parallel.pth" --strip-prefix module.
  plain parallel-rename --weights "$w/parallel.pth" --rename '^module\.='
  plain compiled --weights "$w/compiled.pth" --rename '_orig_mod\.='
  plain wrapped --weights "$w/wrapped.pth" --strip-prefix backbone.
  plain lightning --weights "$w/lightning.ckpt" --strip-prefix net.
  plain module --weights "$w/module.pth" --rename '^0=fc1' --rename '^2=fc2'
  plain O0 -O0 --weights "$w/two.pth:generator"
  runs module "$w/module.pth" "$w/plain-input.pt" "$w/plain-expected.pt"
  t module-custom 3 "the code of that class is not in the file" "$w/custom.pth" "$w/plain-input.pt"
  has "shop.models.Plain" "--weights $w/custom.pth"
  says half 0 "4 tensors were converted to the model's type (float16 to float32)" --weights "$w/half.pth"
  t bench-weights 0 median bench "$w/plain.pt" "$w/plain-input.pt" --weights "$w/sharded-bin" --min-time 0.01 --json
}

# what load_state_dict says
messages() {
  says strict 4 'Error(s) in loading state_dict for Plain:' --weights "$w/wrong.pth"
  has '	Missing key(s) in state_dict: "fc2.bias". ' '	Unexpected key(s) in state_dict: "head.weight". ' transposed \
    '	size mismatch for fc1.weight: copying a param with shape torch.Size([4, 5]) from checkpoint, the shape in current model is torch.Size([5, 4]).'
  says strict-parallel 4 "--strip-prefix module." --weights "$w/parallel.pth"
  says strict-compiled 4 "--rename '_orig_mod\\.='" --weights "$w/compiled.pth"
  says strict-wrapped 4 "--strip-prefix backbone." --weights "$w/wrapped.pth"
  says strict-add 4 "--add-prefix fc1." --weights "$w/two.pth:generator.fc1"
  says strict-other 4 "no name in common" --weights "$w/module.pth"
  t strict-buffers 4 "only buffers are missing" "$w/net.pt" "$w/input.pt" --weights "$w/state.pth"
  t strict-frozen 4 "torch.jit.freeze" "$w/frozen.pt" "$w/plain-input.pt" --weights "$w/two.pth:generator"
  says strict-meta 4 "an exception occurred : ('Cannot copy out of meta tensor; no data!',)." --weights "$w/meta.pth"
  has "expected torch.Tensor or Tensor-like object from checkpoint but received <class 'int'>"
  says strict-odd 4 'Unexpected key(s) in state_dict: "fc1._extra_state". ' --weights "$w/odd.pth"
  has "('copy_() between dense and sparse Tensors is not implemented! Found self type = torch.FloatTensor and src type = torch.sparse.FloatTensor',)." \
    "expected torch.Tensor or Tensor-like object from checkpoint but received <class 'numpy.float64'>" \
    "('Copying from quantized Tensor to non-quantized Tensor is not allowed, please use dequantize to get a float Tensor from a quantized Tensor',)."
  says strict-dict 4 "expected torch.Tensor or Tensor-like object from checkpoint but received <class 'dict'>" --weights "$w/dict.pth"
  says strict-empty 4 'Missing key(s) in state_dict: "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias". ' --weights "$w/empty.pth"
  says no-strict 0 'Missing key(s) in state_dict: "fc2.weight", "fc2.bias"' --no-strict --weights "$w/module.pth" --rename '^0=fc1'
  has 'Unexpected key(s) in state_dict: "2.weight", "2.bias"'
  says no-strict-size 4 "size mismatch for fc1.weight" --weights "$w/wrong-part.pth" --no-strict
  says ignore-sizes 0 "found shape torch.Size([2, 4]) in the checkpoint and torch.Size([5, 4]) in the model instantiated" --weights "$w/wrong-part.pth" --ignore-mismatched-sizes
  says stray-option 2 "there is no --weights" --strip-prefix x.
  says strip-nothing 2 "begins with" --weights "$w/single-bin" --strip-prefix x.
  t bad-rename 2 "is no renaming" weights ls "$w/state.pth" --rename '[=x'
  t rename-groups 0 "weight.fc1" weights ls "$w/parallel.pth" --rename 'module\.(\w+)\.(\w+)=\2.\1'
  t rename-back 2 "back references are not supported" weights ls "$w/state.pth" --rename '(a*)*\1b=x'
  t rename-large 2 "the expression is too large" weights ls "$w/state.pth" --rename '((a{1,255}){1,255}){1,255}=x'
  t same-name 2 "two weights are named" weights ls "$w/state.pth" --rename '.*=x'
}

new_files() {
  t convert-1 0 "*" weights convert "$w/dtypes.pth" "$dir/a.safetensors"
  t convert-2 0 "" weights convert "$dir/a.safetensors" "$dir/b.npz"
  t convert-3 0 "" weights convert "$dir/b.npz" "$dir/c.pt"
  t convert-same 0 "$dtypes equal, 0 changed, 0 only in the first, 0 only in the second" weights diff "$w/dtypes.pth" "$dir/c.pt"
  "$tsrun" weights ls "$w/dtypes.pth" | cut -d " " -f 1 >"$dir/first.txt"
  "$tsrun" weights ls "$dir/c.pt" | cut -d " " -f 1 >"$dir/last.txt"
  that convert-order cmp "$dir/first.txt" "$dir/last.txt"
  t convert-bits 3 "safetensors has no type for $rare tensors" weights convert "$w/bits.pth" "$dir/bits.safetensors"
  absent "$dir/bits.safetensors"
  t convert-bits-npz 0 "" weights convert "$w/bits.pth" "$dir/bits.npz"
  t convert-bits-pt 0 "" weights convert "$dir/bits.npz" "$dir/bits.pt"
  t convert-bits-same 0 "0 changed, 0 only in the first, 0 only in the second" weights diff "$w/bits.pth" "$dir/bits.pt"
  t convert-shared 0 "tied.weight is written on its own, though it shares its data with fc.weight" weights convert "$w/state.pth" "$dir/s.safetensors"
  t convert-keeps 0 "" weights convert "$w/stream.pth" "$dir/s.pt"
  t convert-keeps-shared 0 "= fc.weight" weights ls "$dir/s.pt"
  t convert-old 0 "" weights convert "$w/old.tar" "$dir/old.pt"
  t convert-old-same 0 "12 equal" weights diff "$folder/state.pth" "$dir/old.pt"
  t convert-cuda 0 "" weights convert "$w/cuda.pth" "$dir/cuda.pt"
  t convert-cuda-cpu 0 '"device": "cpu"' weights ls --json "$dir/cuda.pt"
  lacks cuda
  for f in safetensors npz pt; do
    t "convert-empty $f" 0 "" weights convert "$w/empty.pth" "$dir/empty.$f"
    t "convert-empty-same $f" 0 "0 equal, 0 changed, 0 only in the first, 0 only in the second" weights diff "$w/empty.pth" "$dir/empty.$f"
  done
  t convert-views 0 "turned is written on its own" weights convert "$w/views.pth" "$dir/v.npz"
  for f in safetensors npz pt; do
    t "convert-turned $f" 0 "*" weights convert "$w/turned.pth" "$dir/t.$f"
    t "convert-turned-same $f" 0 " equal, 0 changed, 0 only in the first, 0 only in the second" weights diff "$w/turned-flat.pth" "$dir/t.$f"
    t "convert-recurrent $f" 0 "" weights convert "$w/recurrent.pth" "$dir/r.$f"
    t "convert-recurrent-same $f" 0 "4 equal, 0 changed, 0 only" weights diff "$folder/recurrent.pth" "$dir/r.$f"
  done
  t convert-key 0 "" weights convert "$w/two.pth:critic" "$dir/k.pt"
  t convert-rename 0 "" weights convert "$w/parallel.pth" "$dir/p.safetensors" --strip-prefix module.
  t convert-renamed 0 "4 equal" weights diff "$folder/sharded" "$dir/p.safetensors"
  t convert-meta 4 "has no data to write" weights convert "$w/meta.pth" "$dir/m.safetensors"
  absent "$dir/m.safetensors"
  t convert-form 2 "are written as .safetensors, .npz or .pt" weights convert "$w/state.pth" "$dir/x.txt"
  t convert-nowhere 6 "*" weights convert "$w/state.pth" "$dir/none/x.pt"
  t extract 0 "" weights extract "$w/net.pt" "$dir/e.pth"
  t extract-same 0 "13 equal" weights diff "$w/net.pt" "$dir/e.pth"
  t extract-other 4 "no TorchScript archive" weights extract "$w/state.pth" "$dir/e2.pth"
  t merge 0 "" weights merge "$w/net.pt" "$w/full.npz" "$dir/merged.pt"
  t merge-holds 0 "13 equal" weights diff "$dir/merged.pt" "$w/full.pth"
  runs merge-runs "$dir/merged.pt" "$w/input.pt" "$w/expected.pt"
  "$tsrun" code "$w/net.pt" >"$dir/code1.txt"
  "$tsrun" code "$dir/merged.pt" >"$dir/code2.txt"
  that merge-code cmp "$dir/code1.txt" "$dir/code2.txt"
  t merge-strict 4 'Unexpected key(s) in state_dict: "module.fc1.weight"' weights merge "$w/plain.pt" "$w/parallel.pth" "$dir/m2.pt"
  absent "$dir/m2.pt"
  t merge-strip 0 "" weights merge "$w/plain.pt" "$w/parallel.pth" "$dir/m2.pt" --strip-prefix module.
  runs merge-stripped "$dir/m2.pt" "$w/plain-input.pt" "$w/plain-expected.pt"
  rm -rf "${dir:?}"/*
}

for w in "$folder" "$folder/1.13"; do
  case $w in
  *1.13) by=" (1.13)" dtypes=13 rare=complex128 ;;
  *) by= dtypes=22 rare=bits8 ;;
  esac
  listing
  printing
  comparing
  into_archives
  messages
  new_files
done
w=$folder by=

# ---- what has one writer only
t "ls full.safetensors" 0 "13 tensors" weights ls "$w/full.safetensors"
t "same full.safetensors" 0 "13 equal, 0 changed" weights diff "$w/full.pth" "$w/full.safetensors"
net full.safetensors --weights "$w/full.safetensors"
t ls-shards 0 "4 tensors, 43 elements" weights ls "$w/sharded"
t ls-index 0 "fc2.bias" weights ls "$w/sharded/model.safetensors.index.json"
t ls-shard 0 "2 tensors" weights ls "$w/sharded/model-00001-of-00002.safetensors"
t inspect-config 0 "hidden_size" inspect "$w/sharded"
t same-shards 0 "4 equal" weights diff "$w/sharded" "$w/two.pth:generator"
plain shards --weights "$w/sharded"
t later-archive 3 "later.pt has format version 11: a PyTorch later than 2.13 wrote it, and versions 1 to 10 are read" "$w/later.pt" "$w/plain-input.pt"
t later-state 3 "later.pth has format version 11" weights ls "$w/later.pth"
t odd-order 4 "names neither little nor big" weights ls "$w/order.pth"
printf '\200\006}.' >"$dir/later.pkl"
t later-pickle 3 "pickle protocol 6 (0 to 5 are read)" weights ls "$dir/later.pkl"
printf 'PYTORCH1........' >"$dir/preview.pt"
t preview 4 "a file of a PyTorch 1.0 preview" weights ls "$dir/preview.pt"
t ls-no-file 6 "No such file" weights ls "$dir/none.pth:key"
t ls-not-weights 4 "*" weights ls "$0"
t no-command 2 "ls, print, diff" weights
t wrong-command 2 "there is no such command" weights frob "$w/state.pth"

# ---- archives of all ages: out, in again, and the same results
for c in older-1.1-conv older-1.2-conv older-1.3-conv older-1.5-conv mobile-nets-lenet pickled-protocol-2; do
  [ -d "$corpus/$c" ] || { fail "age $c" "no such case"; continue; }
  t "age $c" 0 "" weights convert "$corpus/$c/model.pt" "$dir/age.safetensors"
  mkdir -p "$dir/$c"
  cp "$corpus/$c"/* "$dir/$c/"
  case $c in
  pickled-*) t "age $c" 0 "1 passed" verify "$dir/$c" --weights "$dir/age.safetensors" ;;
  *)
    t "age $c" 0 "" weights merge "$corpus/$c/model.pt" "$dir/age.safetensors" "$dir/$c/model.pt"
    t "age $c" 0 "1 passed" verify "$dir/$c"
    ;;
  esac
done
t age-buffers 0 "b.running_var" weights ls "$corpus/older-1.1-conv/model.pt"

# ---- hostile files
printf '{"weight_map":{"a":"../../etc/passwd"}}' >"$dir/up.json"
t index-path 4 "is not the name of a file beside it" weights ls "$dir/up.json"
printf '{"weight_map":{"a":"none.safetensors"}}' >"$dir/gone.json"
t index-gone 6 "No such file" weights ls "$dir/gone.json"
printf '{"weight_map":3}' >"$dir/kind.json"
t index-kind 4 "weight_map" weights ls "$dir/kind.json"
printf '{"other":{"a":[[[[]]]]}}' >"$dir/other.json"
t index-other 4 "has no weight_map" weights ls "$dir/other.json"
cp "$w/sharded/model-00001-of-00002.safetensors" "$dir/part.safetensors"
printf '{"weight_map":{"nope":"part.safetensors"}}' >"$dir/lie.json"
t index-lie 4 'holds "nope", which it does not' weights ls "$dir/lie.json"
printf '{"weight_map":{"a":"pipe.safetensors"}}' >"$dir/pipe.json"
mkfifo "$dir/pipe.safetensors"
t index-pipe 4 "is a pipe or a device, not a file" weights ls "$dir/pipe.json"
ln -s part.safetensors "$dir/link.safetensors" # as in the cache of Hugging Face
printf '{"weight_map":{"fc1.weight":"link.safetensors"}}' >"$dir/link.json"
t index-link 0 "1 tensor, 20 elements" weights ls "$dir/link.json"
printf '{"weight_map":{"a":"link.safetensors","a":"part.safetensors"}}' >"$dir/double.json"
t index-double 4 "a key twice" weights ls "$dir/double.json"
printf '{"weight_map":{"a":"self.json"}}' >"$dir/self.json"
t index-self 4 "not a file of a kind tsrun knows" weights ls "$dir/self.json"
for f in zero urandom; do t "device $f" 4 "is a device" inspect "/dev/$f"; done
t device-null 0 "an empty file" inspect /dev/null
mkdir "$dir/hollow"
t folder-empty 4 "directory without weights" weights ls "$dir/hollow"

summary
