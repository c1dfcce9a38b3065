/**
  The checks of the flake, derived from its packages and shells: the build of each, the tests of the package, and on Linux
  the tests in virtual machines. A new package, shell or test is checked without a change here.
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
