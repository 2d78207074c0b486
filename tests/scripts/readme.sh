# What README.md and CONTRIBUTING.md show is so: code blocks are what the files hold, and commands print what stands below them.
# The comment before a block says what it is:
#   <!-- all of FILE -->  <!-- part of FILE -->  <!-- diff -->  <!-- run -->  <!-- run, numbers vary -->
set -eu
[ -z "$BPROP_SANITIZE" ] || { echo "the commands link without a sanitizer"; exit 77; }
[ -n "${BPROP:-}" ] || { echo "the program is not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/build" "$work/block"
ln -s "$BUILD" "$work/build/release"
for part in data examples include; do ln -s "$SRC/$part" "$work/$part"; done
cd "$work"
PATH=$(dirname "$BPROP"):$PATH
export PATH

# Each block of a page to a file of its own, block/N, its comment to block/N.what.
awk '
  /^<!-- .* -->$/ { what = $0; sub(/^<!-- /, "", what); sub(/ -->$/, "", what); next }
  /^```./ { inside = 1; n++; print what != "" ? what : $0 >("block/" n ".what"); printf "" >("block/" n); what = ""; next }
  /^```$/ { inside = 0; close("block/" n); close("block/" n ".what"); next }
  inside { print >("block/" n) }' "$SRC/README.md" "$SRC/CONTRIBUTING.md"

failed=0
wrong()
{
  echo "README.md or CONTRIBUTING.md: $1"
  failed=1
}

# Lines of $2 stand in $1 one after another.
is_part()
{
  awk 'NR == FNR { part[++n] = $0; next } { text[FNR] = $0; m = FNR }
    END {
      for (i = 0; i + n <= m; i++) {
        for (k = 1; k <= n && text[i + k] == part[k]; k++) ;
        if (k > n) exit 0
      }
      exit 1
    }' "$2" "$1"
}

# What a diff adds stands in the files it names.
is_applied()
{
  rm -rf added
  mkdir added
  awk '/^\+\+\+ b\// { name = substr($0, 7); gsub("/", "@", name); next } /^\+/ { print substr($0, 2) >("added/" name) }' "$1"
  for part in added/*; do
    is_part "$SRC/$(basename "$part" | tr @ /)" "$part" || return 1
  done
}

# A command line of the kind that is too long to run here: whether it could be run.
is_possible()
{
  case $1 in
    make*) (cd "$SRC" && make -n ${1#make} >/dev/null) ;;
    cmake*--preset* | ctest*--preset*) grep -q "\"name\": \"$(echo "$1" | sed 's/.*--preset //; s/ .*//')\"" "$SRC/CMakePresets.json" ;;
    build/*) [ -f "$SRC/tests/$(basename "$1").c" ] ;;
    bprop*) sh -c "$1" >/dev/null ;;
    *) false ;;
  esac
}

# Runs the commands of a block, each output below its command, as the block shows it.
replay()
{
  grep '^\$ ' "$1" | while IFS= read -r line; do
    printf '%s\n' "$line"
    sh -c "${line#??}" 2>&1 </dev/null || true
  done
}

# Numbers made one sign, where those of another machine may differ.
blur()
{
  sed -E '/^\$/!s/[0-9]+(\.[0-9]+)?/N/g' "$1"
}

count=$(find block -name '*.what' | wc -l)
n=0
while [ "$n" -lt "$count" ]; do
  n=$((n + 1))
  what=$(cat "block/$n.what")
  case $what in
    'all of '*) cmp -s "block/$n" "$SRC/${what#all of }" || wrong "a block is not the whole of ${what#all of }" ;;
    'part of '*) is_part "$SRC/${what#part of }" "block/$n" || wrong "block $n is no part of ${what#part of }" ;;
    run)
      replay "block/$n" >got
      diff -u "block/$n" got || wrong "block $n prints something else" ;;
    'run, numbers vary')
      replay "block/$n" >got
      blur "block/$n" >want.blurred
      blur got >got.blurred
      diff -u want.blurred got.blurred || wrong "block $n prints something else" ;;
    diff) is_applied "block/$n" || wrong "what block $n adds is not in the tree" ;;
    '```sh') # what a person types in the root of the tree
      while IFS= read -r line; do
        is_possible "$line" || wrong "'$line' cannot be"
      done <"block/$n" ;;
    *) wrong "block $n is not marked, so it is not tested" ;;
  esac
done
[ "$count" -ge 10 ] || wrong "only $count blocks were found"
[ "$(wc -l <"$SRC/examples/fifteen.c")" -le 15 ] || wrong "the program of fifteen lines has more"
exit $failed
