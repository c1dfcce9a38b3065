/**
  The text of a manifest that an expression gives: that text itself, or the file of it. Only what the user wrote may name
  a file; a manifest in a lock file is text and nothing else.

  # Type

  ```
  manifestText :: String | Path -> String
  ```
*/
given:
let
  isFile = builtins.isPath given || (builtins.isString given && builtins.substring 0 1 given == "/");
in
if isFile then builtins.readFile given else given
