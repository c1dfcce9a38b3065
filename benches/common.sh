# shellcheck shell=bash
# What the benchmarks share: a registry on loopback, an image of real files, and rows of a table.
#
# Source it after setting `runs` and `hocker`. It makes a working directory, which is removed at the end.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
require docker-registry skopeo pigz time sha256sum

work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do
    # One that has ended already is the reason why this ends, or of no interest.
    kill "$pid" 2>/dev/null || true
    wait "$pid" || true
  done
  rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit

# Below those that the kernel gives to clients (Linux, `ip_local_port_range`).
free_port() {
  local port
  for port in $(shuf -i 20000-32000 -n 50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  die "no free port"
}

wait_for() {
  local _
  for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  die "nothing listens on port $1"
}

# Starts docker-registry at a port that the system chooses, and leaves the port in `registry`. A port that was free a
# moment ago may be another program's by now.
start_registry() {
  local _ pid
  cat >registry.yml <<YAML
version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/registry } }
http: { addr: 127.0.0.1:0 }
YAML
  docker-registry serve registry.yml >registry.log 2>&1 &
  pid=$!
  pids+=("$pid")
  for _ in $(seq 600); do
    registry=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' registry.log)
    if [[ -n $registry ]]; then return; fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  die "docker-registry does not start: $(tail -n 3 registry.log)"
}

# Makes two images, as the layout `layout`, and pushes them: bench:three of two large layers and a tiny one, and
# bench:one of the first of them, whose digest is left in `layer`.
make_images() {
  say "Making the images: two layers of 60 to 90 MB out of this machine's /usr, and a tiny one; the first of them alone"
  mkdir -p layout/blobs/sha256
  printf '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout
  layers=
  diff_ids=
  some_of 200000000 /usr/lib >first
  some_of 190000000 /usr/bin /usr/share >second
  add_layer --no-recursion --files-from "$work/first"
  layer=${layers#*sha256:}
  # shellcheck disable=SC2034 # For those who source this.
  layer=${layer%%\"*}
  push one
  add_layer --no-recursion --files-from "$work/second"
  add_layer etc/os-release
  push three
  du -h layout/blobs/sha256/* >&2
}

add_layer() { # FILE...: a layer of these files
  # A package manager may replace files meanwhile. tar's code is 1 if a file changed.
  tar --create --directory / --sort name --mtime @0 --owner 0 --group 0 --numeric-owner --ignore-failed-read "$@" \
    >layer.tar 2>tar.log || [[ $? -eq 1 ]] || die "$(tail -n 3 tar.log)"
  diff_ids+=${diff_ids:+,}\"sha256:$(sha256sum layer.tar | cut -d ' ' -f 1)\"
  pigz -n -6 layer.tar
  layers+="${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",$(add_blob layer.tar.gz)}"
}

add_blob() {
  local hex
  hex=$(sha256sum "$1" | cut -d ' ' -f 1)
  mv "$1" "layout/blobs/sha256/$hex"
  printf '"digest":"sha256:%s","size":%s' "$hex" "$(stat -c %s "layout/blobs/sha256/$hex")"
}

# Pushes an image of the layers that were added, and leaves it as the layout's only one.
push() { # TAG
  local config manifest
  printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}' "$diff_ids" >config
  config=$(add_blob config)
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},"layers":[%s]}' "$config" "$layers" >manifest
  manifest=$(add_blob manifest)
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,"annotations":{"org.opencontainers.image.ref.name":"%s"}}]}' "$manifest" "$1" >layout/index.json
  skopeo copy --quiet --dest-tls-verify=false "oci:layout:$1" "docker://127.0.0.1:$registry/bench:$1"
}

# Files that make about so many bytes.
some_of() { # BYTES DIRECTORY...
  { find "${@:2}" -xdev -type f -readable -printf '%s\t%P\t%H\n' || true; } | sort -t $'\t' -k 2 >all
  awk -F '\t' -v limit="$1" 'sum + $1 <= limit { sum += $1; print substr($3, 2) "/" $2 }' all
}

# Runs a command, and keeps its time in seconds, its peak in KiB, and its processor time in seconds.
measure() { # NAME COMMAND...
  rm -rf out
  /usr/bin/time --format '%e %M %U %S' --output time.txt "${@:2}" >/dev/null 2>error.txt ||
    die "$1 failed: $(tail -n 3 error.txt)"
  awk '{ print $1, $2, $3 + $4 }' time.txt >>"times.$1"
}

median() { # NAME FIELD
  sort -n -k "$2" "times.$1" | awk -v field="$2" '{ all[NR] = $field } END { print all[int((NR + 1) / 2)] }'
}

row() { # TEXT PEER
  awk -v text="$1" -v peer="$2" -v ours="$(median hocker 1)" -v theirs="$(median peer 1)" -v peak="$(median hocker 2)" \
    'BEGIN { printf "| %s | %.2f s | %.1f MiB | %s %.2f s | %.2f |\n", text, ours, peak / 1024, peer, theirs, ours / theirs }'
  rm times.hocker times.peer
}

compare() { # TEXT PEER COUNT-OF-OUR-WORDS OUR-COMMAND... PEER-COMMAND...
  local text=$1 peer=$2 count=$3 _
  shift 3
  # shellcheck disable=SC2154 # Set by those who source this.
  for _ in $(seq "$runs"); do
    measure hocker "${@:1:count}"
    measure peer "${@:count+1}"
  done
  row "$text" "$peer"
}
