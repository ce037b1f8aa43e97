#!/usr/bin/env bash
# Puts the Python packages that are named, which a benchmark compares with, into a virtual environment in
# the folder that is named, and prints its Python. What is there already is left alone.
set -euo pipefail

dir=${1:?usage: bench-peer.sh FOLDER PACKAGE...}
packages=("${@:2}")
ready="$dir/ready"

if [ "$(cat "$ready" 2>/dev/null)" != "${packages[*]}" ]; then
    rm -rf -- "$dir"
    mkdir -p -- "$(dirname -- "$dir")"
    # The interpreter itself: what stands for it on the path may do things of its own after pip.
    python=$(python3 -c 'import sys; print(sys.executable)')
    # Debian keeps the pip of virtual environments in a package of its own; the one outside will do.
    "$python" -m venv --without-pip "$dir" >&2
    "$python" -m pip --python "$dir/bin/python" --disable-pip-version-check \
        install --quiet "${packages[@]}" >&2
    printf '%s' "${packages[*]}" >"$ready"
fi
printf '%s\n' "$dir/bin/python"
