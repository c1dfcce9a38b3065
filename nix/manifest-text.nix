/**
  Returns the text of a manifest in an expression, which is the text itself or a file with it. Only an expression may name
  a file. A manifest in a lock file is always the text.

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
