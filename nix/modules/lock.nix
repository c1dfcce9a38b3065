/**
  Declares the images of a lock file.
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
      A lock file of `hocker lock`. Each of its images is declared in {option}`services.hocker.images` under its name, for
      the platform of this system. Your own definitions there take precedence. To declare only some of the images, use
      `services.hocker.functions.importLock` instead.
    '';
  };

  config.services.hocker.images = lib.mkIf (cfg.enable && cfg.lockFile != null) (
    lib.mapAttrs (_: image: { image = lib.mkDefault image; }) (
      cfg.functions.importLock { inherit (cfg) lockFile; }
    )
  );
}
