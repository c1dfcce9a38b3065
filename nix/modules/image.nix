/**
  One image of `services.hocker.images`: where it comes from, where it goes, and what it is called there.
*/
{ lib, defaultBackend }:
{ name, config, ... }:
let
  inherit (lib) literalExpression mkOption types;
  canonicalName = import ./canonical-name.nix;

  isFetched = import ./is-fetched.nix lib config.image;
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
        What `fetchdocker` made, or the path of another OCI image layout with one image in it.
      '';
    };

    backend = mkOption {
      type = types.enum [
        "docker"
        "podman"
      ];
      default = defaultBackend;
      defaultText = literalExpression "config.virtualisation.oci-containers.backend";
      description = "The daemon that the image is loaded into.";
    };

    tags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "registry.example/web:stable" ];
      description = ''
        Further names for the image. An image that `fetchdocker` did not make, or that it knows by a digest alone,
        has no other.
      '';
    };

    platform = mkOption {
      type = types.nullOr (types.strMatching "[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?");
      default = null;
      example = "linux/arm64";
      description = ''
        The image's platform, where it is not the daemon's own. Such an image is loaded only if this asks for it.
      '';
    };

    names = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      description = "The tags that the image gets: its own, and {option}`services.hocker.images.<name>.tags`.";
    };

    unit = mkOption {
      type = types.str;
      readOnly = true;
      description = "The unit that loads the image, for other units that need it.";
    };

    path = mkOption {
      type = types.str;
      readOnly = true;
      internal = true;
      description = "The store path that is loaded.";
    };

    canonicalDigest = mkOption {
      type = types.nullOr types.str;
      readOnly = true;
      internal = true;
      description = "The name with the registry's digest, as a daemon means it.";
    };
  };

  config = {
    names = lib.unique (lib.optionals isFetched config.image.imageSpec.repoTags ++ config.tags);
    unit = "hocker-load-${name}.service";
    path = import ../package-path.nix config.image;
    canonicalDigest =
      if isFetched && config.image.manifestDigest != null then
        canonicalName "${config.image.imageName}@${config.image.manifestDigest}"
      else
        null;
  };
}
