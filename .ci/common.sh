# Functions that the steps of CI share; source this file. The last line of each step is `N passed, N failed, N skipped`.
# shellcheck shell=bash
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
system=$(uname -s)
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/locald-ci-XXXXXX")

# Where .ci/smoke installs the packages. A checkout that was built later is used instead.
installed=$root/build/installed/node_modules/locald/dist/cli/main.cjs
main=$root/dist/cli/main.cjs
[[ ! $root/build/installed/package.json -nt $main ]] || main=$installed

locald() { node "$main" "$@"; }

# Uses an isolated daemon, folders and ports, for machines that do other work at the same time.
sandbox() {
  export LOCALD_SANDBOX=ci LOCALD_HTTP_PORT=0 LOCALD_HTTPS_PORT=0 HOME=$work/home
  unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR
  mkdir -p "$HOME"
}

# Runs a command that must succeed: `expect 'what it shows' COMMAND…`. Prints its output on failure.
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

# Runs a command and only prints its result, for behaviour that is untested so far or depends on the machine.
report() {
  local name=$1 output=$work/output
  shift
  if "$@" >"$output" 2>&1 </dev/null; then printf 'yes    %s\n' "$name"; else printf 'no     %s: %s\n' "$name" "$*"; fi
  sed 's/^/       /' "$output"
}

fails() { ! "$@"; }

# Runs a command with a time limit in seconds; macOS has no timeout(1).
limited() { perl -e 'alarm shift; exec @ARGV or exit 127' "$@"; }

# Retries a command until it succeeds: `within SECONDS COMMAND…`.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $end ]] || return 1
    sleep 0.2
  done
}

# Prints a part of the JSON on stdin: `json .services[0].port`.
json() { node -e 'process.stdout.write(`${eval(`(${require("fs").readFileSync(0, "utf8")})${process.argv[1]}`)}\n`)' "$1"; }

# Finishes a step: shuts the daemon down, removes the files and prints the counts.
finish() {
  locald server shutdown >/dev/null 2>&1 </dev/null
  rm -rf "$work"
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [[ $failed -eq 0 ]]
  exit
}
trap 'exit 130' INT TERM
