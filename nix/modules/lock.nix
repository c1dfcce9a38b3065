/**
  The images of a lock file, declared as if each were written down.
*/
{ config, lib, ... }:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.hocker;
in
{
  options.services.hocker.lockFile = mkOption {
    type = types.nullOr types.path;
    default = null;
    example = literalExpression "./docker-images.lock.json";
    description = ''
      A lock file that `hocker lock` keeps. All of its images are declared in {option}`services.hocker.images`,
      each by its name, for the platform of this system. What is declared there by hand wins. For some of the
      images only, use `services.hocker.functions.importLock` instead.
    '';
  };

  config.services.hocker.images = lib.mkIf (cfg.enable && cfg.lockFile != null) (
    lib.mapAttrs (_: image: { image = lib.mkDefault image; }) (
      cfg.functions.importLock { inherit (cfg) lockFile; }
    )
  );
}
