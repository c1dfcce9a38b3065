/**
  Calls an expression that docker2nix wrote with the functions that it takes. With nixpkgs, `pkgs.callPackage` does the
  same.

  # Type

  ```
  callImage :: Path | Function -> Derivation
  ```

  # Example

  ```nix
  (import ./nix { inherit hocker; }).callImage ./debian.nix
  ```
*/
functions: file:
let
  expression = if builtins.isFunction file then file else import file;
in
expression (builtins.intersectAttrs (builtins.functionArgs expression) functions)
