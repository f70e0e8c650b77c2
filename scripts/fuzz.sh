#!/usr/bin/env bash
# Fuzzes the parsers of the native programs with libFuzzer, beginning with the corpus: `npm run fuzz -- SECONDS`. What they find new is
# kept in build/fuzz. Needs clang.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
for program in native/keeper native/tunnel shim; do
  found=build/fuzz/${program##*/}
  mkdir -p "$found"
  files=()
  for file in "$program"/*.c native/common/*.c; do
    [[ $file == */main.c ]] || files+=("$file")
  done
  clang -g -O1 -std=c11 -D_GNU_SOURCE -Inative/common -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    "${files[@]}" -o "$found.bin"
  "$found.bin" -max_total_time="$seconds" -max_len=20000 -print_final_stats=1 -artifact_prefix="$found/" \
    "$found" $program/corpus
done
