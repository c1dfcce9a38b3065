/**
  The hocker that the units start, and the functions for images: the NixOS modules and the home-manager module have these
  options.
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
  isCross =
    (pkgs.stdenv.buildPlatform or pkgs.stdenv.hostPlatform).system != pkgs.stdenv.hostPlatform.system;
in
{
  options.services.hocker = {
    package = mkOption {
      # This also accepts a directory, which is copied into the store.
      type = types.path;
      default =
        pkgs.hocker
          or (throw "services.hocker.package: `pkgs.hocker` does not exist; set the option to the package, or to a directory with a static bin/hocker");
      defaultText = literalExpression "pkgs.hocker";
      description = ''
        The hocker package, or a directory with a static {file}`bin/hocker`. This hocker loads the images, and is the
        builder of all derivations of {option}`services.hocker.functions`.
      '';
    };

    buildPackage = mkOption {
      type = types.path;
      default =
        if isCross then
          pkgs.buildPackages.hocker
            or (throw "services.hocker.buildPackage: `pkgs.buildPackages.hocker` does not exist; set the option to a hocker that runs on ${pkgs.stdenv.buildPlatform.system}")
        else
          cfg.package;
      defaultText = literalExpression "pkgs.buildPackages.hocker, or config.services.hocker.package without cross compilation";
      description = ''
        The hocker that is the builder of all derivations of {option}`services.hocker.functions`. It differs from
        {option}`services.hocker.package` only if the system is cross-compiled.
      '';
    };

    functions = mkOption {
      type = types.lazyAttrsOf types.raw;
      readOnly = true;
      default = import ../for-platforms.nix {
        inherit (pkgs) stdenv;
        hocker = cfg.package;
        buildHocker = cfg.buildPackage;
      };
      defaultText = literalExpression "import hocker/nix { hocker = config.services.hocker.buildPackage; }";
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
      description = "The program that the units start.";
    };
  };
}
