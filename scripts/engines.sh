# Fetches XGBoost and LightGBM for the tests, into a folder of their own: nothing is installed for their sake.
# To be sourced after lib.sh. Whoever has no network goes without: the functions then return 1 and print nothing.

engines="$dist/engines"

# Prints the folder of Debian's XGBoost: the system's, where it is installed, or else one unpacked from its package.
debian_xgboost() {
    local folder="$engines/debian" found
    found="$(dpkg -L libxgboost0 2>/dev/null | grep -m 1 '/libxgboost\.so\.0$' || true)"
    if [ -z "$found" ] && [ ! -e "$folder/done" ]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
        rm -rf "$folder"
        mkdir -p "$folder"
        (cd "$folder" && apt-get download libxgboost0 libdmlc0 && for package in *.deb; do
            dpkg-deb -x "$package" . || exit 1
        done && touch "done") >&2 || return 1
    fi
    [ -n "$found" ] || found="$(find "$folder" -name 'libxgboost.so.0' | head -n 1)"
    [ -n "$found" ] && dirname "$found"
}

# Prints the library $2 of the wheel $1, in its current release.
wheel_library() {
    local folder="$engines/$1" found
    if [ ! -e "$folder/done" ]; then
        rm -rf "$folder"
        python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
            --target "$folder" "$1" >&2 && touch "$folder/done" || return 1
    fi
    found="$(find "$folder" -name "$2" | head -n 1)"
    [ -n "$found" ] && printf '%s\n' "$found"
}

# The wheel `xgboost` is the same library with code for graphics cards, and 40 times the size.
wheel_xgboost() { wheel_library "${XGBOOST_WHEEL:-xgboost-cpu}" libxgboost.so; }
wheel_lightgbm() { wheel_library lightgbm lib_lightgbm.so; }

# Fetches all of them, and says what could not be.
fetch_engines() {
    debian_xgboost >/dev/null || say "Debian's XGBoost could not be fetched: its tests will be skipped"
    wheel_xgboost >/dev/null || say "XGBoost's wheel could not be fetched: its tests will be skipped"
    wheel_lightgbm >/dev/null || say "LightGBM's wheel could not be fetched: its tests will be skipped"
}
