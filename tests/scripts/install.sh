# What `make install` lays down is enough for a user: with pkg-config, and with CMake's find_package.
set -eu
[ -z "$BPROP_SANITIZE" ] || { echo "not together with a sanitizer"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$BUILD" --prefix "$work/usr" >/dev/null
cat >"$work/main.c" <<'END'
#include <bprop.h>
#include <string.h>
int main(void)
{
  return strcmp(bp_version(), BP_VERSION);
}
END
pc=$(find "$work/usr" -name bprop.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir bprop)
cc -o "$work/shared" "$work/main.c" $(pkg-config --cflags --libs bprop)
LD_LIBRARY_PATH=$libdir "$work/shared"
readelf -d "$work/shared" | grep -q 'NEEDED.*libbprop\.so\.[0-9]'
rm "$libdir"/libbprop.so*
cc -o "$work/static" "$work/main.c" $(pkg-config --cflags --libs --static bprop)
"$work/static"

cmake --install "$BUILD" --prefix "$work/usr" >/dev/null
cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(bprop 0.1 REQUIRED)
add_executable(user main.c)
target_link_libraries(user PRIVATE bprop::static)
END
cmake -S "$work" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/usr" >"$work/log" 2>&1 &&
  cmake --build "$work/build" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/user"
