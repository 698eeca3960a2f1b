#!/bin/sh
# run_cli.sh TSRUN CORPUS: what the command prints and returns.  Ends with the number of checks and of failures.
set -u
tsrun=$1
corpus=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-cli.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
. "$(dirname "$0")/checks.sh"

digits=$corpus/demo-digits/model.pt
digit=$corpus/demo-digits/digit.npy
want=$(sed -n 's/^digit.npy //p' "$corpus/demo-digits/labels.txt") # what the digit is
prints=$corpus/language-prints/model.pt
key=$corpus/errors-dict-key/model.pt
method=$corpus/classes-other-method/model.pt

# the command itself
t version 0 "tsrun 0." --version
t help 0 "tsrun verify" --help
t help-verb 0 "--warmup" bench --help
t nothing 2 "Usage" 
t unknown-long 2 "unknown option --frob" --frob
t unknown-short 2 "unknown option -x" -x
t no-value 2 "--threads needs a value" "$digits" -t
t bad-number 2 "not a number of threads" -t many "$digits" "$digit"
t bad-choice 2 "none|summary|all" --print loud "$digits" "$digit"
t bad-size 2 "is not a size such as 512M" --max-memory 12parsec "$digits"
t wrong-verb 2 "no option of \"tsrun run\"" "$digits" --fail-fast
t bad-output 2 "unknown form" "$digits" "$digit" -o "$dir/x.bmp"
TSRUN_PRINT=loud
export TSRUN_PRINT
t bad-environment 2 "TSRUN_PRINT" "$digits" "$digit"
TSRUN_PRINT=none
t environment 0 "" "$digits" "$digit"
t option-over-environment 0 "float32 [1, 10]" "$digits" "$digit" --print=summary
unset TSRUN_PRINT

# running
t run 0 "top 5: $want " "$digits" "$digit"
t run-verb 0 "float32 [1, 10]" run "$digits" "$digit"
t run-options-anywhere 0 "top 2:" --top 2 "$digits" -t1 "$digit" -O0
t run-named 0 "float32 [1, 10]" "$digits" x="$digit"
t run-model-input 0 "float32 [1, 10]" -m "$digits" -i "$digit"
t run-end-of-options 0 "float32 [1, 10]" -- "$digits" "$digit"
printf '%s\n' zero one two three four five six seven eight nine >"$dir/names"
t run-labels 0 " $(sed -n "$((want + 1))p" "$dir/names") (" "$digits" "$digit" --labels "$dir/names"
t run-all 0 "[[" "$digits" "$digit" --print all
t run-verbose 0 "loaded in" -v "$digits" "$digit"
t run-json 0 '1' "$key" '{"a": 1}' '"a"'
t run-method 0 "Tuple of 2" --method encode "$method" "$corpus/classes-other-method/inputs.pt"
t run-prints 0 "n is 3 2.5 True None" "$prints" "$corpus/language-prints/inputs.pt" --print none
t wrong-method 2 "has no method \"nope\"" --method nope "$method"
t too-few 2 "forward() is missing value for argument 'x'. Declaration: forward(" "$digits"
t too-many 2 "forward() expected at most 2 argument(s) but received 3 argument(s)" "$digits" "$digit" 3
t given-twice 2 "given twice" "$digits" "$digit" x="$digit"
t unknown-name 2 "no parameter \"y\"" "$digits" y="$digit"
t wrong-type 2 "x" "$digits" 3
t no-input-file 6 "No such file" "$digits" "$dir/none.npy"
t not-json 2 "neither a file nor a JSON literal" "$digits" hello
t raised 1 "KeyError: zz" "$key" "$corpus/errors-dict-key/inputs.pt"
has "<--- HERE"

# files that are no models
t no-model 6 "No such file" "$dir/none.pt"
t kind-npy 4 "NumPy" "$digit"
t kind-checkpoint 4 "torch.jit" "$corpus/demo-digits/expected.pt"
printf 'PK\003\004 but no archive' >"$dir/broken.pt"
t broken 4 "*" "$dir/broken.pt"
: >"$dir/empty.pt"
t empty 4 "empty" "$dir/empty.pt"
t folder 4 "directory" "$dir"
printf 'x = \033[31mred\n' >"$dir/escape.pt"
t escape 4 "*" "$dir/escape.pt"
lacks "$(printf '\033')"

# usual mistakes: what is said names the file or word, and what to do
weights=$(dirname "$0")/weights
t verb-or-file 2 '"runn" is neither a verb nor a file' runn "$digits" "$digit"
printf '\211PNG\r\n\032\n and so on' >"$dir/seven.png"
t input-picture 4 "seven.png: this is a picture or a recording: decode it and give its numbers as .npy" "$digits" "$dir/seven.png"
gzip -c "$digits" >"$dir/model.pt.gz"
t model-gzip 4 "unpack it and give the file inside" "$dir/model.pt.gz" "$digit"
tar cf "$dir/model.tar" "$digits" 2>/dev/null
t model-tar 4 "unpack it and give the file inside" "$dir/model.tar" "$digit"
echo '{"error": "Repository not found"}' >"$dir/error.pt"
t model-text 4 "a model is what torch.jit.save wrote" "$dir/error.pt" "$digit"
t input-names 2 "cuda.pth holds fc1.weight, fc1.bias, fc2.weight, fc2.bias, which are not the parameters of forward: (Tensor x)" "$digits" "$weights/cuda.pth"
t input-nothing 4 "standard input: this is an empty file" "$digits" -
t bad-time 2 "is not a time such as" --timeout soon "$digits" "$digit"
t no-labels 6 "cannot open $dir/none" "$digits" "$digit" --labels "$dir/none"
t verify-model 2 "takes folders of cases" verify "$digits"

# limits
t timeout 5 "*" "$digits" "$digit" --timeout 0.000001s
t memory 5 "*" "$digits" "$digit" --max-memory 1

# outputs
for ext in npy npz pt safetensors json; do
  t "write-$ext" 0 "" "$digits" "$digit" -o "$dir/out.$ext"
  that "write-$ext" test -s "$dir/out.$ext"
done
t read-back 2 "*" "$digits" "$dir/out.json"
t write-tuple 2 ".npy holds one tensor" --method encode "$method" "$corpus/classes-other-method/inputs.pt" -o "$dir/pair.npy"
absent "$dir/pair.npy"
t write-tuple-npz 0 "" --method encode "$method" "$corpus/classes-other-method/inputs.pt" -o "$dir/pair.npz"
t write-nowhere 6 "*" "$digits" "$digit" -o "$dir/none/out.npy"
t write-stdout 0 "[[" "$digits" "$digit" -o - --format json
"$tsrun" "$digits" "$digit" -o - >"$dir/stdout.npy" 2>/dev/null
that write-stdout cmp "$dir/stdout.npy" "$dir/out.npy"
"$tsrun" "$digits" - -o "$dir/stdin.npy" <"$digit"
that read-stdin cmp "$dir/stdin.npy" "$dir/out.npy"

# verify
mkdir "$dir/case"
cp "$digits" "$dir/case/model.pt"
cp "$digit" "$dir/case/inputs.npy"
cp "$dir/out.npy" "$dir/case/expected.npy"
t verify 0 "1 passed, 0 failed" verify "$dir/case"
t verify-parent 0 "1 passed, 0 failed" verify "$dir"
t verify-json 0 '"passed": 1' verify --format json "$dir/case"
cp "$dir/out.npz" "$dir/case/expected.npz"
rm "$dir/case/expected.npy"
t verify-npz 0 "1 passed" verify "$dir/case"
cp "$digit" "$dir/case/expected.npy"
t verify-differs 1 "float32 [1, 10] where" verify "$dir/case"
has "0 passed, 1 failed"
rm "$dir/case/expected.npy" "$dir/case/expected.npz"
t verify-nothing-expected 1 "no expected" verify "$dir/case"
echo "something else" >"$dir/case/expected_error.txt"
t verify-no-error 1 "did not raise" verify "$dir/case"
t verify-errors 0 "1 passed" verify "$corpus/errors-dict-key"
t verify-method 0 "1 passed" verify "$corpus/classes-other-method"
t verify-prints 0 "1 passed" verify "$corpus/language-prints"
t verify-no-folder 6 "no such folder" verify "$dir/none"
mkdir "$dir/hollow"
t verify-no-case 2 "holds no case" verify "$dir/hollow"

# the other verbs
t inspect 0 "forward" inspect "$digits"
t inspect-json 0 "{" inspect --json "$digits"
t inspect-npy 0 "float" inspect "$digit"
t check 0 "*" check "$digits"
t ops 0 "aten::relu(Tensor self) -> Tensor" ops
t ops-markdown 0 "|---|" ops --markdown
t code 0 "def forward" code "$digits"
t code-ast 0 "(def \"forward\"" code --ast "$digits"
t code-ir 0 "*" code --ir "$digits"
t code-ir-layout 0 "tsr::conv_last" code --ir "$corpus/layout-escapes/model.pt"
t code-ir-norm 0 "tsr::cat_norm_act" code --ir "$corpus/layout-dense/model.pt"
t code-ir-block 0 "tsr::conv_block" code --ir "$corpus/layout-inverted-residuals/model.pt"
t code-ir-gates 0 "tsr::conv_block" code --ir "$corpus/layout-gates/model.pt"
t code-ir-steps 0 "tsr::lstm_cell_steps" code --ir "$corpus/nnops-recurrent-cells-steps/model.pt"
for pass in block-gate block-first block; do t "disable-$pass" 0 "1 passed" verify --disable-pass $pass "$corpus/layout-gates"; done
for case in gates first-blocks inverted-residuals; do
  for n in 1 2 5; do "$tsrun" "$corpus/layout-$case/model.pt" "$corpus/layout-$case/inputs.pt" -t $n -o "$dir/threads-$n.pt" > /dev/null; done
  that "threads $case" cmp "$dir/threads-1.pt" "$dir/threads-2.pt"
  that "threads $case" cmp "$dir/threads-1.pt" "$dir/threads-5.pt"
done
t code-ir-sums 0 "after sums" code --ir --pass all "$corpus/layout-branches/model.pt"
t code-ir-slices 0 "tsr::slice_whole" code --ir "$corpus/layout-slices/model.pt"
t code-ir-scale 0 "after scale" code --ir --pass all "$corpus/layout-layer-scale/model.pt"
t disable-scale 0 "1 passed" verify --disable-pass scale "$corpus/layout-layer-scale"
t disable-layout 0 "1 passed" verify --disable-pass block,layout "$corpus/layout-inverted-residuals"
t no-winograd 0 "1 passed" verify --no-winograd "$corpus/layout-wide-3x3"
t strict-device 3 "a tensor was saved on the device \"cuda:0\"" --strict-device "$corpus/formats-cuda-archive/model.pt" "$corpus/formats-cuda-archive/inputs.pt"
t strict-device-cpu 0 "float32" --strict-device --map-location cpu "$digits" "$digit"
t map-location 2 "there is only cpu" --map-location cuda "$digits" "$digit"
t code-bytecode 0 "*" code --bytecode "$digits"
t bench 0 '"median_ms"' bench --json --min-time 0.01 "$digits" "$digit"
t bench-threads 0 "|" bench --format md -t 1,2 --min-time 0.01 -w 0 "$digits" "$digit"
t bench-csv 0 "threads,load_ms,pack_ms,first_ms" bench --format csv --runs 3 "$digits" "$digit"
t bench-runs 0 '"runs": 7,' bench --json --runs 7 "$digits" "$digit"
t bench-format 2 "text|json|md|csv" bench --format xml "$digits" "$digit"
t bench-export 0 "p99 ms" bench --runs 3 --export "$dir/bench.json" "$digits" "$digit"
t bench-export-form 2 "does not end in" bench --runs 3 --export "$dir/bench.doc" "$digits" "$digit"
that bench-export grep -q '"pack_ms"' "$dir/bench.json"
t lazy 0 "top 5: $want " --lazy "$digits" "$digit"

# the optimiser by name
resnet=$corpus/nets-resnet
t code-pass 0 "aten::conv2d" code --ir --pass inline "$resnet/model.pt"
t code-pass-all 0 "== after fuse" code --ir --pass all "$resnet/model.pt"
t code-pass-changes 0 "+   %" code --pass all "$resnet/model.pt"
t code-pass-unknown 2 "there are inline, scalars" code --ir --pass frob "$resnet/model.pt"
t code-pass-stage 2 "intermediate form only" code --ast --pass all "$resnet/model.pt"
t code-pass-level 2 "no pass runs" code --ir -O0 --pass all "$resnet/model.pt"
t disable-pass 0 "aten::batch_norm" code --ir --disable-pass batchnorm "$resnet/model.pt"
t disable-pass-run 0 "float32 [1, 10]" --disable-pass batchnorm,fuse "$resnet/model.pt" "$resnet/inputs.pt"
t disable-pass-verify 0 "1 passed" verify --disable-pass fuse-residual,fuse-activation "$resnet"
t disable-pass-unknown 2 "no pass is called 'frob'" --disable-pass cse,frob "$digits" "$digit"
t against 0 "same   output" verify --against O0 "$resnet/model.pt" "$resnet/inputs.pt"
t against-folders 0 "info.layers" verify --against O0 "$resnet" "$corpus/nets-dictionary-input"
t against-differs 1 "DIFFER output" verify --against O0 --rtol 0 --atol 0 "$resnet"
t against-level 2 "there is only O0" verify --against O1 "$resnet"
t against-raises 1 "Traceback" verify --against O0 "$key" "$corpus/errors-dict-key/inputs.pt"
t bisect 1 "changes the result" verify --bisect --rtol 0 --atol 0 "$resnet"
t bisect-same 0 "no pass changes the result" verify --bisect "$resnet"
t verify-input 2 "belong to --against" verify --method encode "$resnet"

# profile
t profile 0 "  tsr::conv_" profile --runs 2 "$resnet/model.pt" "$resnet/inputs.pt"
t profile-modules 0 "body.0.c1" profile --runs 2 --by module --sort flops "$resnet/model.pt" "$resnet/inputs.pt"
t profile-lines 0 "nets.py:" profile --runs 2 --by line --sort bytes --top 50 "$resnet/model.pt" "$resnet/inputs.pt"
t profile-json 0 '"by_module": [' profile --runs 2 --json "$resnet/model.pt" "$resnet/inputs.pt"
attended=$corpus/nnops-attention-of-what-came-before
t profile-attention 0 '"calls": 4, "flops": 985600,' profile --runs 2 --json "$attended/model.pt" "$attended/inputs.pt"
t profile-trace 0 "GFLOP/s" profile --runs 1 --trace "$dir/trace.json" "$resnet/model.pt" "$resnet/inputs.pt"
that profile-trace-memory grep -q '"ph": "C"' "$dir/trace.json"
t profile-no-trace 6 "cannot be written" profile --runs 1 --trace "$dir/none/trace.json" "$digits" "$digit"
t profile-sort 2 "time|flops|bytes|calls" profile --sort name "$digits" "$digit"

# files that people save, by PyTorch 2.13 and 1.13 (scripts/make_files.py)
all=$(dirname "$0")/files
for files in "$all" "$all/1.13"; do
  by= class="torch.nn.modules.linear.Linear in_features=3 out_features=2" optimizer="optimizer (Adam), 2 groups, lr 0.01 0.001"
  case $files in *1.13) by=" (1.13)" optimizer="optimizer (Adam or AdamW), 2 groups, lr 0.01 0.001" ;; esac
  for f in checkpoint.tar checkpoint-stream.tar; do
    t "inspect $f" 0 "$optimizer, state of 4 parameters: 12 tensors" inspect "$files/$f"
    has "model_state_dict            state dict: 4 tensors, 26 elements" "loss                        0.125" "epoch                       7"
  done
  t inspect-summary-json 0 '"groups":2,"lr":[0.01,0.001]' inspect --json "$files/checkpoint.tar"
  test -n "$by" || t inspect-parts-of-bytes 0 "quint2x4 [3, 3]" inspect "$files/parts-of-bytes-stream.pth"
  t inspect-device 0 "float32 [3] saved on cuda:3" inspect "$files/devices.pth"
  has "saved on mps" "saved on meta (no data)"
  t inspect-device-json 0 '"saved_on":"cuda:3","has_data":true' inspect --json "$files/devices.pth"
  t inspect-class 0 "shop.models.Net" inspect "$files/custom.pth"
  has "weights_only=True) would refuse" "$class" "a whole module of torch.save"
  t inspect-module-json 0 '{"type":"module","class":"shop.models.Net","settings":[]' inspect --json "$files/custom.pth"
  t inspect-folder 0 "TinyModel" inspect "$files/folder"
  has "a state dict or checkpoint"
  t inspect-folder-json 0 '"config":{"architectures": ["TinyModel"]' inspect --json "$files/folder"
  test -f "$files/without-weights.pt" && t run-without-weights 3 "torch.jit.optimize_for_inference" "$files/without-weights.pt" "$digit"
  for p in 0 1 2 3 4 5; do t "inspect-protocol-$p" 0 "names" inspect "$files/protocol-$p.pth"; done
  t module-custom 3 "the code of that class is not in the file" "$files/custom.pth" "$digit"
  has "--weights $files/custom.pth"
  t module-custom-inside 3 'the code of shop.models.Net (at "1") is not in the file' "$files/custom-inside.pth" "$digit"
  t module-hook 3 "_forward_hooks" "$files/hook.pth" "$digit"
  t module-meta 4 '"0.weight" was saved on the meta device: it has no data' "$files/meta-module.pth" "$digit"
  t module-checkpoint 4 "state dict or checkpoint" "$files/checkpoint.tar" "$digit"
  t scan-checkpoint 0 "collections.OrderedDict" scan "$files/checkpoint.tar"
  t scan-json 0 '"clean":true' scan --json "$files/checkpoint.tar"
  t scan-opaque 0 "shop.models.Net" scan "$files/custom.pth"
done
files=$all by=
t inspect-setstate 0 "child.__getstate__().0" inspect "$corpus/classes-getstate-setstate/model.pt"

# whole modules
t module 0 "float32 [2, 10]" "$corpus/pickled-classifier/model.pt" "$corpus/pickled-classifier/inputs.pt"
t module-code 0 "torch.nn.modules.conv.Conv2d" code "$corpus/pickled-classifier/model.pt"
t module-signature 2 "Tensor input" "$corpus/pickled-classifier/model.pt" nonsense=3

# pipe NAME FILE TEXT ARG...: what the command prints when FILE comes through its standard input
pipe() {
  name=$1 file=$2 text=$3
  shift 3
  out=$(cat "$file" | "$tsrun" "$@" 2>&1)
  has "$text"
}
pipe stdin "$digits" "top 5: $want " - "$digit"
pipe inspect-stdin "$files/checkpoint.tar" "optimizer (Adam)" inspect -
pipe scan-stdin "$files/evil.pth" "calls posix.system" scan -
pipe stdin-kind "$files/checkpoint.tar" "standard input: this is a state dict" - "$digit"
out=$("$tsrun" - "$digit" <"$digits" 2>&1) name=stdin-file
has "top 5: $want "

# leaving training mode
t train 0 "float32 [2, 4]" "$corpus/pickled-classifier-in-training/model.pt" "$corpus/pickled-classifier-in-training/inputs.pt"
a=$("$tsrun" "$corpus/pickled-classifier-in-training/model.pt" "$corpus/pickled-classifier-in-training/inputs.pt" 2>&1)
b=$("$tsrun" --eval "$corpus/pickled-classifier-in-training/model.pt" "$corpus/pickled-classifier-in-training/inputs.pt" 2>&1)
that eval test "$a" != "$b"

# scan: what is suspicious, without executing it
t scan-clean 0 "nothing suspicious" scan "$digits"
t scan-setstate 0 "Stateful" scan "$corpus/classes-getstate-setstate/model.pt"
t scan-evil 1 'REDUCE calls posix.system with ("echo caught")' scan "$files/evil.pth"
t scan-evil-json 1 '"trust":"dangerous"' scan --json "$files/evil.pth"
t scan-evil-stream 1 'calls posix.system with ("echo caught")' scan "$files/evil-stream.pth"
t scan-evil-tar 1 'calls posix.system with ("id")' scan "$files/evil-tar.tar"
for p in 0 1 2; do t "scan-protocol-$p" 1 'calls __builtin__.eval with ("1+1")' scan "$files/evil-protocol-$p.pkl"; done
for p in 3 4 5; do t "scan-protocol-$p" 1 'calls builtins.eval with ("1+1")' scan "$files/evil-protocol-$p.pkl"; done
t scan-memo 1 'calls os.system with ("id")' scan "$files/evil-memo.pkl"
t scan-inst 1 'INST calls os.system' scan "$files/evil-inst.pkl"
t scan-obj 1 'OBJ calls os.system' scan "$files/evil-obj.pkl"
t scan-thrown 1 "made for its effect" scan "$files/evil-thrown-away.pkl"
t scan-result 1 "something that an earlier call gave" scan "$files/evil-result.pkl"
t scan-extension 1 "extension registry" scan "$files/evil-extension.pkl"
t scan-operator 1 "operator aten::save writes files" scan "$files/writes-a-file.pt"
t scan-object 1 "Python objects" scan "$files/object.npy"
t scan-bomb 1 "compression bomb" scan "$files/bomb.pth"
t scan-trailing 1 "4 bytes lie behind the end of the pickle" scan "$files/odd-trailing.pkl"
t scan-underflow 1 "more from its stack" scan "$files/odd-underflow.pkl"
t scan-no-memo 1 "never stored" scan "$files/odd-memo.pkl"
t scan-endless 1 "no end" scan "$files/odd-endless.pkl"
t scan-wrong-protocol 1 "belongs to protocol 4" scan "$files/odd-protocol.pkl"
t scan-huge-memo 1 "larger than the pickle" scan "$files/odd-huge-memo.pkl"
t scan-long 1 "reaches past the end" scan "$files/odd-long-string.pkl"
t scan-twice 1 "several entries of this name" scan "$files/odd-twice.pth"
has "it names os.system"
t scan-path 1 "climbs out of its folder" scan "$files/odd-path.pth"
t scan-local-name 1 'calls it "a/Data.pkl"' scan "$files/odd-local-name.pth"
t scan-checksum 1 "checksum is wrong" scan "$files/odd-checksum.pth"
t scan-encrypted 1 "encrypted" scan "$files/odd-encrypted.pth"
t scan-before 1 "15 bytes lie before the zip" scan "$files/odd-before.pth"
t scan-behind 1 "4 bytes lie behind the zip" scan "$files/odd-behind.pth"
t scan-overlap 1 "overlaps" scan "$files/odd-overlap.pth"
t scan-absent 6 "cannot open" scan "$dir/none"
absent caught.pt

summary
