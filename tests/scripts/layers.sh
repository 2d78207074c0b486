# Includes go up the list of rooms only, and file names are unique. The check must also be able to fail.
set -eu
"$SRC/tools/check-layers"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
must_fail()
{
  mkdir -p "$copy/tools" "$copy/src/base" "$copy/src/io" "$copy/src/data" "$copy/cli" "$copy/tests"
  for room in bench examples include data docs; do mkdir -p "$copy/$room"; done
  cp "$SRC/tools/check-layers" "$copy/tools"
  mkdir -p "$copy/$(dirname "$1")"
  printf '%s\n' "$2" >"$copy/$1"
  if "$copy/tools/check-layers"; then
    echo "not noticed: $1 with $2"
    exit 1
  fi
  rm -rf "$copy"
}
must_fail src/base/a.c '#include "graph/graph.h"'
must_fail src/io/a.c '#include "data/csv.h"'
must_fail cli/a.c '#include "base/ctx.h"'
must_fail src/attic/a.c 'int x;'
must_fail src/base/a.c '#include "nowhere.h"'
mkdir -p "$copy/cli"
echo 'int x;' >"$copy/cli/twice.c"
must_fail src/base/twice.c 'int x;'
