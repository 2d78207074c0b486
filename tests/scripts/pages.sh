# What the pages show is so: code blocks are what the files hold, commands print what stands below them, and figures are what the commands
# of their page make, and links lead somewhere. The comment before a block says what it is:
#   <!-- all of FILE -->        the file in the tree
#   <!-- part of FILE -->       lines of it, one after another
#   <!-- diff -->               a change that was made
#   <!-- file NAME -->          what the commands below find under this name
#   <!-- run -->                commands and what they print; with `, numbers vary` from machine to machine; with `, if PATH` where that is
# A figure stands as ![words](FOLDER/NAME), NAME being what a command wrote; <!-- varies --> on its line: its size alone is compared.
#
# REMAKE=1 sh tests/scripts/pages.sh, in the root of the tree, writes anew what the commands print and the figures. Look at the difference!
set -eu
SRC=${SRC:-$PWD} BUILD=${BUILD:-$PWD/build/release} REMAKE=${REMAKE:-}
BPROP=${BPROP:-$([ ! -x "$BUILD/bprop" ] || echo "$BUILD/bprop")}
[ -z "${BPROP_SANITIZE:-}" ] || { echo "the commands link without a sanitizer"; exit 77; }
[ -n "$BPROP" ] || { echo "the program is not built"; exit 77; }
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
PATH=$(dirname "$BPROP"):$PATH
export PATH

failed=0
wrong()
{
  echo "$page: $1"
  failed=1
}

# A folder that looks like the root of the tree with a build, and in block/ each block of the page in a file N, its comment in N.what.
open_page()
{
  work=$top/$(echo "$page" | tr / @)
  mkdir -p "$work/build" "$work/block"
  cd "$work"
  ln -s "$BUILD" build/release
  export XDG_DATA_HOME="$work/share" # a history of its own
  for part in data examples include; do ln -s "$SRC/$part" "$part"; done
  awk '
    /^<!-- .* -->$/ { what = $0; sub(/^<!-- /, "", what); sub(/ -->$/, "", what); next }
    /^```./ { inside = 1; n++; print what != "" ? what : $0 >("block/" n ".what"); printf "" >("block/" n); what = ""; next }
    /^```$/ { inside = 0; close("block/" n); close("block/" n ".what"); next }
    inside { print >("block/" n) }' "$SRC/$page"
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

# Runs the commands of a block, each output below its command, as the block shows it. A command goes on after a \ at the end of its line.
replay()
{
  while IFS= read -r line; do
    case $line in '$ '*) ;; *) continue ;; esac
    printf '%s\n' "$line"
    command=${line#??}
    while [ "${command%\\}" != "$command" ] && IFS= read -r line; do
      printf '%s\n' "$line"
      command="${command%\\} $line"
    done
    sh -c "$command" 2>&1 </dev/null || true
  done <"$1"
}

# Numbers made one sign, where those of another machine may differ; with their unit of time, a ~ in front, and blanks, as they line numbers up.
blur()
{
  sed -E '/^\$/!{s/(~ +)?[-+]?[0-9][0-9,]*(\.[0-9]+)?(e[-+]?[0-9]+)?( (ns|us|ms|s|min|h))?\>/N/g;s/ +/ /g;}' "$1"
}

# Block $1 prints what it shows, after the filter $2.
runs()
{
  replay "block/$1" >got
  "$2" "block/$1" >want.filtered
  "$2" got >got.filtered
  diff -u want.filtered got.filtered && return
  if [ -n "$REMAKE" ]; then cp got "block/$1"; else wrong "block $1 prints something else"; fi
}

check_block()
{
  what=$(cat "block/$1.what")
  case $what in
    *', if '*) [ -e "${what#*, if }" ] || { skipped=yes; return 0; } ;;
  esac
  case ${what%, if *} in
    'all of '*) cmp -s "block/$1" "$SRC/${what#all of }" || wrong "a block is not the whole of ${what#all of }" ;;
    'part of '*) is_part "$SRC/${what#part of }" "block/$1" || wrong "block $1 is no part of ${what#part of }" ;;
    'file '*) cp "block/$1" "${what#file }" ;;
    run) runs "$1" cat ;;
    'run, numbers vary') runs "$1" blur ;;
    diff) is_applied "block/$1" || wrong "what block $1 adds is not in the tree" ;;
    '```sh') # what a person types in the root of the tree
      while IFS= read -r line; do
        is_possible "$line" || wrong "'$line' cannot be"
      done <"block/$1" ;;
    *) wrong "block $1 is not marked, so it is not tested" ;;
  esac
}

# Width and height, as the first lines of a picture tell them.
size_of()
{
  case $1 in
    *.svg) grep -o -m 1 'viewBox="[^"]*"' "$1" ;;
    *.png) od -A n -t x1 -j 16 -N 8 "$1" ;;
  esac
}

# A figure $1, on the line $2 of the page.
check_figure()
{
  made=$(basename "$1")
  shown=$SRC/$(dirname "$page")/$1
  if [ ! -f "$made" ]; then
    if [ -z "$skipped" ] || [ ! -f "$shown" ]; then wrong "no command makes $made"; fi
  elif [ -n "$REMAKE" ]; then
    mkdir -p "$(dirname "$shown")"
    cmp -s "$made" "$shown" || cp "$made" "$shown"
  elif [ ! -f "$shown" ]; then
    wrong "$1 is not there"
  elif [ "${2%<!-- varies -->}" != "$2" ]; then
    [ "$(size_of "$made")" = "$(size_of "$shown")" ] || wrong "$1 has another size than what is made now"
  else
    cmp "$made" "$shown" || wrong "$1 is not what is made now"
  fi
}

# What the page links to is in the tree: files, and headings of the page itself.
check_links()
{
  sed '/^```/,/^```$/d' "$SRC/$page" | grep -o '](\([^)]*\))' | sed 's/^](//; s/)$//' | grep -v '^https\{0,1\}:' >links || true
  sed -n 's/^#* //p' "$SRC/$page" | tr '[:upper:]' '[:lower:]' | tr -cd "a-z0-9 \n-" | tr ' ' - >headings
  while IFS= read -r link; do
    case $link in
      '#'*) grep -qx -e "${link#\#}" headings || wrong "there is no heading $link" ;;
      *) [ -e "$SRC/$(dirname "$page")/${link%%#*}" ] || wrong "$link is not there" ;;
    esac
  done <links
}

# The page again, with the blocks as they are now.
rewrite()
{
  awk '
    /^```./ { inside = 1; print; n++; while ((getline line <("block/" n)) > 0) print line; next }
    /^```$/ { inside = 0 }
    !inside' "$SRC/$page" >page.new
  cmp -s page.new "$SRC/$page" || cp page.new "$SRC/$page"
}

# A page, with at least so many blocks.
check_page()
{
  page=$1 skipped=
  open_page
  count=$(find block -name '*.what' | wc -l)
  n=0
  while [ "$n" -lt "$count" ]; do
    n=$((n + 1))
    check_block "$n"
  done
  grep '^!\[' "$SRC/$page" >figures || true
  while IFS= read -r line; do
    check_figure "$(echo "$line" | sed 's/.*](\([^)]*\)).*/\1/')" "$line"
  done <figures
  check_links
  [ -z "$REMAKE" ] || rewrite
  [ "$count" -ge "$2" ] || wrong "only $count blocks were found"
}

check_page README.md 10
check_page CONTRIBUTING.md 3
check_page docs/language.md 7
check_page docs/neuron.md 20
check_page docs/layers.md 4
check_page docs/runs.md 4
check_page docs/training.md 6
[ "$(wc -l <"$SRC/examples/fifteen.c")" -le 15 ] || wrong "the program of fifteen lines has more"
exit $failed
