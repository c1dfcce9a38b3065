/**
  Assertions about containers that run a declared image. Each message contains a remedy.
*/
{
  config,
  lib,
  containerImage,
}:
let
  inherit (containerImage) byName hasName imageOf;
  cfg = config.services.hocker;
  askingOptions = import ../asking-options.nix { inherit lib; };
  digestAssertions = import ../digest-assertions.nix {
    inherit lib byName;
    backend = "podman";
  };

  ofContainer =
    name: container:
    let
      option = "services.podman.containers.${name}";
      image = imageOf container;
      named = container.hockerImage;
      declared = lib.concatStringsSep ", " (lib.attrNames cfg.images);
      policy = container.extraConfig.Container.Pull or "never";
      asking =
        askingOptions (container.extraPodmanArgs or [ ])
        ++ lib.optional (lib.elem policy [
          "always"
          "newer"
        ]) "Pull=${toString policy}"
        ++ lib.optional (container.autoUpdate or null == "registry") "autoUpdate = \"registry\"";
    in
    [
      {
        assertion = named != null -> cfg.images ? ${named};
        message = "${option}.hockerImage: `services.hocker.images.${toString named}` is not declared${
          lib.optionalString (declared != "") "; these are: ${declared}"
        }. Declare it, or correct the name.";
      }
      (hasName option container)
    ]
    ++ lib.optional (image != null) {
      assertion = asking == [ ];
      message = "${option}: `${lib.concatStringsSep "`, `" asking}` asks a registry, which may send another image than the one that ${image.unit} loads. Remove it.";
    }
    ++ digestAssertions option container image;
in
lib.concatLists (lib.mapAttrsToList ofContainer config.services.podman.containers)
