/**
  Containers of home-manager's `services.podman.containers` that run a declared image. Their units start after the image
  is loaded, restart when it changes, and ask no registry.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  inherit (config.services.podman) containers;
  canonicalName = import ../canonical-name.nix;

  # A definition with this priority is weaker than one with `mkDefault`, and stronger than the default of the option.
  weak = 1100;

  byName = import ../by-name.nix { inherit lib; } cfg.images;

  # The declared image that a container names with `hockerImage`, or null.
  namedImage =
    container:
    if cfg.enable && container.hockerImage != null then
      cfg.images.${container.hockerImage} or null
    else
      null;

  # The declared image that a container runs, or null.
  imageOf =
    container:
    if !cfg.enable || container.hockerImage != null then
      namedImage container
    else
      let
        canonical = canonicalName container.image;
      in
      if canonical == null then null else byName.${canonical} or null;

  containerModule =
    { config, ... }:
    let
      # This must not read `image`, because it may define `image`.
      named = namedImage config;
      image = imageOf config;
    in
    {
      options.hockerImage = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "web";
        description = ''
          The image of {option}`services.hocker.images` that the container runs. This option is not needed if `image` is
          one of the names of that image, or names it by the registry's digest of its manifest or index.
        '';
      };

      config = {
        image = lib.mkIf (named != null && named.names != [ ]) (lib.mkOverride weak (lib.head named.names));
        extraConfig = lib.mkIf (image != null) {
          Container.Pull = lib.mkOverride weak "never";
          # A container whose image is loaded does not wait for the network.
          Quadlet.DefaultDependencies = lib.mkOverride weak false;
          # A switch restarts a unit if its text changes, so the text changes with the content of the image. It does not
          # change with the version of hocker.
          Unit.X-HockerImage = image.content;
        };
      };
    };

  # The images, by the units of the containers that run them.
  imageOfUnit = lib.mapAttrs' (
    name: container: lib.nameValuePair (unitOf name container) (imageOf container)
  ) (lib.filterAttrs (_: container: imageOf container != null) containers);
  usedUnits = lib.mapAttrsToList (_: image: image.unit) imageOfUnit;
  unitOf =
    name: container: "${container.extraConfig.Container.ServiceName or "podman-${name}"}.service";
in
{
  options.services.podman.containers = mkOption {
    type = types.attrsOf (types.submodule containerModule);
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
      default = lib.attrValues (lib.filterAttrs (_: image: lib.elem image.unit usedUnits) cfg.images);
      description = "The images that containers run.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = import ./container-assertions.nix {
      inherit
        config
        lib
        byName
        imageOf
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
