#!/bin/sh
# Makes the checkout ready to run: npm dependencies, among them the Node 24 that runs everything else, and the program in
# dist/. Called first by the npm scripts, so it needs nothing but a POSIX shell, npm and any Node from 20 up, and returns at
# once when there is nothing to do. Container engine and images are prepared by the commands that need them (src/setup).
#
#   sh tools/setup.sh [npm]     "npm" = without the program in dist/, for what runs the sources
set -eu

case "${1:-}" in
"" | npm) ;;
*)
  echo "setup: unknown argument \"$1\"; the only one is \"npm\"." >&2
  exit 2
  ;;
esac

cd "$(dirname "$0")/.."
stamp=node_modules/.slipway-setup
node=node_modules/.bin/node

fail() {
  echo "setup: $*" >&2
  exit 1
}

# Runs a command quietly; says what it does once it has taken two seconds, and shows its output only if it fails.
with_progress() {
  what=$1
  shift
  output=$(mktemp)
  trap 'rm -f "$output"' EXIT
  "$@" >"$output" 2>&1 &
  pid=$!
  # npm would finish its work unseen if only this shell were interrupted.
  trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
  seconds=0
  while kill -0 "$pid" 2>/dev/null; do
    case $seconds in
    2 | *[05]) [ "$seconds" -lt 2 ] || echo "$what ... ${seconds} s" >&2 ;;
    esac
    sleep 1
    seconds=$((seconds + 1))
  done
  trap - INT TERM
  if ! wait "$pid"; then
    cat "$output" >&2
    return 1
  fi
  [ "$seconds" -le 2 ] || echo "$what: done in $seconds s" >&2
}

# Two first runs at once, such as a demo beside the tests, would install over each other. The lock lasts until this script and
# what it runs have ended. Where the file system has no locks it goes without.
if command -v flock >/dev/null; then
  exec 9<.
  taken=0
  flock -n 9 2>/dev/null || taken=$?
  if [ "$taken" -eq 1 ]; then
    echo "Another set-up of this checkout is under way; waiting for it ..." >&2
    flock 9
  fi
fi

is_node_24() {
  case "$("$node" --version 2>/dev/null)" in
  v24.*) return 0 ;;
  *) return 1 ;;
  esac
}

lock=$(cksum <package-lock.json)

# npm writes node_modules/.package-lock.json last: where it is newer than the lock file, somebody has just installed by
# hand, and doing it again would only cost time.
installed_by_hand() {
  [ ! -e "$stamp" ] && [ -n "$(find node_modules/.package-lock.json -newer package-lock.json 2>/dev/null)" ]
}

if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ] && ! installed_by_hand; then
  command -v npm >/dev/null || fail "npm is missing: install Node.js 20 or newer together with npm, then run this again."
  # Installs what the lock file says and leaves the file alone. Not `npm ci`: that refuses a lock file without an optional
  # package for some other platform, which is how npm writes it where a registry mirror does not have them all.
  with_progress "Installing npm dependencies" npm install --no-save --no-audit --no-fund ||
    fail "npm install failed (its output is above); check the network or npm's registry setting and run this again."
fi

# The package `node` fetches its binary in an install script, which a machine-wide `ignore-scripts` leaves out.
if ! is_node_24; then
  with_progress "Installing Node 24" npm rebuild node --ignore-scripts=false ||
    fail "npm could not install Node 24 (its output is above)."
  is_node_24 || fail "node_modules/.bin/node is not Node 24; remove node_modules and run this again."
fi

# In a checkout of somebody else's there is nothing to remember: nothing was installed.
[ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] || [ ! -w node_modules ] || echo "$lock" >"$stamp"

# As in bin/slipway, which runs the sources where this is not so.
is_built() {
  [ -e dist/main.js ] && [ -z "$(find src package.json package-lock.json tools/build.ts -cnewer dist/main.js -print -quit ||
    echo "find cannot tell")" ]
}

if [ "${1:-}" = npm ] || is_built; then
  exit 0
fi
if [ ! -w . ]; then
  echo "setup: this checkout cannot be written, so the program is not bundled; it runs from its sources and starts slower." >&2
  exit 0
fi
with_progress "Building" "$node" tools/build.ts ||
  echo "setup: the program could not be bundled (the output is above); it runs from its sources and starts slower." >&2
