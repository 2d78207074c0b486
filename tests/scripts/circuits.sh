# Pictures of circuits as a viewer gets them: the golden ones, and some drawn now, read by a program that shares nothing with the drawer.
set -eu
[ -n "${BPROP:-}" ] || { echo "the program is not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check()
{
  "$PYTHON" "$SRC/tests/scripts/circuits.py" "$@"
}

"$BPROP" graph 'softmax(W @ tanh(V @ x + b))' 'W=randn(3,4)' 'V=randn(4,5)' 'x=randn(5)' 'b=randn(4)' --unbundle -q -o "$work/a.svg" >"$work/out"
"$BPROP" graph 'max(x*y, z) + max(0, x) * exp(-z) / (x + y*z)' x=1 y=2 z=3 --dark -q -o "$work/b.svg" >>"$work/out"
check "$work/a.svg" "$work/b.svg" || exit $?
for picture in "$SRC"/tests/golden/pictures/circuit-*.svg; do
  case $picture in *-dark.svg) ;; *) set -- "$@" "$picture" ;; esac
done
check "$@" "$SRC/docs/pictures/neuron.svg"

# A text moved onto a wire, one onto another, and a gate onto a wire are seen.
product=$SRC/tests/golden/pictures/circuit-product.svg
planted()
{
  sed "$1" "$product" >"$work/planted.svg"
  ! cmp -s "$product" "$work/planted.svg" || { echo "nothing was planted by $1"; exit 1; }
  if check "$work/planted.svg" >"$work/told"; then
    echo "not seen: $1"
    exit 1
  fi
}
planted '/<text.*>3</s/ y="[^"]*"/ y="56"/'
planted '/<text.*>−12</s/ font-size="12"/ font-size="40"/'
planted '/<circle/s/cx="[^"]*"/cx="100"/'
