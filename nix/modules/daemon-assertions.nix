/**
  Assertions about the daemons of declared images. Each message contains a remedy.
*/
{ config, lib }:
let
  cfg = config.services.hocker;
  localDaemons = import ./local-daemons.nix;

  ofImage =
    name: image:
    let
      option = "services.hocker.images.${name}";
      local = localDaemons.${image.backend};
    in
    {
      assertion = cfg.${image.backend}.host == local.host -> local.isEnabled config.virtualisation;
      message = "${option} is for ${image.backend}, which this machine does not run: ${local.remedy}, choose another `${option}.backend`, or set `services.hocker.${image.backend}.host` to the address of the daemon.";
    };
in
lib.mapAttrsToList ofImage cfg.images
