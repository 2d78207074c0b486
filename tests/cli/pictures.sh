# plot, templates and regions: what they write and refuse; SVG that an XML reader takes; PNG that looks as another renderer draws the SVG.
. "$SRC/tests/cli/common"
iris_model

# ---- plot ----
ends 0 "" plot relu elu -o relu.svg
grep -qx "relu.svg: 2 functions of x from -5 to 5, with derivatives" out || bad "what plot says"
"$BPROP" plot relu elu >stdout.svg 2>err || bad "plot to standard output"
cmp -s relu.svg stdout.svg || bad "plot -o and plot > are not the same bytes"
LC_ALL=de_DE.UTF-8 "$BPROP" plot relu elu >german.svg 2>/dev/null
cmp -s relu.svg german.svg || bad "another locale gives other bytes"
ends 0 "" plot 'exp(-a*x**2)' 'x*sin(b*x)' a=0.5 b=pi --from -3 --to 3 -o waves.png --dark --scale 1
ends 0 "" plot 'floor(x)' 'tan(x)' '1/x' 'log(x)' -o hard.svg
ends 0 "" plot 3 -o constant.svg
ends 0 "" plot 'x > 0' 'argmax([x, 1])' -o steps.svg

while IFS='|' read -r row want text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends "$want" "$text" $arguments
done <<END
no function|2|nothing to work on|plot
only a value|2|no function is named|plot a=3
x has no value|2|x runs from|plot relu x=3
unknown name|3|nothing is called 'y'|plot x+y
two inputs|3|an argument is missing|plot add
no axis|3|a scalar has no axis|plot softmax
wrong way round|2|--from: 3 is not under --to, 1|plot relu --from 3 --to 1
not a number|2|--from: 'nan'|plot relu --from nan
neither svg nor png|2|saved as NAME.svg or NAME.png|plot relu -o relu.pdf
no such folder|6|nowhere/a.svg: cannot be saved|plot relu -o nowhere/a.svg
too many|2|at most 8 functions|plot x x x x x x x x x
scale 0|2|--scale: '0'|plot relu --scale 0 -o a.png
no model|4|nothing.safetensors|templates nothing.safetensors
no image|2|images of 3 by 3 do not have the 4 pixels|templates iris.safetensors --shape 3x3
no shape|2|--shape: 'wide' is not HEIGHTxWIDTH|templates iris.safetensors --shape wide
top 0|2|--top: '0'|templates iris.safetensors --top 0
four inputs|4|two inputs; this one has 4|regions iris.safetensors
END
[ ! -e relu.pdf ] && [ ! -e nowhere ] || bad "a file was written in spite of failure"

# ---- templates and regions ----
"$BPROP" train "$data/digits.csv" --target digit --hidden 12 --epochs 3 -q -o digits.safetensors >/dev/null || bad "train digits"
cut -d, -f3,4,5 "$data/iris.csv" >petals.csv
"$BPROP" train petals.csv --target species --epochs 30 -q -o petals.safetensors >/dev/null || bad "train petals"
ends 0 "" templates digits.safetensors -o digits.svg
grep -qx "digits.svg: templates of 64-12-10 relu" out || bad "what templates says"
grep -c "<image" digits.svg | grep -qx 13 || bad "not 12 templates and a scale"
ends 0 "" templates digits.safetensors --top 5 --grey -o few.svg
grep -c "<image" few.svg | grep -qx 6 || bad "not 5 templates and a scale"
ends 0 "" templates iris.safetensors --dark -o iris.svg
grep -q ">sepal_length<" iris.svg || bad "columns are not named"
ends 0 "" regions petals.safetensors petals.csv -o petals.svg
grep -qx "petals.svg: regions of 2-[0-9]*-3 relu, 150 examples" out || bad "what regions says"
ends 0 "" regions petals.safetensors "$data/iris.csv" -o iris2.svg # columns are found by name
cmp -s petals.svg iris2.svg || bad "regions over a file with more columns"
row=missing
ends 3 "column 'petal_length' is missing" regions petals.safetensors "$data/wine.csv"

# ---- read by others ----
[ -n "${PYTHON:-}" ] || finish
"$PYTHON" - *.svg "$SRC"/tests/golden/pictures/*.svg <<'END' || bad "an SVG that is not sound"
import re, sys, xml.etree.ElementTree as tree
for path in sys.argv[1:]:
    root = tree.parse(path).getroot()
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}", path
    for e in root.iter():
        assert e.tag.split("}")[1] in "svg title desc g rect circle path text image".split(), (path, e.tag)
        for key, value in e.attrib.items():
            assert not re.search("nan|inf", value) or key == "href" or "base64" in value, (path, key, value)
            if key in "x y width height cx cy r rx".split() and value != "100%":
                assert -1 <= float(value) <= max(width, height), (path, key, value)
END
command -v rsvg-convert >/dev/null || { echo "rsvg-convert is missing: pictures are not compared"; finish; }
fc-list 2>/dev/null | grep -q DejaVuSans-Oblique.ttf || { echo "DejaVu Sans Oblique is missing: pictures are not compared"; finish; }
"$BPROP" plot relu elu --scale 1 -o relu.png >/dev/null
"$BPROP" templates digits.safetensors --scale 1 -o digits.png >/dev/null
"$BPROP" templates iris.safetensors --dark --scale 1 -o iris.png >/dev/null
"$BPROP" regions petals.safetensors petals.csv --scale 1 -o petals.png >/dev/null
for picture in relu digits iris petals; do
  rsvg-convert $picture.svg -o other.png || bad "rsvg-convert cannot read $picture.svg"
  "$PYTHON" "$SRC/tests/support/same-picture.py" $picture.png other.png || bad "$picture.png is not what rsvg-convert makes of $picture.svg"
done
# A curve of an array is refused in words of the program.
ends 3 '^bprop: relu.a\*x.: it is an array at each x' plot 'relu(a*x)' 'a=[1,2]'
finish
