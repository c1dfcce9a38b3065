/**
  Returns images by each of their full names, those with a digest included.

  # Type

  ```
  byName :: { lib } -> { ${name} :: Image } -> { ${fullName} :: Image }
  ```
*/
{ lib }:
images:
let
  canonicalName = import ./canonical-name.nix;
in
lib.foldl' (
  found: image:
  let
    names = map canonicalName image.names ++ lib.concatLists (lib.attrValues image.canonicalDigests);
  in
  lib.genAttrs (lib.filter (text: text != null) names) (_: image) // found
) { } (lib.attrValues images)
