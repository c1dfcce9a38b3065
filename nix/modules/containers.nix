/**
  Containers of `virtualisation.oci-containers` that run a declared image: their units start after it is
  loaded, restart when it changes, and ask no registry.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  ociContainers = config.virtualisation.oci-containers;
  canonicalName = import ./canonical-name.nix;

  # The images that containers can have: one backend runs all of them.
  available = lib.filterAttrs (_: image: image.backend == ociContainers.backend) cfg.images;

  # By every name that finds an image, the image.
  byName = lib.foldl' (
    found: image:
    let
      names = map canonicalName image.names ++ [ image.canonicalDigest ];
    in
    lib.genAttrs (lib.filter (text: text != null) names) (_: image) // found
  ) { } (lib.attrValues available);

  # The declared image that a container asks for by its name here, or null.
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
      # By the option alone: what follows from it may be the definition of `image`.
      named = namedImage config;
      image = imageOf config;
    in
    {
      options.hockerImage = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "web";
        description = ''
          The image of {option}`services.hocker.images` that the container runs. There is no need to say it where
          `image` is one of that image's names, or names it by its digest (which Docker's own image store cannot: it
          forgets the digests of images that are loaded).
        '';
      };

      config = {
        image = lib.mkIf (named != null && named.names != [ ]) (lib.mkDefault (lib.head named.names));
      }
      # Older releases of NixOS have no option for it.
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
        restartTriggers = [ image.path ];
      }
    ) served;
  };
}
