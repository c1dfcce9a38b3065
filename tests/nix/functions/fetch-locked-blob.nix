{ load, ... }:
let
  fetchLockedBlob = load "fetch-locked-blob.nix" {
    fetchBlob = arguments: arguments.attributes "x" ? registryFrom;
  };
  isMarked =
    registries:
    fetchLockedBlob {
      registry = builtins.head registries;
      alternatives = map (registry: { inherit registry; }) (builtins.tail registries);
      attributes = _: { };
    };
  # A file's http:// is not the user's word.
  marked = expected: registries: {
    name = builtins.toJSON registries;
    seen = isMarked registries;
    inherit expected;
  };
in
map (marked false) [
  [ "ghcr.io" ]
  [ "https://ghcr.io/v2/" ]
  [
    "https://ghcr.io/v2/"
    "localhost:5000"
  ]
]
++ map (marked true) [
  [ "http://ghcr.io/v2/" ]
  [ "HTTP://ghcr.io/v2/" ]
  [ " http://ghcr.io/v2/" ]
  [
    "ghcr.io"
    "http://registry.example/v2/"
  ]
]
