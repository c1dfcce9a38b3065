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

  # The images that containers can run: one backend runs all containers.
  available = lib.filterAttrs (_: image: image.backend == ociContainers.backend) cfg.images;

  # The images, by each of their names.
  byName = lib.foldl' (
    found: image:
    let
      names = map canonicalName image.names ++ image.canonicalDigests;
    in
    lib.genAttrs (lib.filter (text: text != null) names) (_: image) // found
  ) { } (lib.attrValues available);

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
          one of the names of that image, or names it by its digest. (Docker's own image store does not keep the digests
          of loaded images, so a digest needs another image store.)
        '';
      };

      config = {
        image = lib.mkIf (named != null && named.names != [ ]) (lib.mkDefault (lib.head named.names));
      }
      # Older releases of NixOS do not have the option `pull`.
      // (
        if options ? pull then
          { pull = lib.mkIf (image != null) (lib.mkDefault "never"); }
        else
          { extraOptions = lib.mkIf (image != null) [ "--pull=never" ]; }
      );
    };

  served = lib.filterAttrs (_: container: imageOf container != null) ociContainers.containers;
in
{
  options.virtualisation.oci-containers.containers = mkOption {
    type = types.attrsOf (types.submodule containerModule);
  };

  config = lib.mkIf cfg.enable {
    assertions = import ./container-assertions.nix {
      inherit
        config
        lib
        available
        imageOf
        ;
    };

    systemd.services = lib.mapAttrs' (
      name: container:
      let
        image = imageOf container;
      in
      lib.nameValuePair (container.serviceName or "${ociContainers.backend}-${name}") {
        requires = [ image.unit ];
        after = [ image.unit ];
        restartTriggers = [ image.trigger ];
      }
    ) served;
  };
}
