/**
  The options of one image of `services.hocker.images`, in NixOS and in home-manager: its source and its names. The
  module that imports this one defines `unit`.
*/
{ lib }:
{ config, ... }:
let
  inherit (lib) literalExpression mkOption types;
  canonicalName = import ./canonical-name.nix;

  isFetched = import ./is-fetched.nix lib config.image;

  # The full names of the image without tags.
  repositories = lib.unique (
    lib.concatMap (
      text:
      let
        matched = builtins.match "(.*):[^:/]+" (toString (canonicalName text));
      in
      lib.optionals (matched != null) matched
    ) ([ config.image.imageName ] ++ config.names)
  );

  # As `daemon::load::find` decides it: hocker loads an image into Docker with its index if the index states the platform
  # of the daemon for it, and if the image is not named by the digest of its manifest. An image with the option `platform`
  # is for another platform.
  isLoadedWithIndex =
    isFetched
    && config.image.indexDigest or null != null
    && config.platform == null
    && !lib.hasSuffix "@${config.image.manifestDigest}" config.image.imageSpec.reference
    && lib.any statesPlatform (builtins.fromJSON config.image.imageSpec.index).manifests;
  statesPlatform = entry: entry.digest == config.image.manifestDigest && entry ? platform;
in
{
  options = {
    image = mkOption {
      type = types.path;
      example = literalExpression ''
        config.services.hocker.functions.fetchdocker {
          image = "nginx:1.27";
          imageManifest = ./nginx.json; # hocker manifest nginx:1.27 > nginx.json
        }
      '';
      description = ''
        The image: a result of `fetchdocker`, or the path of another OCI image layout with one image.
      '';
    };

    tags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "registry.example/web:stable" ];
      description = ''
        Further names for the image. An image that is not from `fetchdocker`, or that has only a digest, has no other
        names.
      '';
    };

    platform = mkOption {
      type = types.nullOr (types.strMatching "[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?");
      default = null;
      example = "linux/arm64";
      description = ''
        The platform of the image, if it is not the platform of the daemon. Without this option, hocker refuses to load an
        image for another platform.
      '';
    };

    names = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      description = "All names of the image: those from `fetchdocker`, and {option}`services.hocker.images.<name>.tags`.";
    };

    unit = mkOption {
      type = types.str;
      readOnly = true;
      description = "The name of the unit that loads the image or mounts its layers, for other units that need the image.";
    };

    path = mkOption {
      type = types.str;
      readOnly = true;
      internal = true;
      description = "The store path of the image.";
    };

    content = mkOption {
      type = types.str;
      readOnly = true;
      description = "A text that changes if the content of the image changes, and only then, for restarts of other units.";
    };

    canonicalDigests = mkOption {
      type = types.attrsOf (types.listOf types.str);
      readOnly = true;
      internal = true;
      description = "The full names of the image with the digest of its `manifest`, and with that of its `index`.";
    };

    foundByDocker = mkOption {
      type = types.enum [
        "manifest"
        "index"
      ];
      readOnly = true;
      internal = true;
      description = "The document by whose digest Docker with containerd's image store finds the loaded image.";
    };
  };

  config = {
    names = lib.unique (lib.optionals isFetched config.image.imageSpec.repoTags ++ config.tags);
    path = import ../package-path.nix config.image;
    # The config contains the digests of all layers. Another hocker changes the store path, but not the config.
    content =
      if isFetched then
        let
          document = config.image.imageSpec.config;
        in
        if document.digest != null then document.digest else document.path
      else
        config.path;
    foundByDocker = if isLoadedWithIndex then "index" else "manifest";
    canonicalDigests = lib.optionalAttrs isFetched (
      lib.mapAttrs
        (
          _: digest: lib.optionals (digest != null) (map (repository: "${repository}@${digest}") repositories)
        )
        {
          manifest = config.image.manifestDigest;
          index = config.image.indexDigest or null;
        }
    );
  };
}
