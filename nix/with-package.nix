/**
  Adds the package of this repository to a module of NixOS or home-manager, as the default of `services.hocker.package`,
  and the one without signatures as the builder of derivations.

  # Type

  ```
  withPackage :: { overlay, module :: Path } -> Module
  ```
*/
{ overlay, module }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  extended = pkgs.extend overlay;
  isCross = pkgs.stdenv.buildPlatform.system != pkgs.stdenv.hostPlatform.system;
  # Not if the user chose another package.
  isOurs = config.services.hocker.package == extended.hocker;
in
{
  imports = [ module ];
  services.hocker.package = lib.mkDefault extended.hocker;
  services.hocker.buildPackage = lib.mkIf (isCross || isOurs) (
    lib.mkDefault extended.buildPackages.hocker-builder
  );
}
