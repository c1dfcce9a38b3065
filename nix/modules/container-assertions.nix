/**
  What must hold of containers that run a declared image, each with what to do about it.
*/
{
  config,
  lib,
  available,
  imageOf,
}:
let
  cfg = config.services.hocker;
  inherit (config.virtualisation.oci-containers) backend containers;

  ofContainer =
    name: container:
    let
      option = "virtualisation.oci-containers.containers.${name}";
      image = imageOf container;
      named = container.hockerImage;
      declared = lib.concatStringsSep ", " (lib.attrNames available);
      archive = lib.findFirst (attribute: container.${attribute} or null != null) null [
        "imageStream"
        "imageFile"
      ];
      user = container.podman.user or "root";
    in
    [
      {
        assertion = named != null -> available ? ${named};
        message =
          if cfg.images ? ${toString named} then
            "${option}.hockerImage: `${named}` is for ${cfg.images.${named}.backend}, but containers run with ${backend}. Set `services.hocker.images.${named}.backend = \"${backend}\"`."
          else
            "${option}.hockerImage: there is no `services.hocker.images.${toString named}`${
              lib.optionalString (declared != "") " for ${backend}, but ${declared}"
            }. Declare it, or correct the name.";
      }
      {
        assertion = named != null && image != null -> image.names != [ ];
        message = "${option}.hockerImage: `${toString named}` has no name to run it by. Give it one with `services.hocker.images.${toString named}.tags`.";
      }
    ]
    ++ lib.optionals (image != null) [
      {
        assertion = archive == null;
        message = "${option}: `${toString archive}` loads an image at each start, and ${image.unit} loads the same. Leave out `${toString archive}`, or the image under `services.hocker.images`.";
      }
      {
        assertion =
          !lib.elem (container.pull or "never") [
            "always"
            "newer"
          ];
        message = "${option}: `pull = \"${toString container.pull or ""}\"` asks a registry, which may answer with another image than ${image.unit} loads. Leave out `pull`.";
      }
      {
        assertion = user == "root";
        message = "${option}: ${user} has images of its own, and ${image.unit} loads into those of root. Leave out `podman.user`, or use `imageStream` with the attribute `stream` of what fetchdocker made instead of an image under `services.hocker.images`.";
      }
    ];
in
lib.concatLists (lib.mapAttrsToList ofContainer containers)
