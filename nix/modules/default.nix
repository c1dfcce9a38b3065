/**
  NixOS modules: images that are loaded before the containers that need them start, from the store and never
  from a registry; and around them pruning, credentials for builds, and a registry of images on disk.

  Everything is under `services.hocker`; `options.md` lists it.
*/
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.hocker;
in
{
  imports = [
    ./containers.nix
    ./credentials.nix
    ./daemons.nix
    ./images.nix
    ./lock.nix
    ./prune.nix
    ./serve.nix
  ];

  options.services.hocker = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether to load the images of {option}`services.hocker.images`, and to do what else is set under
        {option}`services.hocker`.
      '';
    };

    package = mkOption {
      # A directory that becomes a store path does as well as a package.
      type = types.path;
      default =
        pkgs.hocker
          or (throw "services.hocker.package: there is no `pkgs.hocker`; set the option to the package, or to a directory with a static bin/hocker in it");
      defaultText = literalExpression "pkgs.hocker";
      description = ''
        The hocker package, or a directory with a static {file}`bin/hocker` in it. It loads the images, and it is
        the builder of what {option}`services.hocker.functions` fetch.
      '';
    };

    functions = mkOption {
      type = types.lazyAttrsOf types.raw;
      readOnly = true;
      default = import ../. {
        hocker = cfg.package;
        inherit (pkgs.stdenv.hostPlatform) system;
      };
      defaultText = literalExpression "import hocker/nix { hocker = config.services.hocker.package; }";
      description = ''
        `fetchdocker`, `importLock`, `callImage` and the other functions of hocker, for use in
        {option}`services.hocker.images.<name>.image`.
      '';
    };

    program = mkOption {
      type = types.str;
      readOnly = true;
      internal = true;
      default = "${import ../package-path.nix cfg.package}/bin/hocker";
      description = "What the units start.";
    };
  };
}
