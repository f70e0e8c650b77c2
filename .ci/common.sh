# What the steps of CI share; sourced. The last line of each step is `N passed, N failed, N skipped`.
# shellcheck shell=bash
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
system=$(uname -s)
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/locald-ci-XXXXXX")

# Where .ci/smoke installs the packages; the checkout itself is tried when it was built after that.
installed=$root/build/installed/node_modules/locald/dist/cli/main.cjs
main=$root/dist/cli/main.cjs
[[ ! $root/build/installed/package.json -nt $main ]] || main=$installed

locald() { node "$main" "$@"; }

# A daemon, folders and ports of its own: for machines where other work goes on.
sandbox() {
  export LOCALD_SANDBOX=ci LOCALD_HTTP_PORT=0 LOCALD_HTTPS_PORT=0 HOME=$work/home
  unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR
  mkdir -p "$HOME"
}

# Runs words that must succeed: `expect 'what is so' command words`. Their output is shown when they do not.
expect() {
  local name=$1 output=$work/output
  shift
  if "$@" >"$output" 2>&1 </dev/null; then
    ((passed += 1))
    printf 'ok     %s\n' "$name"
  else
    ((failed += 1))
    printf 'FAILED %s: %s\n' "$name" "$*"
    sed 's/^/       /' "$output"
  fi
}

# Runs words whose result is only told: what nobody could try yet, or what depends on the machine.
report() {
  local name=$1 output=$work/output
  shift
  if "$@" >"$output" 2>&1 </dev/null; then printf 'so     %s\n' "$name"; else printf 'not so %s: %s\n' "$name" "$*"; fi
  sed 's/^/       /' "$output"
}

fails() { ! "$@"; }

# Runs words for at most so many seconds; macOS has no timeout(1).
limited() { perl -e 'alarm shift; exec @ARGV or exit 127' "$@"; }

# Waits until words succeed: `within SECONDS command words`.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $end ]] || return 1
    sleep 0.2
  done
}

# A part of the JSON on stdin: `json .services[0].port`.
json() { node -e 'process.stdout.write(`${eval(`(${require("fs").readFileSync(0, "utf8")})${process.argv[1]}`)}\n`)' "$1"; }

# Ends a step: what runs is ended, what it made is removed, the counts are told.
finish() {
  locald server shutdown >/dev/null 2>&1 </dev/null
  rm -rf "$work"
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [[ $failed -eq 0 ]]
  exit
}
trap 'exit 130' INT TERM
