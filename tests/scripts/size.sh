# The shared library, stripped, as the release preset builds it: it must not grow unnoticed. docs/performance.md says what is in it.
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
