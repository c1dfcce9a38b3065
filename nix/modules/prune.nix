/**
  Removes images from the daemons that units of an earlier generation loaded, that the current configuration does not
  declare, and that no container uses. Images that hocker did not load are kept.
*/
{
  config,
  lib,
  utils,
  ...
}:
let
  cfg = config.services.hocker;
  ociContainers = config.virtualisation.oci-containers;
  daemonClient = import ./daemon-client.nix { inherit config lib utils; };
  localDaemons = import ./local-daemons.nix;

  # This includes daemons without declared images: all of their loaded images can be removed.
  isUsed =
    backend: _:
    localDaemons.${backend}.isEnabled config.virtualisation
    || lib.any (image: image.backend == backend) (lib.attrValues cfg.images);

  pruneService =
    backend: _:
    let
      client = daemonClient backend;
      images = lib.filter (image: image.backend == backend && image.mode == "load") (
        lib.attrValues cfg.images
      );
      loads = map (image: image.unit) images;
      containers = lib.optionals (ociContainers.backend == backend) (
        lib.mapAttrsToList (
          name: container: "${container.serviceName or "${backend}-${name}"}.service"
        ) ociContainers.containers
      );
    in
    lib.nameValuePair "hocker-prune-${backend}" {
      description = "Remove images from ${backend} that no generation needs";
      # All new images are loaded first, and all containers are restarted first, so that they no longer use old images.
      requires = client.requires ++ loads;
      inherit (client) wants;
      after = client.after ++ loads ++ containers;
      # This runs at each boot, and at each switch to another configuration.
      wantedBy = [ "multi-user.target" ];
      serviceConfig =
        client.serviceConfig
        // lib.optionalAttrs client.isSocket { PrivateNetwork = true; }
        // {
          ExecStart = client.command "prune" (
            lib.concatMap (image: [
              "--keep"
              image.path
            ]) images
          );
        };
    };
in
{
  options.services.hocker.prune.enable = lib.mkOption {
    type = lib.types.bool;
    default = false;
    description = ''
      Whether to remove images that hocker's units loaded in the past, that are no longer in
      {option}`services.hocker.images`, and that no container uses. Other images of the daemon are kept.
    '';
  };

  config = lib.mkIf (cfg.enable && cfg.prune.enable) {
    systemd.services = lib.mapAttrs' pruneService (lib.filterAttrs isUsed localDaemons);
  };
}
