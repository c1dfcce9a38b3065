/**
  Removes from the daemons what a former generation's units loaded, no present one declares, and no container
  uses. What hocker did not load stays.
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

  # Also where nothing is declared any more: then there is the most to remove.
  isUsed =
    backend: _:
    localDaemons.${backend}.isEnabled config.virtualisation
    || lib.any (image: image.backend == backend) (lib.attrValues cfg.images);

  pruneService =
    backend: _:
    let
      client = daemonClient backend;
      images = lib.filter (image: image.backend == backend) (lib.attrValues cfg.images);
      loads = map (image: image.unit) images;
      containers = lib.optionals (ociContainers.backend == backend) (
        lib.mapAttrsToList (
          name: container: "${container.serviceName or "${backend}-${name}"}.service"
        ) ociContainers.containers
      );
    in
    lib.nameValuePair "hocker-prune-${backend}" {
      description = "Remove images from ${backend} that no generation needs";
      # Not before everything new is there; and the containers first, so that the old ones let go of their images.
      requires = client.requires ++ loads;
      inherit (client) wants;
      after = client.after ++ loads ++ containers;
      # At each start of the system, and at each switch to a configuration.
      wantedBy = [ "multi-user.target" ];
      serviceConfig = client.serviceConfig // {
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
      Whether to remove images that these units loaded in the past, that {option}`services.hocker.images` no longer
      has, and that no container uses. Images that came into the daemon in another way are not touched.
    '';
  };

  config = lib.mkIf (cfg.enable && cfg.prune.enable) {
    systemd.services = lib.mapAttrs' pruneService (lib.filterAttrs isUsed localDaemons);
  };
}
