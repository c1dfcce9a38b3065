/**
  Containers of `virtualisation.oci-containers` that run a declared image. Their units start after the image is loaded,
  restart when it changes, and ask no registry.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  ociContainers = config.virtualisation.oci-containers;
  canonicalName = import ./canonical-name.nix;

  # A definition with this priority is weaker than one with `mkDefault`, and stronger than the default of the option.
  weak = 1100;

  # The images that containers can run: one backend runs all containers.
  available = lib.filterAttrs (_: image: image.backend == ociContainers.backend) cfg.images;

  byName = import ./by-name.nix { inherit lib; } available;

  # The declared image that a container names with `hockerImage`, or null.
  namedImage =
    container:
    if cfg.enable && container.hockerImage != null then
      available.${container.hockerImage} or null
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
    { config, options, ... }:
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
          one of the names of that image, or names it by its digest. Podman finds a loaded image by the registry's digest of
          its manifest or index. Docker finds it only with containerd's image store, and only by the digest of its manifest;
          see {option}`services.hocker.docker.keepsDigests`.
        '';
      };

      config = {
        image = lib.mkIf (named != null && named.names != [ ]) (lib.mkOverride weak (lib.head named.names));
      }
      # Older releases of NixOS do not have the option `pull`.
      // (
        if options ? pull then
          { pull = lib.mkIf (image != null) (lib.mkOverride weak "never"); }
        else
          { extraOptions = lib.mkIf (image != null) [ "--pull=never" ]; }
      );
    };

  # The images, by the names of the services of the containers that run them.
  imageOfService = lib.mapAttrs' (
    name: container:
    lib.nameValuePair (container.serviceName or "${ociContainers.backend}-${name}") (imageOf container)
  ) (lib.filterAttrs (_: container: imageOf container != null) ociContainers.containers);
  usedUnits = lib.mapAttrsToList (_: image: image.unit) imageOfService;

  # A container without `imageFile` and `imageStream` waits for the network, to fetch its image. One with a declared image
  # needs no network. This removes only that dependency: if your configuration adds the same one, it stays.
  serviceModule =
    { name, ... }:
    let
      apply = units: if imageOfService ? ${name} then withoutOne "network-online.target" units else units;
    in
    {
      options = {
        wants = mkOption { inherit apply; };
        after = mkOption { inherit apply; };
      };
    };
  withoutOne =
    unit: units:
    let
      found = lib.partition (one: one == unit) units;
    in
    found.wrong ++ lib.drop 1 found.right;
in
{
  options.virtualisation.oci-containers.containers = mkOption {
    type = types.attrsOf (types.submodule containerModule);
  };

  options.systemd.services = mkOption {
    type = types.attrsOf (types.submodule serviceModule);
  };

  config = lib.mkIf cfg.enable {
    assertions = import ./container-assertions.nix {
      inherit
        config
        lib
        available
        byName
        imageOf
        ;
    };

    systemd.services = lib.mkMerge [
      (lib.mapAttrs (_: image: {
        requires = [ image.unit ];
        after = [ image.unit ];
        # Not the path of the image, which changes with the version of hocker.
        restartTriggers = [ image.content ];
        # NixOS restarts such a unit after `hocker.service` loaded its new image, and does not stop it before.
        stopIfChanged = lib.mkOverride weak false;
      }) imageOfService)
      (lib.mkIf (imageOfService != { }) {
        hocker = import ./preload.nix {
          inherit lib;
          images = lib.filter (image: lib.elem image.unit usedUnits) (lib.attrValues available);
        };
      })
    ];
  };
}
