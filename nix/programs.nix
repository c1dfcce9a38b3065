/**
  The names of the program: `hocker`, and the classic names, which are links to it.
*/
[
  "hocker"
  "hocker-manifest"
  "hocker-config"
  "hocker-layer"
  "hocker-image"
  "docker2nix"
]
