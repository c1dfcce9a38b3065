/**
  The NixOS modules. They load images before the containers that run them start, from the store and never from a registry.
  They also prune images, give credentials to builds, serve images on disk as a registry, and run images as services
  without a daemon.

  All options are under `services.hocker`; `options.md` lists them.
*/
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  imports = [
    ./containers.nix
    ./credentials.nix
    ./daemons.nix
    ./images.nix
    ./lock.nix
    ./package.nix
    ./prune.nix
    ./serve.nix
    ./services.nix
    ./store-images.nix
  ];

  options.services.hocker.enable = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Whether to enable hocker: loading the images of {option}`services.hocker.images`, and the other functions that
      are set under {option}`services.hocker`.
    '';
  };
}
