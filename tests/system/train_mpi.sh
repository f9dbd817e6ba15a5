#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Training in several processes: any number of ranks gives the model and the checkpoint of one
# process with the same shards; a rank that is asked to stop stops all with a checkpoint, which
# any number of ranks resumes; a rank that fails, dies or hangs ends all, with a message.
. "$(dirname "$0")/lib.sh"

if ! command -v mpirun >/dev/null || ! command -v mpicc >/dev/null; then
    echo "Open MPI is not installed (scripts/install-deps mpi)"
    exit 77
fi
flexor=$(realpath "$flexor")
[ -e "${flexor%/*}/flexor-mpi.so" ] || fail "${flexor%/*}/flexor-mpi.so is not built"
set -m # a process group for each background job, which does not ignore SIGINT

# Tests run as root in containers, with more ranks than cores, on a loaded machine.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_odls_base_sigkill_timeout=4
mpi() { timeout -k 5 300 mpirun "$@"; }

# small SPLIT N COUNT: the first N images, COUNT being N as two octal bytes.
small() {
    local from=/usr/share/datasets/fashion-mnist/$1 to=$work/data/$1
    mkdir -p "$work/data"
    { printf '\0\0\010\003\0\0%b\0\0\0\034\0\0\0\034' "$3" &&
        zcat "$from-images-idx3-ubyte.gz" | tail -c +17 | head -c $((784 * $2)); } \
        >"$to-images-idx3-ubyte" 2>/dev/null
    { printf '\0\0\010\001\0\0%b' "$3" &&
        zcat "$from-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$2"; } \
        >"$to-labels-idx1-ubyte" 2>/dev/null
}
small train 400 '\001\220'
small t10k 200 '\000\310'
cat >"$work/tiny.json" <<'EOF'
{ "name": "tiny-resnet",
  "nodes": [
    { "name": "conv1", "out_c": 16, "kernel": 3, "stride": 2, "pad": 1, "weight_bits": 6 },
    { "name": "a",    "out_c": 16, "kernel": 3, "pad": 1, "stage": 1 },
    { "name": "b",    "out_c": 16, "kernel": 3, "pad": 1, "stage": 1, "skip": "conv1" },
    { "name": "c",    "out_c": 32, "kernel": 3, "stride": 2, "pad": 1, "stage": 2, "skip": "b",
      "pool": { "kind": "mean", "size": 0 } },
    { "name": "fc",   "kind": "logits", "out_c": 10, "kernel": 0, "weight_bits": 6 } ] }
EOF
options=(--data "idx:$work/data" --batch 40 --threads 1 --bn-images 200 --test-every 1000)
lenet5=("${options[@]}" --epochs 8 --augment flip+shift)
tiny=("${options[@]}" --model "$work/tiny.json" --nin "26,19" --epochs 2)

same() { # A B: model and checkpoint
    cmp "$work/$1.safetensors" "$work/$2.safetensors"
    cmp "$work/$1.safetensors.ckpt" "$work/$2.safetensors.ckpt"
}

echo "--- the bits of one process"
"$flexor" train "${lenet5[@]}" --shards 2 -o "$work/one.safetensors"
mpi -n 2 "$flexor" train "${lenet5[@]}" -o "$work/two.safetensors" --json "$work/log" >"$work/out"
same one two
[ "$(grep -c '^epoch' "$work/out")" -eq 8 ] || fail "not one line an epoch: $(cat "$work/out")"
[ "$(wc -l <"$work/log")" -eq 9 ] || fail "not one log of 8 epochs: $(cat "$work/log")"

"$flexor" train "${tiny[@]}" --shards 4 -o "$work/tiny1.safetensors"
for ranks in 2 4; do
    mpi -n $ranks "$flexor" train "${tiny[@]}" --shards 4 -o "$work/tiny$ranks.safetensors"
    same tiny1 "tiny$ranks"
done

# start NAME OPTION...: two ranks in the background, which write their process ids; goes on
# when there is a checkpoint.
start() {
    local name=$1
    shift
    # shellcheck disable=SC2016 # the inner shell expands it
    mpirun -n 2 bash -c 'echo $$ >"$0.$OMPI_COMM_WORLD_RANK"; exec "$@"' "$work/$name.pid" \
        "$flexor" train "${lenet5[@]}" "$@" -o "$work/$name.safetensors" >"$work/$name.log" 2>&1 &
    pid=$!
    while [ ! -e "$work/$name.safetensors.ckpt" ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
}
# ended NAME TEXT [STATUS]: it failed and said so.
ended() {
    local status=0
    timeout 200 tail --pid=$pid -f /dev/null || kill -KILL -- "-$pid" # it should not hang
    wait $pid || status=$?
    tail -n 20 "$work/$1.log"
    [ "$status" -ne 0 ] || fail "$1 succeeded"
    [ "$status" -ne 137 ] || [ "${3:-}" = 137 ] || fail "$1 hung"
    [ $# -lt 3 ] || [ "$status" -eq "$3" ] || fail "$1 ended with status $status, expected $3"
    grep -q "$2" "$work/$1.log" || fail "$1 did not say '$2'"
    [ ! -e "$work/$1.safetensors" ] || fail "$1 wrote a model"
}

echo "--- stopped and resumed"
start part
kill -TERM "$(cat "$work/part.pid.1")"
ended part FLX_ERR_INTERRUPTED 130
for ranks in 1 2; do
    cp "$work/part.safetensors.ckpt" "$work/on$ranks.safetensors.ckpt"
    mpi -n $ranks "$flexor" train --resume "$work/on$ranks.safetensors.ckpt" \
        -o "$work/on$ranks.safetensors"
    same one on$ranks
done
start ctrlc --epochs 1000
kill -INT -- "-$pid"
ended ctrlc FLX_ERR_INTERRUPTED
"$flexor" pack "$work/ctrlc.safetensors.ckpt" -o "$work/packed.safetensors"

echo "--- a rank fails, dies, hangs"
start dead --epochs 1000
kill -KILL "$(cat "$work/dead.pid.1")"
ended dead "signal 9" 137
export FLX_MPI_TIMEOUT=10
start hangs --epochs 1000
kill -STOP "$(cat "$work/hangs.pid.1")"
ended hangs FLX_ERR_TIMEOUT
unset FLX_MPI_TIMEOUT

# says NAME TEXT MPIRUN_OPTION...: fails with exactly one line of its own.
says() {
    local name=$1 text=$2 status=0
    shift 2
    mpi "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    grep "^flexor train:" "$work/stderr"
    [ "$status" -eq 2 ] || fail "status $status, expected 2"
    [ "$(grep -c '\[FLX_ERR' "$work/stderr")" -eq 1 ] || fail "not one line: $(cat "$work/stderr")"
    grep -q "$text.*$name" "$work/stderr" || fail "expected $text, $name: $(cat "$work/stderr")"
}
says FLX_ERR_NOT_FOUND "rank 1 of 2: " -n 1 "$flexor" train "${lenet5[@]}" \
    : -n 1 "$flexor" train --data idx:/nonexistent
says FLX_ERR_ARG "5 shards .* 2 ranks" -n 2 "$flexor" train "${lenet5[@]}" --shards 5
says FLX_ERR_ARG "unknown option" -n 2 "$flexor" train --nonsense
mkdir "$work/bare"
cp "$flexor" "$work/bare/"
says FLX_ERR_UNSUPPORTED "bare/flexor-mpi.so is missing.*install-deps mpi" -n 2 \
    "$work/bare/flexor" train "${lenet5[@]}"
