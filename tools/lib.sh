# SPDX-License-Identifier: Apache-2.0
# What tools/run and tools/test share: packages, presets and progress. Sourced, from any directory.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export NINJA_STATUS='[%f/%t] '
# The same file gives the same object wherever the clone lies.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

say() { printf '\n== %s\n' "$*"; }

# lacking SET...: the packages of these sets in tools/packages.txt that are not installed.
lacking() {
  local installed wanted=" $* " set package replacement
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p')
  while read -r set package replacement _; do
    [[ $wanted == *" $set "* ]] || continue
    [[ $replacement == \?* ]] && command -v "${replacement#?}" >/dev/null && continue
    grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
  done <tools/packages.txt
}

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# install_packages SET...: installs what these sets lack; quick and silent when nothing does.
install_packages() {
  local packages
  if ! command -v apt-get >/dev/null; then
    echo "no apt-get here: please install what tools/packages.txt names"
    return 0
  fi
  mapfile -t packages < <(lacking "$@")
  [[ ${#packages[@]} -gt 0 ]] || return 0
  say "installing ${#packages[@]} packages: ${packages[*]}"
  mkdir -p build
  as_root apt-get -qq update
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${packages[@]}" \
    >build/apt.log 2>&1 || { cat build/apt.log; return 1; }
}

# build PRESET [TARGET...]: configures once, then builds; a log shows every 25th step.
build() {
  local preset=$1 targets=()
  shift
  [[ $# -eq 0 ]] || targets=(--target "$@")
  [[ -f build/$preset/build.ninja ]] || cmake --preset "$preset" >/dev/null
  if [[ -t 1 ]]; then
    cmake --build --preset "$preset" "${targets[@]}"
  else
    cmake --build --preset "$preset" "${targets[@]}" |
      awk '!/^\[[0-9]+\/[0-9]+\] / || ++steps % 25 == 0 { print; fflush() }'
  fi
}
