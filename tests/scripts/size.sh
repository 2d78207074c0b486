# The shared library, stripped, as the release preset builds it, must not grow unnoticed. The aim is 1,000,000 bytes; the limit is what it has now and
# a little, to be lowered with it. docs/performance.md says what is in it, and what a program carries that is linked with the static one.
set -eu
limit=1508000

program_limit=800000

[ "$(basename "$BUILD")" = release ] && [ -f "$BUILD/libbprop.so" ] || exit 77
out=$(mktemp)
trap 'rm -f "$out"' EXIT
small()
{
  bytes=$(wc -c <"$out")
  [ "$bytes" -le "$2" ] || {
    echo "$1 has $bytes bytes, more than $2"
    exit 1
  }
}
strip -o "$out" "$BUILD/libbprop.so"
small "the stripped library" "$limit"
cc -std=c11 -O2 -s -I "$SRC/include" "$SRC/examples/neuron.c" -o "$out" -Wl,--gc-sections "$BUILD/libbprop.a" -lm -lpthread -ldl
small "a program that makes a graph and runs it" "$program_limit"
