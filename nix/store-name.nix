/**
  The text as a name that the Nix store takes: other characters become dashes, it does not begin with a dot,
  and it leaves room for the suffixes of outputs and derivations.

  # Type

  ```
  storeName :: String -> String
  ```
*/
text:
let
  parts = builtins.split "[^a-zA-Z0-9+._?=-]+" text;
  clean = builtins.concatStringsSep "" (map (part: if builtins.isList part then "-" else part) parts);
  cut = builtins.substring 0 180 clean;
in
if cut == "" then
  "image"
else if builtins.substring 0 1 cut == "." then
  "image${cut}"
else
  cut
