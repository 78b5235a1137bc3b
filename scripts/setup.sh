# Sourced by start and test: brings what a fresh Debian or Raspberry Pi OS machine lacks, naming it first.

say() { printf '%s\n' "$*" >&2; }

# Node is the one thing asked of the user: distributions older than ours ship a version without what we need.
require_node() {
  local found
  found=$(node --version 2>/dev/null) || found=none
  if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
    say "Homefield needs Node.js 20.19 or newer (found: $found)."
    say "Install Node 24 from nodejs.org (or your distribution's nodejs package when it is new enough) and run this again."
    exit 1
  fi
}

# need_package PACKAGE COMMAND WHY: remembers PACKAGE when COMMAND is missing.
missing_packages=()
need_package() {
  command -v "$2" >/dev/null 2>&1 && return
  missing_packages+=("$1")
  say "missing: $1 ($3)"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs what need_package found. A package that cannot be had is said, and the rest goes on without it.
install_missing() {
  [ ${#missing_packages[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null 2>&1; then
    say "This is not a Debian system: install ${missing_packages[*]} by your own package manager. Going on without."
    return
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
    say "Run as root, or install sudo, to add: ${missing_packages[*]}. Going on without."
    return
  fi
  say "Installing Debian packages: ${missing_packages[*]}"
  as_root apt-get update -qq >&2 || say "The package lists could not be refreshed; trying with the ones at hand."
  local package
  for package in "${missing_packages[@]}"; do
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2 ||
      say "Could not install $package. Going on without it; what needs it will say so."
  done
  missing_packages=()
}

# Installs the npm packages when the lock file changed since the last time.
install_modules() {
  local stamp=node_modules/.homefield-lock
  if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then return; fi
  say "Installing npm packages (a few minutes the first time: the database is compiled here when no ready build can be fetched)"
  npm ci --no-audit --no-fund >&2
  cp package-lock.json "$stamp"
}
