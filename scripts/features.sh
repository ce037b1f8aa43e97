#!/usr/bin/env bash
# Whether each way of building candle reaches all crates of it from the program. Nothing is built.
set -euo pipefail
cd "$(dirname "$0")/.."

for feature in accelerate cuda metal mkl; do
    for crate in candle-core candle-nn candle-transformers; do
        tree=$("${CARGO:-cargo}" tree --locked --package freehand --features "$feature" --edges features \
            --prefix none --invert "$crate")
        if ! grep -q "^$crate feature \"$feature\"" <<<"$tree"; then
            echo "the feature \`$feature\` of freehand does not reach $crate" >&2
            exit 1
        fi
    done
done
