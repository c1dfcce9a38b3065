/**
  Returns the first ambiguous key of a JSON object, or `null`. An ambiguous key differs from a known one only in case:
  clients written in Go read it as the known one, and other clients ignore it.

  Source: Go's `encoding/json`, which ignores the case of keys. Two letters outside of ASCII fold to ASCII letters.

  # Type

  ```
  ambiguousKey :: [ String ] -> AttrSet -> Null | String
  ```

  # Example

  ```nix
  ambiguousKey [ "layers" ] { Layers = [ ]; layers = [ ]; }
  => "Layers"
  ```
*/
let
  letters = builtins.genList (n: builtins.substring n 1 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") 26;
  small = builtins.genList (n: builtins.substring n 1 "abcdefghijklmnopqrstuvwxyz") 26;
  # The long s, and the sign of the unit kelvin.
  others = builtins.fromJSON ''[ "\u017f", "\u212a" ]'';
  fold = builtins.replaceStrings (letters ++ others) (
    small
    ++ [
      "s"
      "k"
    ]
  );
in
known:
let
  folded = map fold known;
in
object:
let
  # Most objects have no other keys.
  further = builtins.removeAttrs object known;
  found = builtins.filter (key: builtins.elem (fold key) folded) (builtins.attrNames further);
in
if further == { } || found == [ ] then null else builtins.head found
