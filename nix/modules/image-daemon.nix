/**
  The further options of one image of `services.hocker.images` in NixOS: its daemon, and how the daemon gets the image.
*/
{ lib, defaultBackend }:
{ name, config, ... }:
let
  inherit (lib) literalExpression mkOption types;
  isFetched = import ./is-fetched.nix lib config.image;
  isStore = config.mode == "store";
in
{
  options = {
    mode = mkOption {
      type = types.enum [
        "load"
        "store"
      ];
      default = "load";
      description = ''
        How the daemon gets the image. With `load`, it is copied into the daemon's image store after the daemon starts. With
        `store`, Podman runs it from the Nix store: its layers are mounted, and nothing is loaded or copied. Only images from
        `fetchdocker` have this mode, and only for the Podman of root.
      '';
    };

    backend = mkOption {
      type = types.enum [
        "containerd"
        "docker"
        "podman"
      ];
      default = defaultBackend;
      defaultText = literalExpression "config.virtualisation.oci-containers.backend";
      description = "The daemon that the image is loaded into.";
    };

    store = mkOption {
      type = types.nullOr types.raw;
      readOnly = true;
      internal = true;
      description = "The store from which Podman runs the image, or null for an image that it cannot run so.";
    };
  };

  config = {
    unit = if isStore then "hocker-store-${name}.target" else "hocker-load-${name}.service";
    store =
      if isStore && isFetched && config.image ? podmanStoreWith then
        config.image.podmanStoreWith { inherit (config) tags; }
      else
        null;
  };
}
