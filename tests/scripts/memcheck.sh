# The examples under valgrind: no bad access, no use of an unset value, no leak, in the optimised program.
set -eu
[ -z "$BPROP_SANITIZE" ] || { echo "not together with a sanitizer"; exit 77; }
command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln -s "$SRC/data" data
tried=0
for program in "$BUILD"/examples/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  [ "${program##*/}" != convnet ] || continue # takes minutes here; sanitizers watch it
  echo "$program"
  valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=all "$program" "$SRC/data" >/dev/null
  tried=1
done
[ "$tried" -eq 1 ] || { echo "there is no example"; exit 77; }
