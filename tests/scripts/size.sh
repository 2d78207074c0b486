# The shared library, stripped, as the release preset builds it, must not grow unnoticed. The aim is 1,000,000 bytes; the limit is what it has now and
# a little, to be lowered with it. docs/performance.md says what is in it.
set -eu
limit=1500000

[ "$(basename "$BUILD")" = release ] && [ -f "$BUILD/libbprop.so" ] || exit 77
out=$(mktemp)
trap 'rm -f "$out"' EXIT
strip -o "$out" "$BUILD/libbprop.so"
bytes=$(wc -c <"$out")
[ "$bytes" -le "$limit" ] || {
  echo "the stripped library has $bytes bytes, more than $limit"
  exit 1
}
