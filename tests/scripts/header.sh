# The public header stands alone: in C11 and C++, with both compilers where both are there, and its macros leave the functions
# themselves within reach.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/use.c" <<'END'
#include "bprop.h"
#include "bprop.h"
int main(void)
{
  bp_status (*grad)(bp_node, const bp_node *, size_t, bp_node *) = bp_grad;
  return BP_VERSION_MAJOR > 99 && grad && bp_absent(BP_NO_NODE);
}
END
tried=0
for compiler in gcc clang; do
  command -v "$compiler" >/dev/null || continue
  "$compiler" -std=c11 -Wall -Wextra -Wstrict-prototypes -Wpedantic -Werror -I "$SRC/include" -fsyntax-only "$work/use.c"
  tried=1
done
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  "$compiler" -x c++ -Wall -Wextra -Werror -I "$SRC/include" -fsyntax-only "$work/use.c"
done
[ "$tried" -eq 1 ]
