/**
  Returns a text that error messages may quote. Characters that are not printable ASCII become question marks, because a
  terminal could execute them. A long text is cut.

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
