/**
  Adds the package of this repository to a module of NixOS or home-manager, as the default of `services.hocker.package`.

  # Type

  ```
  withPackage :: { overlay, module :: Path } -> Module
  ```
*/
{ overlay, module }:
{ lib, pkgs, ... }:
let
  extended = pkgs.extend overlay;
  isCross = pkgs.stdenv.buildPlatform.system != pkgs.stdenv.hostPlatform.system;
in
{
  imports = [ module ];
  services.hocker.package = lib.mkDefault extended.hocker;
  services.hocker.buildPackage = lib.mkIf isCross (lib.mkDefault extended.buildPackages.hocker);
}
