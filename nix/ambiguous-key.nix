/**
  The first key of a JSON object that clients written in Go take for one of the known ones, and others for an
  unknown one; `null` where there is no such key.

  Source: Go's `encoding/json`, which compares keys without their case. Two letters beside ASCII fold to ASCII ones.

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
known: object:
let
  letters = builtins.genList (n: builtins.substring n 1 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") 26;
  small = builtins.genList (n: builtins.substring n 1 "abcdefghijklmnopqrstuvwxyz") 26;
  # The long s, and the sign of the unit Kelvin.
  others = builtins.fromJSON ''[ "\u017f", "\u212a" ]'';
  fold = builtins.replaceStrings (letters ++ others) (
    small
    ++ [
      "s"
      "k"
    ]
  );
  folded = map fold known;
  found = builtins.filter (key: !builtins.elem key known && builtins.elem (fold key) folded) (
    builtins.attrNames object
  );
in
if found == [ ] then null else builtins.head found
