/**
  Removes images from the user's podman that units of an earlier generation loaded, that the current configuration does
  not declare, and that no container uses. Images that hocker did not load are kept.
*/
{ config, lib, ... }:
let
  cfg = config.services.hocker;
  client = import ./client.nix { inherit config lib; };
  images = lib.attrValues cfg.images;
  loads = map (image: image.unit) images;
in
{
  options.services.hocker.prune.enable = lib.mkOption {
    type = lib.types.bool;
    default = false;
    description = ''
      Whether to remove images that hocker's units loaded in the past, that are no longer in
      {option}`services.hocker.images`, and that no container uses. Other images of the user are kept.
    '';
  };

  config.systemd.user.services = lib.mkIf (cfg.enable && cfg.prune.enable) {
    hocker-prune-podman = {
      Unit = {
        Description = "Remove images from podman that no generation needs";
        # All new images are loaded first, and all containers are restarted first, so that they no longer use old images.
        Requires = loads;
        Wants = client.socket;
        After = client.socket ++ loads ++ cfg.containerUnits;
      };
      Service = client.service // {
        ExecStart = client.command "prune" (
          lib.concatMap (image: [
            "--keep"
            image.path
          ]) images
        );
      };
      # This runs at each login, and at each switch to another configuration.
      Install.WantedBy = [ "default.target" ];
    };
  };
}
