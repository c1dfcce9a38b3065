/**
  The checks of the flake, from its packages and shells: that they build, that the package passes its tests, and
  on Linux the tests in virtual machines. What is added there is checked without a word here.
*/
{
  pkgs,
  packages,
  devShells,
}:
let
  inherit (pkgs) lib;
  prefixed = prefix: lib.mapAttrs' (name: lib.nameValuePair "${prefix}-${name}");
in
prefixed "package" packages
// prefixed "shell" devShells
// prefixed "test" packages.default.tests
// lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux (prefixed "vm" (import ./tests pkgs))
