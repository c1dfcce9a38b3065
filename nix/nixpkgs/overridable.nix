/**
  Makes a derivation as `../mk-derivation.nix` does, with the same store path, and with the attributes that derivations of
  nixpkgs have: `overrideAttrs`, `inputDerivation`, and a `meta` with `position`. The store path of an image depends on its
  derivation, so `stdenv` makes only a twin, from which `meta` is.

  # Inputs

  `lib`, `stdenvNoCC`
  : of nixpkgs

  `pos`
  : the position in a file that `meta` states, or null

  # Type

  ```
  overridable :: { lib, stdenvNoCC, pos? } -> (Derivation -> AttrSet) -> Derivation
  ```
*/
{
  lib,
  stdenvNoCC,
  pos ? null,
}:
let
  stdenvAttributes = import ./stdenv-attributes.nix lib;

  # `overrideAttrs` takes a set, or a function from the old attributes, or from the final and the old ones.
  toChange =
    given: final: old:
    let
      applied = given old;
    in
    if !lib.isFunction given then
      given
    else if lib.isFunction applied then
      given final old
    else
      applied;

  make =
    change: describe:
    let
      attributes = change (attributes // { finalPackage = result; }) (describe bare);
      bare = derivation (
        removeAttrs attributes [
          "meta"
          "passthru"
        ]
      );
      twin = stdenvNoCC.mkDerivation (stdenvAttributes attributes // { inherit pos; });
      result =
        bare
        // {
          inherit (twin) meta;
          inputDerivation = import ./input-derivation.nix stdenvNoCC attributes;
          overrideAttrs =
            given:
            make (
              final: old:
              let
                changed = change final old;
              in
              changed // toChange given final changed
            ) describe;
        }
        // attributes.passthru;
    in
    result;
in
make (_final: old: old)
