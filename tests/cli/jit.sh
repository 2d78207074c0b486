# --jit wait without a compiler that works, or with a cache that does not: the answer is that of --jit off, and nothing is said.
. "$SRC/tests/cli/common"
export XDG_CACHE_HOME=$work/cache
mkdir cache
program='x = linspace(0, 1, 5000); sum(tanh(x * x) + exp(-x) * x)'
"$BPROP" run "$program" --jit off >want 2>err || { bad "off"; cat err; finish; }

# same NAME=VALUE... : with that in the environment.
same()
{
  env "$@" "$BPROP" run "$program" --jit wait >out 2>err || { bad "$*: exit $?"; cat err; }
  cmp -s want out || { bad "$*: another answer"; cat out; }
  [ ! -s err ] || { bad "$*: it talks"; cat err; }
}

# A cache of its own for each, or the code of the one before would be found.
cat >loud <<'END2'
#!/bin/sh
i=0
while [ $i -lt 40000 ]; do
  echo "a warning, and a long one, of a compiler that has much to say about little $i"
  i=$((i + 1))
done >&2
exit 1
END2
printf '#!/bin/sh\nfor last; do :; done\nwhile [ "$1" != -o ]; do shift; done\necho no code >"$2"\n' >liar
chmod +x loud liar
same CC=false
same CC="$work/loud"
same CC="$work/liar"
find cache -name '*.so' | grep -q . && bad "what cannot be loaded is kept"
same PATH=
same CC=/no/such/compiler PATH=/no/such/folder
: >file
same XDG_CACHE_HOME="$work/file"

# Where there is a compiler: code is kept, found again, and made anew where it was damaged.
same XDG_CACHE_HOME="$work/cache"
for so in cache/bprop/*.so; do
  [ -e "$so" ] || continue
  echo damaged >"$so"
  same XDG_CACHE_HOME="$work/cache"
  [ "$(wc -c <"$so")" -gt 1000 ] || bad "damaged code was not made anew"
done
# A signal ends the wait for a compiler, and the compiler.
printf '#!/bin/sh\necho $$ >"%s/pid"\nexec sleep 50\n' "$work" >slow
chmod +x slow
CC="$work/slow" "$BPROP" run "$program" --jit wait >out 2>err &
bprop=$!
said . pid $bprop || bad "the slow compiler never began"
kill -TERM $bprop
wait $bprop
got=$?
[ $got -eq 143 ] || bad "SIGTERM while compiling: exit $got"
kill -0 "$(cat pid)" 2>/dev/null && { bad "the compiler goes on"; kill "$(cat pid)"; }
find cache -name 'work-*' | grep -q . && bad "a folder of a compilation was left"
finish
