/**
  A value of somebody else's as messages may quote it: what is not printable ASCII becomes a question mark, because a
  terminal could obey it, and what is long is cut.

  # Type

  ```
  printable :: Any -> String
  ```
*/
value:
let
  text = if builtins.isString value then value else "a value that is not a string";
  parts = builtins.split "[^ -~]+" (builtins.substring 0 200 text);
in
builtins.concatStringsSep "" (map (part: if builtins.isList part then "?" else part) parts)
