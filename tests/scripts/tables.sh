# The tables are those that SOURCES.md describes, and where scikit-learn's files are installed, make-data makes them again.
set -eu
cd "$SRC/data"
grep -E '^[0-9a-f]{64}  ' SOURCES.md >"${TMPDIR:-/tmp}/sums.$$"
trap 'rm -rf "${TMPDIR:-/tmp}/sums.$$" "${TMPDIR:-/tmp}/tables.$$"' EXIT
[ "$(wc -l <"${TMPDIR:-/tmp}/sums.$$")" -eq 3 ]
sha256sum -c "${TMPDIR:-/tmp}/sums.$$"

source=/usr/lib/python3/dist-packages/sklearn/datasets/data
[ -d "$source" ] || { echo "python3-sklearn is not installed: the tables are not made again"; exit 0; }
mkdir "${TMPDIR:-/tmp}/tables.$$"
cp make-data "${TMPDIR:-/tmp}/tables.$$"
"$PYTHON" "${TMPDIR:-/tmp}/tables.$$/make-data" "$source"
for table in digits iris wine; do
  cmp "$table.csv" "${TMPDIR:-/tmp}/tables.$$/$table.csv"
done
