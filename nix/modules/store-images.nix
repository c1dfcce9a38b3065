/**
  Declared images with the mode `store`: podman runs them from the Nix store. Units mount the layers, and podman's
  configuration names the directories that describe the images. Nothing is loaded, and nothing is copied.
*/
{ config, lib, ... }:
let
  cfg = config.services.hocker;
  images = lib.filterAttrs (_: image: image.mode == "store") cfg.images;
  # Images that cannot be run from the store have no directory. Their assertions fail.
  stores = lib.filterAttrs (_: store: store != null) (lib.mapAttrs (_: image: image.store) images);

  mountsOf =
    store: lib.listToAttrs (map (mount: lib.nameValuePair (unitOf mount) mount) store.mounts);
  # The paths need no escapes.
  unitOf = mount: "${lib.replaceStrings [ "/" ] [ "-" ] (lib.removePrefix "/" mount.where)}.mount";
  # One unit for each file, even if several images have it.
  mounts = lib.foldl' (all: store: all // mountsOf store) { } (lib.attrValues stores);

  mountUnit =
    { what, where }:
    {
      description = "Layer of container images";
      inherit what where;
      type = "erofs";
      # Without `loop`: mount(8) takes a loop device by itself if the kernel (before 6.12) needs one. Without `nosuid`:
      # images have programs with set-user-ID bits. No user but root reaches them here.
      options = "ro";
      mountConfig = {
        DirectoryMode = "0700";
        # A running container keeps the layers of its overlay, so the unit of a layer can stop at any time.
        LazyUnmount = true;
      };
    };

  target =
    name: store:
    let
      units = lib.attrNames (mountsOf store);
    in
    lib.nameValuePair "hocker-store-${name}" {
      description = "Layers of the image ${name}";
      wantedBy = [ "multi-user.target" ];
      # Not `requires`: if a new configuration has other layers, the end of an old mount would stop this target, and with
      # it containers that run on.
      wants = units;
      after = units;
      # Without this, podman would take the empty directory of a mount that failed for a layer.
      unitConfig.AssertPathIsMountPoint = map (mount: mount.where) store.mounts;
    };
in
{
  config = lib.mkIf cfg.enable {
    assertions = import ./store-assertions.nix { inherit config lib images; };

    systemd.mounts = map mountUnit (lib.attrValues mounts);
    systemd.targets = lib.mapAttrs' target stores;

    # Programs with set-user-ID bits are in these directories.
    systemd.tmpfiles.rules = lib.mkIf (stores != { }) [
      "d /run/hocker 0755 root root -"
      "d /run/hocker/layers 0700 root root -"
    ];

    # For systems that load no module later.
    boot.kernelModules = lib.mkIf (stores != { }) [
      "erofs"
      "loop"
    ];

    virtualisation.containers.storage.settings = lib.mkIf (stores != { }) {
      storage.options.additionalimagestores = lib.unique (
        map (store: "${store}") (lib.attrValues stores)
      );
    };
  };
}
