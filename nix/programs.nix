/**
  The names of the program: its own, and the classic ones, which are links to it.
*/
[
  "hocker"
  "hocker-manifest"
  "hocker-config"
  "hocker-layer"
  "hocker-image"
  "docker2nix"
]
