/**
  Makes a derivation from a function that returns its attributes. As in nixpkgs, `meta` and `passthru` become attributes
  of the result only, so the store path does not depend on them.

  # Inputs

  `describe`
  : a function from the derivation without `passthru` to its attributes

  # Type

  ```
  mkDerivation :: (Derivation -> { meta, passthru :: AttrSet, … }) -> Derivation
  ```
*/
describe:
let
  attributes = describe result;
  result = derivation (
    builtins.removeAttrs attributes [
      "meta"
      "passthru"
    ]
  );
in
result // { inherit (attributes) meta; } // attributes.passthru
