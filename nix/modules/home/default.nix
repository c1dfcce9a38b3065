/**
  The module for home-manager. It loads the images of a user into the user's own podman before the containers that run
  them start, from the store and never from a registry.

  All options are under `services.hocker`; `options.md` lists them.
*/
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
in
{
  imports = [
    ../lock.nix
    ../package.nix
    ./containers.nix
    ./images.nix
    ./podman.nix
    ./prune.nix
    ./switch.nix
  ];

  options.services.hocker.enable = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Whether to enable hocker: loading the images of {option}`services.hocker.images` into the Podman of this user.
    '';
  };

  config.assertions = lib.optional cfg.enable {
    assertion = pkgs.stdenv.hostPlatform.isLinux or true;
    message = "services.hocker.enable: the user's systemd starts the units, and ${pkgs.stdenv.hostPlatform.system} has no systemd. Load images with `hocker load` there.";
  };
}
