#!/bin/sh
# Training on Fashion-MNIST beside PyTorch, by turns in one run: samples/s, median of epochs. Then the test accuracy of 3 seeds, 10 epochs each.
# Needs Debian's dataset-fashion-mnist, python3-torch and libopenblas0-pthread: with Debian's reference BLAS PyTorch is 15 times slower,
# which would be no comparison. Usage: bench/fashion.sh BUILD [ROUNDS]
set -eu
build=$1 rounds=${2:-5}
ls /usr/lib/*/openblas-pthread/libblas.so.3 >/dev/null 2>&1 || { echo "fashion: PyTorch would run on the reference BLAS; install libopenblas0-pthread" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
data=/usr/share/datasets/fashion-mnist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
  gzip -dc "$data/$f-ubyte.gz" >"$work/$f-ubyte"
done
median() { grep -o '[0-9]* samples/s' | sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
for round in $(seq "$rounds"); do
  for threads in 1 2; do
    "$build/bench/fashion" "$work" $threads 2 | grep epoch >>"$work/bprop.$threads"
    # Debian's OpenBLAS brings threads of its own: each pool alone, or they fight.
    OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=1 /usr/bin/python3 "$here/fashion.py" "$work" $threads 2 >>"$work/torch.$threads"
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=$threads /usr/bin/python3 "$here/fashion.py" "$work" $threads 2 >>"$work/torch-blas.$threads"
  done
done
for f in bprop.1 bprop.2 torch.1 torch.2 torch-blas.1 torch-blas.2; do
  printf '%-14s %s samples/s (median of %d epochs)\n' "$f" "$(median <"$work/$f")" "$(wc -l <"$work/$f")"
done
for seed in 1 2 3; do
  "$build/bench/fashion" "$work" 2 10 $seed | tail -n 1
done
