#!/usr/bin/env bash
# Puts an offline bundle of Sextant together: libtorch, a Java runtime and the application.
#
# usage: bash install.sh TARGET [PARTS]
#   TARGET  the folder to make; it appears whole or not at all
#   PARTS   the folder with SHA256SUMS and all parts (default: the folder of this script)
#
# Needs bash, tar and coreutils, and @MEGABYTES@ MB of disk; no network, no Java, no root.
set -euo pipefail

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

case ${1:-} in
  '' | -*)
    echo "usage: bash install.sh TARGET [PARTS]" >&2
    exit 2
    ;;
esac
target=$1
parts=${2:-$(dirname "${BASH_SOURCE[0]}")}
[ ! -e "$target" ] && [ ! -L "$target" ] || fail "$target exists already; name a folder that does not"
[ -f "$parts/SHA256SUMS" ] || fail "there is no SHA256SUMS in $parts; name the folder with the parts: bash install.sh TARGET PARTS"

# All faults are told at once: another delivery may be far away.
missing=() damaged=() pieces=()
while read -r sum name; do
  name=${name#\*}
  case $name in
    */* | '') fail "SHA256SUMS is damaged: it names '$name'" ;;
    *.part-*) pieces+=("$parts/$name") ;;
  esac
  if [ ! -f "$parts/$name" ]; then
    missing+=("$name")
  elif [ "$(sha256sum <"$parts/$name")" != "$sum  -" ]; then
    damaged+=("$name")
  fi
done <"$parts/SHA256SUMS"
[ ${#pieces[@]} -eq @PARTS@ ] || fail "SHA256SUMS names ${#pieces[@]} parts but the bundle has @PARTS@; bring SHA256SUMS again"
[ ${#missing[@]} -eq 0 ] || echo "install.sh: missing: ${missing[*]}" >&2
[ ${#damaged[@]} -eq 0 ] || echo "install.sh: damaged: ${damaged[*]}" >&2
[ ${#missing[@]} -eq 0 ] && [ ${#damaged[@]} -eq 0 ] || fail "bring these again; nothing was installed"

parent=$(dirname "$target")
mkdir -p "$parent"
free=$(df -Pk "$parent" | while read -r _ _ _ kb _; do [ "$kb" = Available ] || echo "$kb"; done)
[ "${free:-0}" -ge @KILOBYTES@ ] || fail "$parent has $((${free:-0} / 1024)) MB left but @MEGABYTES@ MB are needed"
stage=$(mktemp -d "$parent/.sextant-partial.XXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$stage"

cat "${pieces[@]}" | tar -xf - -C "$stage" --no-same-owner || fail "the archive cannot be unpacked in $parent"
"$stage/runtime/bin/java" -Xmx256m -cp "$stage/app/*" io.sextant.nativeconfig.OfflineInstall "$stage" ||
  fail "the libraries cannot be unpacked; nothing was installed"
# Loads libtorch, so that a system that is too old is found out now.
log=$("$stage/sextant" doctor 2>&1) || {
  echo "$log" >&2
  fail "the bundle does not run on this system, see above; nothing was installed"
}
# Never into a folder that appeared meanwhile.
mv -T "$stage" "$target"
trap - EXIT
echo "install.sh: done; try: $target/sextant doctor"
