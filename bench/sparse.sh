#!/bin/sh
# Sparse Jacobians beside ADOL-C with ColPack and CasADi, by turns in one run: for each figure the median over rounds of the medians, and the
# least time of all. With --install it first gets the peers that are missing: Debian's libcolpack-dev and g++ by apt-get, as root; ADOL-C from
# Debian's source, into build/peers, because Debian's own library is built without ColPack (its sparse_jac ends the program); CasADi from
# PyPI, into build/venv. Usage: bench/sparse.sh [--install] BUILD [ROUNDS]
set -eu
install=
[ "${1-}" != --install ] || { install=yes; shift; }
[ $# -ge 1 ] || { echo "usage: bench/sparse.sh [--install] BUILD [ROUNDS]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) rounds=${2:-5}
peers=$build/../peers
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
venv=$build/../venv

# apt-get with the machine's own lists of Debian, asked for sources instead of packages.
sources()
{
  mkdir -p "$peers/apt/lists/partial" "$peers/apt/parts"
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    grep -qs debian "$list" || continue
    sed 's/^deb /deb-src /; s/^Types: deb$/Types: deb-src/' "$list" >"$peers/apt/parts/$(basename "$list")"
  done
  apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$peers/apt/parts" -o Dir::State::Lists="$peers/apt/lists" "$@"
}

install_adolc()
{
  dpkg-query -W libcolpack-dev g++ make >/dev/null 2>&1 || apt-get install -q -y --no-install-recommends libcolpack-dev g++ make
  cd "$peers"
  sources update
  sources --download-only source adolc
  tar xf adolc_*.orig.tar.*
  cd ADOL-C-*/
  ./configure --enable-sparse --enable-atrig-erf --with-colpack=/usr --disable-static --prefix="$peers/adolc" CFLAGS='-O2 -march=native' CXXFLAGS='-O2 -march=native'
  make -j"$(nproc)" install
}

install_casadi()
{
  [ -e "$venv/bin/python3" ] || python3 -m venv "$venv"
  "$venv/bin/pip" install -q casadi numpy
}

# peer NAME INSTALLER TEST... : there already, or got where that was asked for.
peer()
{
  name=$1 installer=$2
  shift 2
  ! "$@" 2>/dev/null || return 0
  [ -n "$install" ] || { echo "bench/sparse.sh: $name is missing; --install gets it" >&2; exit 1; }
  ("$installer") >"$peers/$name.log" 2>&1 || { tail -n 5 "$peers/$name.log" >&2; exit 1; }
}

peer ADOL-C install_adolc test -e "$peers/adolc/include"
peer CasADi install_casadi "$venv/bin/python3" -c 'import casadi'
lib=$(dirname "$(find "$peers/adolc" -name libadolc.so | head -n 1)")
g++ -O2 -march=native -I"$peers/adolc/include" -o "$peers/sparse-adolc" "$here/sparse.cpp" -L"$lib" -Wl,-rpath,"$lib" -ladolc -lColPack

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same matrices: every entry of each peer, to 1e-12.
"$build/bench/sparse" --values >"$work/ours"
"$peers/sparse-adolc" --values >"$work/adolc"
TMPDIR=$work "$venv/bin/python3" "$here/sparse.py" --values >"$work/casadi" 2>"$work/version"
"$venv/bin/python3" - "$work/ours" "$work/adolc" "$work/casadi" <<'END'
import sys
read = lambda path: {tuple(w[:3]): float(w[3]) for w in map(str.split, open(path)) if w[0] in ("broyden", "trigexp") and len(w) == 4}
ours, *others = map(read, sys.argv[1:])
assert len(ours) == 2 * 6142
for path, other in zip(sys.argv[2:], others):
    assert other.keys() == ours.keys(), path
    assert max(abs(v - ours[k]) / (1 + abs(v)) for k, v in other.items()) < 1e-12, path
print("bprop, ADOL-C and CasADi agree on both Jacobians")
END

for round in $(seq "$rounds"); do
  "$build/bench/sparse" | sed 's/^/bprop /' >>"$work/all"
  "$peers/sparse-adolc" | sed 's/^/ADOL-C /' >>"$work/all"
  TMPDIR=$work "$venv/bin/python3" "$here/sparse.py" 2>/dev/null | sed 's/^/CasADi /' >>"$work/all"
done
cat "$work/version"
"$venv/bin/python3" - "$work/all" <<'END'
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    who, name, median, least, *note = line.split(None, 4)
    rows.setdefault((who, name), []).append((float(median), float(least), note[0].strip() if note else ""))
# Ratios are of least times: other work on the machine makes times longer, never shorter.
least_of = lambda found: min(f[1] for f in found)
print("%-8s %-16s %12s %12s %10s" % ("", "microseconds", "median", "least", "to bprop"))
for (who, name), found in rows.items():
    median, least = statistics.median(f[0] for f in found), least_of(found)
    ours = rows.get(("bprop", name.split("-")[0]))
    ratio = "%10.2f" % (least / least_of(ours)) if ours else " " * 10
    print("%-8s %-16s %12.2f %12.2f %s  %s" % (who, name, median, least, ratio, found[0][2]))
END
