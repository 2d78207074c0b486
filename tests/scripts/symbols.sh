# The library never ends the program, prints or asserts; it exports bp_... only; and it keeps no global state that changes.
set -eu
[ -z "$BPROP_SANITIZE" ] || { echo "a sanitizer brings its own symbols"; exit 77; }

banned='^(abort|exit|_exit|_Exit|quick_exit|__assert.*|raise|(v|f|vf|d|vd|__v?f?)?printf(_chk)?|v?sprintf|puts|putc|putchar|fputs|fputc|perror|strcpy|strcat|gets|atoi|atof|strtok|system|setlocale)$'
if nm -u "$BUILD/libbprop.a" | awk '{ print $NF }' | sort -u | grep -E "$banned"; then
  echo "libbprop.a uses what is named above"
  exit 1
fi
if nm -D --defined-only "$BUILD/libbprop.so" | awk '{ print $NF }' | grep -v '^bp_'; then
  echo "libbprop.so exports what is named above"
  exit 1
fi
[ "$(nm -D --defined-only "$BUILD/libbprop.so" | grep -c ' T bp_')" -gt 10 ]

# Symbols in writable sections, but for each thread's own (.tdata, .tbss), in our objects.
if objdump -t "$BUILD/libbprop.a" | awk '$3 == "O" && $4 ~ /^\.(data|bss)/ && $4 !~ /^\.data\.rel\.ro/ { print $NF } $4 == "O" && $5 ~ /^\.(data|bss)/ && $5 !~ /^\.data\.rel\.ro/ { print $NF }' | grep .; then
  echo "libbprop.a keeps the global state named above"
  exit 1
fi
