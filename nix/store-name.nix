/**
  Turns a text into a valid name for the Nix store. Invalid characters become dashes, a leading dot gets a prefix, and the
  name is cut to leave space for the suffixes of outputs and derivations.

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
