/**
  The store path of a package that is given as a derivation, as a path of the store, or as a path elsewhere,
  which is then copied. The result carries its own context, so that a sandbox has the package in it.

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
