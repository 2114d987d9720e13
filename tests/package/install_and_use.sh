#!/bin/sh
# Installs gather into a fresh prefix, and uses it as a library as others would: with CMake and with pkg-config alone.
#   install_and_use.sh BUILD_FOLDER WORK_FOLDER C++-COMPILER LIBRARY_WITH_CATCH_MAIN
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1 work=$2 compiler=$3 catch_main=$4

fail() {
  echo "package: $*" >&2
  exit 1
}

# quietly COMMAND…: shows what it printed only if it fails.
quietly() {
  "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "this failed: $*"; }
}

# prints EXPECTED COMMAND…
prints() {
  expected=$1
  shift
  actual=$("$@") || fail "this failed: $*"
  [ "$actual" = "$expected" ] || fail "$*: expected $expected, got $actual"
}

rm -rf "$work"
mkdir -p "$work"
prefix=$work/prefix
quietly cmake --install "$build" --prefix "$prefix"
unset CXXFLAGS LDFLAGS http_proxy HTTP_PROXY all_proxy ALL_PROXY

prints "$("$build/cmd/gather" --version)" "$prefix/bin/gather" --version
others=$(grep -rlE '#include [<"](uv|fmt/|curl/|openssl/|core/)' "$prefix/include") || true
[ -z "$others" ] || fail "installed headers that need more than the standard library: $others"
needed=$(readelf -d "$prefix/lib/libgather-async.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
  grep -vE '^(libstdc\+\+|libm|libgcc_s|libc|ld-linux.*)\.so')
[ "$needed" = libuv.so.1 ] || fail "gather-async is to need libuv alone, and needs: $needed"
for library in async net; do
  foreign=$(nm -DC --defined-only "$prefix/lib/libgather-$library.so" | grep -v gather) || true
  [ -z "$foreign" ] || fail "gather-$library shows symbols that are not its own: $foreign"
done

squares='1
4
9'
quietly cmake -S "$here/consumer" -B "$work/build" -G Ninja "-DCMAKE_CXX_COMPILER=$compiler" \
  "-DCMAKE_PREFIX_PATH=$prefix" "-DCATCH_MAIN=$catch_main"
quietly cmake --build "$work/build"
prints "$squares" "$work/build/squares"
prints "$squares" "$work/build/squares_static"
prints hello "$work/build/fetch"
quietly "$work/build/squares_test"
if readelf -d "$work/build/squares_static" | grep -q 'NEEDED.*gather'; then
  fail "the static program needs a shared library of gather's"
fi

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
# shellcheck disable=SC2046
quietly "$compiler" "$here/consumer/squares.cpp" -o "$work/squares" $(pkg-config --cflags --libs gather-async)
# shellcheck disable=SC2046
quietly "$compiler" "$work/build/CMakeFiles/fetch.dir/fetch.cpp.o" -o "$work/fetch" $(pkg-config --libs gather-net)
export LD_LIBRARY_PATH="$prefix/lib"
prints "$squares" "$work/squares"
prints hello "$work/fetch"
