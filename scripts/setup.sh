# Sourced by demo and test: installs what the build needs (only what is missing) and builds.
# Everything comes from Debian's own packages; nothing else is downloaded.

say() { printf '%s\n' "$*" >&2; }

# package, and the command that succeeds when it is there
needed='cmake:cmake --version
ninja-build:ninja --version
gcc:cc --version
flex:flex --version
bison:bison --version
pkg-config:pkg-config --version
libzip-dev:pkg-config --exists libzip
libjansson-dev:pkg-config --exists jansson
libopenblas-dev:pkg-config --exists openblas
libcmocka-dev:pkg-config --exists cmocka'

missing_packages() {
  printf '%s\n' "$needed" | while IFS=: read -r package probe; do
    $probe >/dev/null 2>&1 || printf '%s ' "$package"
  done
}

install_missing() {
  missing=$(missing_packages)
  [ -z "$missing" ] && return 0
  root=
  if [ "$(id -u)" -ne 0 ]; then root=sudo; fi
  if ! command -v apt-get >/dev/null || { [ -n "$root" ] && ! command -v sudo >/dev/null; }; then
    say "please install: $missing"
    return 1
  fi
  say "installing: $missing"
  # shellcheck disable=SC2086 # a list of words on purpose
  { $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends libc6-dev $missing; } >/dev/null ||
    { say "apt-get could not install: $missing"; return 1; }
}

# build PRESET: configures and builds build/PRESET; the log is shown only when something goes wrong.
build() {
  dir=build/$1
  mkdir -p "$dir"
  say "building $dir ..."
  if ! { cmake --preset "$1" && cmake --build --preset "$1"; } >"$dir/build.log" 2>&1; then
    tail -n 60 "$dir/build.log" >&2
    say "the build failed; the whole log is $dir/build.log"
    return 1
  fi
}
