/**
  Returns the store path of a package. The package is a derivation, a store path, or another path, which is copied into
  the store. The result has a string context, so that a sandbox contains the package.

  # Type

  ```
  packagePath :: Derivation | Path | String -> String
  ```
*/
package:
let
  text = toString package;
  isStorePath = builtins.match "${builtins.storeDir}/[^/]+" text != null;
in
if builtins.isAttrs package || (builtins.isString package && builtins.hasContext package) then
  text
else if isStorePath then
  builtins.appendContext text { ${text}.path = true; }
else if builtins.isPath package then
  "${package}"
else
  throw "hocker: `${text}` is neither a package nor a path of ${builtins.storeDir}; give the package, or its path without quotes"
