# The list of builders in bprop.h is the one that the rows in src/ops give.
exec "$SRC/tools/gen-builders" --check
