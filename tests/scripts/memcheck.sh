# Under valgrind, as nothing else finds a use of unset values in the optimised program: no bad access, no leak. The examples and some commands, on
# a hundred rows of the data, whatever can be learned from those.
set -u
[ -z "$BPROP_SANITIZE" ] || { echo "not together with a sanitizer"; exit 77; }
command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/data"
for file in "$SRC"/data/*.csv; do
  awk -v every=$(($(wc -l <"$file") / 100 + 1)) 'NR == 1 || NR % every == 0' "$file" >"$work/data/${file##*/}"
done
cd "$work" || exit 1
export XDG_DATA_HOME=$work/share
failures=0

# watch PROGRAM ARGUMENT... : 1 is an example's word for a network that is not good enough.
watch()
{
  echo "$*"
  valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=all "$@" >out 2>err
  case $? in 0 | 1) ;; *) echo "FAILED: $*"; cat err; failures=$((failures + 1)) ;; esac
}

[ -x "$BUILD/examples/xor" ] || { echo "there is no example"; exit 77; }
for program in "$BUILD"/examples/*; do
  case ${program##*/} in
    convnet | callback) ;; # long, and layertext has convolutions, digits early stopping
    *) [ ! -x "$program" ] || watch "$program" data ;;
  esac
done

[ -x "${BPROP-}" ] || exit $failures
{
  sed 's/$/,colour,w/; q' data/iris.csv
  awk -F, 'NR > 1 {printf "%s,%s,%d\n", NR % 9 ? $0 : "," $2 "," $3 "," $4 "," $5, NR % 3 ? "red" : "", NR % 4 + 1}' data/iris.csv
} >mixed.csv
watch "$BPROP" train mixed.csv --target species --weights w --epochs 2 --checkpoint-every 1 -o mixed.safetensors
watch "$BPROP" train mixed.csv --target petal_width --epochs 2 --memory 1M --model 'dense 4 gelu, batchnorm, dropout 0.1' --optimizer lion -o other.safetensors
watch "$BPROP" predict mixed.safetensors mixed.csv --json
watch "$BPROP" eval mixed.safetensors mixed.csv --by colour
watch "$BPROP" report mixed.safetensors mixed.csv -o mixed.html
watch "$BPROP" grad 'f(a) = a*sin(a); sum(f(x))' 'x=[1,2]' --steps
watch "$BPROP" graph 'x*y + exp(x)' x=1 y=2 -o circuit.svg
exit $failures
