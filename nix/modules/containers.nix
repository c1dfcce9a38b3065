/**
  Containers of `virtualisation.oci-containers` that run a declared image. Their units start after the image is loaded,
  restart when it changes, and ask no registry.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  ociContainers = config.virtualisation.oci-containers;

  # The images that containers can run: one backend runs all containers.
  available = lib.filterAttrs (_: image: image.backend == ociContainers.backend) cfg.images;

  containerImage = import ./container-image.nix {
    inherit lib;
    inherit (cfg) enable;
    images = available;
  };
  inherit (containerImage) imageOf weak;

  hockerImage = containerImage.module ''
    The image of {option}`services.hocker.images` that the container runs. This option is not needed if `image` is
    one of the names of that image, or names it by its digest. Podman finds a loaded image by the registry's digest of
    its manifest or index. Docker finds it only with containerd's image store, by the digest of its index if
    `fetchdocker` has `imageIndex`, and otherwise by that of its manifest; see
    {option}`services.hocker.docker.keepsDigests`.
  '';

  neverPull =
    { config, options, ... }:
    let
      image = imageOf config;
    in
    {
      # Older releases of NixOS do not have the option `pull`.
      config =
        if options ? pull then
          { pull = lib.mkIf (image != null) (lib.mkOverride weak "never"); }
        else
          { extraOptions = lib.mkIf (image != null) [ "--pull=never" ]; };
    };

  # The images, by the names of the services of the containers that run them.
  imageOfService = lib.mapAttrs' (name: lib.nameValuePair (serviceOf name)) (
    containerImage.ofContainers ociContainers.containers
  );
  serviceOf =
    name: ociContainers.containers.${name}.serviceName or "${ociContainers.backend}-${name}";

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
    type = types.attrsOf (
      types.submodule [
        hockerImage
        neverPull
      ]
    );
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
        containerImage
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
          images = containerImage.used ociContainers.containers;
        };
      })
    ];
  };
}
