/**
  Assertions about containers that run a declared image. Each message contains a remedy.
*/
{
  config,
  lib,
  available,
  containerImage,
}:
let
  inherit (containerImage) byName hasName imageOf;
  cfg = config.services.hocker;
  inherit (config.virtualisation.oci-containers) backend containers;
  askingOptions = import ./asking-options.nix { inherit lib; };
  digestAssertions = import ./digest-assertions.nix {
    inherit lib backend byName;
    inherit (cfg.docker) keepsDigests;
  };

  # The user that has the image store, by name or ID.
  owner = cfg.${backend}.user;
  idOf = user: toString (config.users.users.${user}.uid or null);
  isOwner = user: user == owner || (user != "root" && idOf user == owner);

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
      asking = askingOptions (container.extraOptions or [ ]);
    in
    [
      {
        assertion = named != null -> available ? ${named};
        message =
          if cfg.images ? ${toString named} then
            "${option}.hockerImage: the image `${named}` is for ${cfg.images.${named}.backend}, but containers run with ${backend}. Set `services.hocker.images.${named}.backend = \"${backend}\"`."
          else
            "${option}.hockerImage: `services.hocker.images.${toString named}` is not declared${
              lib.optionalString (declared != "") "; for ${backend}, these are: ${declared}"
            }. Declare it, or correct the name.";
      }
      (hasName option container)
    ]
    ++ lib.optionals (image != null) [
      {
        assertion = archive == null;
        message = "${option}: `${toString archive}` loads the image at each start of the container, but ${image.unit} already loads it. Remove `${toString archive}`, or remove the image from `services.hocker.images`.";
      }
      {
        assertion =
          !lib.elem (container.pull or "never") [
            "always"
            "newer"
          ];
        message = "${option}: `pull = \"${toString container.pull or ""}\"` asks a registry, which may send another image than the one that ${image.unit} loads. Remove `pull`.";
      }
      {
        assertion = asking == [ ];
        message = "${option}: `${toString asking}` in `extraOptions` asks a registry, which may send another image than the one that ${image.unit} loads. Remove it.";
      }
      {
        assertion = isOwner user;
        message =
          if user == "root" then
            "${option}: root has a separate image store, but ${image.unit} loads into the store of the user ${owner}. Set `podman.user` to this user, or remove `services.hocker.${backend}.host`."
          else
            "${option}: the user ${user} has a separate image store, but ${image.unit} loads into the store of ${owner}. Remove `podman.user`. Or set `services.hocker.${backend}.host` to the socket of this user, \"unix:///run/user/${
              if idOf user == "" then "<user ID>" else idOf user
            }/podman/podman.sock\". Or set `imageStream` to the `stream` of a fetchdocker result, and remove the image from `services.hocker.images`.";
      }
    ]
    ++ digestAssertions option container image;
in
lib.concatLists (lib.mapAttrsToList ofContainer containers)
