/**
  Makes the derivation of a layer as a file system image. It depends on nothing but the layer and hocker, so images that
  share the layer share its result. The result does not refer to the layer.

  # Type

  ```
  erofsLayer :: { program, system } -> String -> Derivation
  ```
*/
{ program, system }:
layer:
let
  storeName = import ./store-name.nix;
  file = baseNameOf (builtins.unsafeDiscardStringContext layer);
  # The name in the store, without the hash and the suffixes.
  parts = builtins.match "([0-9a-z]{32}-)?(.*[^.])([.]tar([.]gz|[.]zst)?)" file;
  name = if parts == null then file else builtins.elemAt parts 1;
in
derivation (
  {
    name = "${storeName name}.erofs";
    inherit system;
    builder = program;
    args = [ "builder" ];
    __structuredAttrs = true;
    erofsLayer = layer;
  }
  # The files of an image may contain the text of store paths, which are not references.
  // (if import ./can-discard-references.nix then { unsafeDiscardReferences.out = true; } else { })
)
