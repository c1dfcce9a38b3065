/**
  Assertions about images with the mode `store`. Each message contains a remedy.
*/
{
  config,
  lib,
  images,
}:
let
  cfg = config.services.hocker;
  local = (import ./local-daemons.nix).podman;
  driver = config.virtualisation.containers.storage.settings.storage.driver or "overlay";

  ofImage =
    name: image:
    let
      option = "services.hocker.images.${name}";
      isPodman = image.backend == "podman";
    in
    [
      {
        assertion = isPodman;
        message = "${option}.mode: only podman runs images from the store, but the image is for ${image.backend}. Set `${option}.backend = \"podman\"`, or remove `mode`.";
      }
      {
        assertion = image.store != null;
        message = "${option}.image: only a result of this hocker's fetchdocker can be run from the store. Use `config.services.hocker.functions.fetchdocker { image = …; imageManifest = …; }`, or remove `${option}.mode`.";
      }
      {
        assertion = isPodman -> cfg.podman.host == local.host;
        message = "${option}.mode: the layers are mounted on this machine, but `services.hocker.podman.host` is ${cfg.podman.host}. Remove `${option}.mode`, or `services.hocker.podman.host`.";
      }
      {
        assertion = isPodman -> driver == "overlay";
        message = "${option}.mode: podman's storage driver is ${driver}, but images are run from the store by overlays. Set `virtualisation.containers.storage.settings.storage.driver = \"overlay\"`, or remove `${option}.mode`.";
      }
    ];
in
lib.concatLists (lib.mapAttrsToList ofImage images)
