# XOR by networks 2-8-1, 5,000 steps at most, from 100 seeds each: how many have all four answers right and a loss under 0.01.
set -eu
counts=$("$BUILD"/examples/xor "$SRC/data" seeds)
echo "$counts"
echo "$counts" | awk '
  $1 == "tanh:" && $2 >= 99 { good++ }
  $1 == "relu:" && $2 >= 95 { good++ }
  END { exit good != 2 }' || { echo "wanted: tanh 99, relu 95"; exit 1; }
