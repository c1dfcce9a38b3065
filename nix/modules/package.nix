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
        The hocker package, or a directory with a static {file}`bin/hocker`. This hocker loads the images.
      '';
    };

    buildPackage = mkOption {
      type = types.path;
      default =
        if isCross then
          pkgs.buildPackages.hocker-builder or pkgs.buildPackages.hocker
            or (throw "services.hocker.buildPackage: `pkgs.buildPackages.hocker` does not exist; set the option to a hocker that runs on ${pkgs.stdenv.buildPlatform.system}")
        else if pkgs ? hocker-builder && cfg.package == pkgs.hocker or null then
          pkgs.hocker-builder
        else
          # A package that the user chose may be the only hocker that there is.
          cfg.package;
      defaultText = literalExpression "pkgs.buildPackages.hocker-builder, or config.services.hocker.package if you set it";
      description = ''
        The hocker that is the builder of all derivations of {option}`services.hocker.functions`. The default is
        the package without signatures, which is smaller. If you set {option}`services.hocker.package`, the default is
        that package, except in a cross compilation.
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
