# shellcheck shell=bash
# What demo and test share: words for people, missing packages, and the hocker that runs in Nix's sandbox.
# To be sourced, after `set -euo pipefail`.

# What fails in $(…) ends the script, too.
shopt -s inherit_errexit

# Debian keeps dockerd and nginx where only root looks.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# The repository.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# One line about what happens next.
say() {
  printf '\n==> %s\n' "$*" >&2
}

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The Debian package that has a command.
package_of() {
  case $1 in
    cc) echo gcc ;;
    c++) echo g++ ;;
    ctr) echo containerd ;;
    dockerd) echo docker.io ;;
    # Debian 13 took the client out of docker.io.
    docker) if apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; else echo docker.io; fi ;;
    ab | htpasswd) echo apache2-utils ;;
    fsck.erofs) echo erofs-utils ;;
    setfattr) echo attr ;;
    ip) echo iproute2 ;;
    man) echo man-db ;;
    nginx) echo nginx-light ;;
    setcap) echo libcap2-bin ;;
    nix-build | nix-hash) echo nix-bin ;;
    newuidmap) echo uidmap ;;
    systemd-analyze | systemd-socket-activate) echo systemd ;;
    # Without a service.
    tinyproxy) echo tinyproxy-bin ;;
    xz) echo xz-utils ;;
    *) echo "$1" ;;
  esac
}

# Makes commands available: installs their Debian packages where this is root on Debian, and otherwise names them.
require() {
  local command missing=() packages=()
  for command in "$@"; do
    # A program: bash has a `time` of its own.
    type -P "$command" >/dev/null || missing+=("$command")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || die "please install what has these commands: ${missing[*]}"
  if [[ $EUID -eq 0 ]]; then
    say "Bringing the package lists up to date"
    apt-get update -q >&2
  fi
  for command in "${missing[@]}"; do
    packages+=("$(package_of "$command")")
  done
  [[ $EUID -eq 0 ]] || die "please install: ${packages[*]}"
  say "Installing ${packages[*]}"
  install_packages "${packages[@]}"
  for command in "${missing[@]}"; do
    type -P "$command" >/dev/null || die "$(package_of "$command") is installed, but there is no $command"
  done
}

# Installs packages without letting their services start, unless the system has its own rule about that.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
)

# Cargo, and the C compiler with the static C library that the static hocker needs.
require_rust() {
  command -v cargo >/dev/null || die "please install Rust 1.88 or newer, from https://rustup.rs or your distribution"
  require cc
  if [[ -z $(cc -print-file-name=libc.a | sed -n '/\//p') ]]; then
    if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
      die "please install the static C library (libc6-dev)"
    fi
    say "Installing libc6-dev"
    apt-get update -q >&2
    install_packages libc6-dev
  fi
}

# Where cargo puts what it builds.
target_directory() {
  cargo metadata --manifest-path "$root/Cargo.toml" --format-version 1 --no-deps |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# Brings the `lib` of nixpkgs into the target directory, once, and prints its path; prints nothing where the network has
# it not, or not soon.
fetch_nixpkgs_lib() {
  fetch_checkout nixpkgs.lib de42d44212d207476489bce163375d8306a26d59 \
    "Fetching the lib of nixpkgs, for the tests of the modules and the flake"
}

# The same for home-manager.
fetch_home_manager() {
  fetch_checkout home-manager ec1a8fdf74ed3f276148ee106299a2ba0e65d51f \
    "Fetching home-manager, for the tests of the module for it"
}

fetch_checkout() { # NAME REVISION TEXT: of github.com/nix-community/NAME
  local url=https://github.com/nix-community/$1
  local target directory
  target=$(target_directory)
  directory=$target/$1-$2
  if [[ ! -d $directory ]]; then
    say "$3"
    mkdir -p "$target"
    (
      partial=$(mktemp -d "$target/$1.XXXXXX")
      # An interrupt leaves nothing, either.
      trap 'rm -rf "$partial"' EXIT
      git init -q "$partial" >&2 &&
        GIT_TERMINAL_PROMPT=0 timeout 30 git -C "$partial" fetch -q --depth 1 "$url" "$2" >&2 &&
        git -C "$partial" checkout -q FETCH_HEAD >&2 &&
        mv "$partial" "$directory"
    ) || return 0
  fi
  printf '%s\n' "$directory"
}

# Builds a hocker that needs no shared library, since Nix's sandbox has none, and prints its path. The same source gives
# the same file in every directory: paths of this machine are replaced in what panics say, and in what C code says.
build_static_hocker() {
  local triple target cargo_home sysroot flags
  triple=$(rustc --print host-tuple)
  target=$(target_directory)
  cargo_home=$(cd "${CARGO_HOME:-$HOME/.cargo}" && pwd -P)
  sysroot=$(rustc --print sysroot)
  flags=(-Ctarget-feature=+crt-static "--remap-path-prefix=$root=/hocker" "--remap-path-prefix=$cargo_home=/cargo"
    "--remap-path-prefix=$sysroot=/rust")
  (
    # RUSTFLAGS, but for paths with spaces too.
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && printf '%s' "${flags[*]}")
    export CARGO_ENCODED_RUSTFLAGS
    export CFLAGS="${CFLAGS:-} -ffile-prefix-map=$cargo_home=/cargo"
    cargo build --manifest-path "$root/Cargo.toml" --locked --release --bin hocker --target "$triple" >&2
  )
  printf '%s\n' "$target/$triple/release/hocker"
}
