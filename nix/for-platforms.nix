/**
  Returns the functions for a package set. In a cross compilation, the hocker of the build platform is the builder, the
  scripts of images start the hocker of the host platform, and images are for the host platform.

  # Inputs

  `stdenv`
  : the `stdenv` of the package set

  `hocker`
  : the hocker of the host platform

  `buildHocker`
  : the hocker of the build platform

  `mkDerivation`
  : as in `default.nix`
*/
{
  stdenv,
  hocker,
  buildHocker,
  mkDerivation ? import ./mk-derivation.nix,
}:
import ./. {
  inherit mkDerivation;
  hocker = buildHocker;
  runtime = hocker;
  inherit (stdenv.buildPlatform or stdenv.hostPlatform) system;
  targetSystem = stdenv.hostPlatform.system;
}
