#!/bin/sh
# check_install.sh BUILD_DIR CC SANITIZERS: what `cmake --install` leaves is enough for a program of somebody else: through
# pkg-config (with the shared and with the static library, as C and as C++) and through CMake's find_package.
set -eu
cd "$(dirname "$0")/.."
san=${3:+-fsanitize=$3}
work=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-install.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cmake --install "$1" --prefix "$work/to" >/dev/null
awk '/^```c$/ { p = 1; next } /^```$/ { p = 0 } p' README.md >"$work/demo.c"
cp corpus/demo-digits/model.pt corpus/demo-digits/digit.npy "$work"
sed "s/= tsr_tensor_data/= (const float *)tsr_tensor_data/" "$work/demo.c" >"$work/demo.cpp" # what C converts by itself
cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(demo LANGUAGES C)
find_package(tsrun 0.1 REQUIRED)
add_executable(demo demo.c)
target_link_libraries(demo PRIVATE tsrun::tsrun)
END
cd "$work"
pc=$(find to -name tsrun.pc)
PKG_CONFIG_PATH=$(cd "$(dirname "$pc")" && pwd):${PKG_CONFIG_PATH:-}
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir tsrun)
reads() { # reads WHAT: the program just built sees the 4
  ./demo >out.txt
  grep -q '^4: 0\.9' out.txt || { echo "$1: wrong answer"; cat out.txt; exit 1; }
  echo "$1: ok"
}
"$2" -Wall -Werror $san demo.c $(pkg-config --cflags --libs tsrun) "-Wl,-rpath,$lib" -o demo
reads "pkg-config, shared"
"$2" $san demo.c $(pkg-config --cflags tsrun) "$lib/libtsrun.a" $(pkg-config --static --libs tsrun | sed 's/-ltsrun//') -o demo
reads "pkg-config, static"
if command -v c++ >/dev/null; then
  c++ -Wall -Wextra -Werror $san demo.cpp $(pkg-config --cflags --libs tsrun) "-Wl,-rpath,$lib" -o demo
  reads "C++"
else
  echo "C++: no compiler here, not tried"
fi
cmake -G Ninja -S . -B build "-DCMAKE_PREFIX_PATH=$work/to" -DCMAKE_C_COMPILER="$2" "-DCMAKE_C_FLAGS=$san" >/dev/null
cmake --build build >/dev/null
cp build/demo demo
reads "find_package"
[ "$(to/bin/tsrun model.pt digit.npy | grep -c 'top 5: 4')" = 1 ]
