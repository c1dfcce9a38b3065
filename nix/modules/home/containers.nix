/**
  Containers of home-manager's `services.podman.containers` that run a declared image. Their units start after the image
  is loaded, restart when it changes, and ask no registry.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  inherit (config.services.podman) containers;

  containerImage = import ../container-image.nix {
    inherit lib;
    inherit (cfg) enable images;
  };
  inherit (containerImage) imageOf weak;

  hockerImage = containerImage.module ''
    The image of {option}`services.hocker.images` that the container runs. This option is not needed if `image` is
    one of the names of that image, or names it by the registry's digest of its manifest or index.
  '';

  neverPull =
    { config, ... }:
    let
      image = imageOf config;
    in
    {
      config.extraConfig = lib.mkIf (image != null) {
        Container.Pull = lib.mkOverride weak "never";
        # A container whose image is loaded does not wait for the network.
        Quadlet.DefaultDependencies = lib.mkOverride weak false;
        # A switch restarts a unit if its text changes, so the text changes with the content of the image. It does not
        # change with the version of hocker.
        Unit.X-HockerImage = image.content;
      };
    };

  # The images, by the units of the containers that run them.
  imageOfUnit = lib.mapAttrs' (name: lib.nameValuePair (unitOf name containers.${name})) (
    containerImage.ofContainers containers
  );
  unitOf =
    name: container: "${container.extraConfig.Container.ServiceName or "podman-${name}"}.service";
in
{
  options.services.podman.containers = mkOption {
    type = types.attrsOf (
      types.submodule [
        hockerImage
        neverPull
      ]
    );
  };

  options.services.hocker = {
    containerUnits = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      internal = true;
      default = lib.mapAttrsToList unitOf containers;
      description = "The units of all containers.";
    };
    usedImages = mkOption {
      type = types.listOf types.raw;
      readOnly = true;
      internal = true;
      default = containerImage.used containers;
      description = "The images that containers run.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = import ./container-assertions.nix {
      inherit
        config
        lib
        containerImage
        ;
    };

    # A file of its own, because `extraConfig` may define the same keys.
    xdg.configFile = lib.mapAttrs' (
      unit: image:
      lib.nameValuePair "systemd/user/${unit}.d/hocker.conf" {
        text = ''
          [Unit]
          Requires=${image.unit}
          After=${image.unit}
        '';
      }
    ) imageOfUnit;
  };
}
