# Shared by the scripts beside it; to be sourced by bash. Every script works from any directory.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
version="$(sed -n 's/.*static let current = "\(.*\)".*/\1/p' "$root/Sources/MetaLearnersCore/Support/Version.swift")"
soname="libmetalearners.so.${version%%.*}"
dist="$root/.build-dist"

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# Debian packages that the build needs, each with a test of whether it is there already.
missing_packages() {
    command -v cc >/dev/null && printf '#include <stdio.h>\nint main(void){return 0;}\n' |
        cc -x c - -o /dev/null 2>/dev/null || echo gcc libc6-dev
    command -v c++ >/dev/null && printf '#include <string>\nint main(){return 0;}\n' |
        c++ -x c++ - -o /dev/null 2>/dev/null || echo g++
    command -v pkg-config >/dev/null || echo pkg-config
    command -v make >/dev/null || echo make
    command -v ld.lld >/dev/null || echo lld
    command -v strip >/dev/null && command -v objcopy >/dev/null && command -v readelf >/dev/null || echo binutils
    pkg-config --exists openblas 2>/dev/null || echo libopenblas-dev
    printf '#include <csv.h>\n' | cc -x c -fsyntax-only - 2>/dev/null || echo libcsv-dev
    pkg-config --exists yaml-0.1 2>/dev/null || echo libyaml-dev
    pkg-config --exists zlib 2>/dev/null || echo zlib1g-dev
}

# Installs what is missing, as root or through sudo; otherwise says what to install. Does nothing when all is there.
bootstrap() {
    [ "$(uname -s)" = Linux ] || fail "these scripts build on Linux; elsewhere use swift build"
    find_swift
    local packages
    packages="$(missing_packages | tr '\n' ' ')"
    [ -n "${packages// /}" ] || return 0
    install_packages "$packages"
    packages="$(missing_packages | tr '\n' ' ')"
    [ -z "${packages// /}" ] || fail "still missing after installation: $packages"
}

# Installs Debian packages, named in one text, as root or through sudo; otherwise says what to install.
install_packages() {
    local packages="$1" runner=()
    command -v apt-get >/dev/null || fail "missing: $packages(Debian's names); install them and run this again"
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            runner=(sudo)
        elif command -v sudo >/dev/null && [ -t 0 ]; then
            say "sudo is needed to install: $packages"
            runner=(sudo)
        else
            fail "missing packages; as root run: apt-get install $packages"
        fi
    fi
    say "installing $packages"
    # shellcheck disable=SC2086  # One word a package.
    { "${runner[@]}" apt-get update -qq &&
        "${runner[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
    } >&2 || fail "could not install: $packages"
}

# Puts a Swift toolchain on the path, or says how to get one.
find_swift() {
    if ! command -v swift >/dev/null; then
        local candidate
        for candidate in "${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}" /opt/swift/usr/bin /usr/share/swift/usr/bin \
            "$HOME/.swiftly/bin" /usr/libexec/swift/bin; do
            if [ -x "$candidate/swift" ]; then
                PATH="$candidate:$PATH"
                break
            fi
        done
    fi
    command -v swift >/dev/null ||
        fail "no Swift toolchain found; install 6.3 or later from https://www.swift.org/install/linux/ (swiftly), then run this again"
    local found
    found="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"
    [ "$(printf '%s\n6.3\n' "$found" | sort -V | head -n 1)" = 6.3 ] ||
        fail "Swift $found is too old: 6.3 or later is needed (https://www.swift.org/install/linux/)"
}

# Waits for the build that runs as process $1 and writes into $2, and shows meanwhile what it is doing: on a terminal in one
# line, elsewhere now and then. Returns its status.
watch_build() {
    local start=$SECONDS shown="" now told=-15 seconds
    while kill -0 "$1" 2>/dev/null; do
        now="$(grep -oE '^(\[[0-9]+/[0-9]+\] .*|installing .*|Fetching .*|Working copy .*|Building .*)' "$2" | tail -n 1 | cut -c 1-70 || true)"
        seconds=$((SECONDS - start))
        if [ -t 2 ]; then
            printf '\r\033[K  %3d s  %s' "$seconds" "${now:-starting}" >&2
        elif [ "$now" != "$shown" ] && [ $((seconds - told)) -ge 15 ]; then
            printf '  %3d s  %s\n' "$seconds" "$now" >&2
            shown="$now"
            told=$seconds
        fi
        sleep 1
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    wait "$1"
}

# Runs swift build with the release settings of everything that is shipped: no Swift needed where it runs, and nothing for
# debuggers, which takes time to make and is stripped afterwards.
release_build() {
    swift build --package-path "$root" --configuration release --scratch-path "$dist" \
        -Xswiftc -static-stdlib -Xswiftc -use-ld=lld -Xswiftc -gnone -Xcc -g0 "$@" >&2
}
