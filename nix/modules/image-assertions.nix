/**
  Assertions about declared images. Each message contains a remedy.
*/
{ config, lib }:
let
  cfg = config.services.hocker;
  canonicalName = import ./canonical-name.nix;
  isFetched = import ./is-fetched.nix lib;
  isInStore = import ./is-in-store.nix;
  localDaemons = import ./local-daemons.nix;

  isTag = text: canonicalName text != null && !lib.hasInfix "@" text;
  quoted = lib.concatMapStringsSep ", " (text: "`${text}`");

  ofImage =
    name: image:
    let
      option = "services.hocker.images.${name}";
      local = localDaemons.${image.backend};
      misspelt = lib.filter (tag: !isTag tag) image.tags;
    in
    [
      {
        assertion = builtins.match "[a-zA-Z0-9:_.-]+" name != null;
        message = "${option}: the name is part of the name of a unit, and may contain only letters, digits and `:_.-`. Rename it. (The names of the image in ${image.backend} are from fetchdocker and from `tags`.)";
      }
      {
        assertion = lib.isDerivation image.image -> isFetched image.image;
        message = "${option}.image: `${image.image.name or ""}` is not a result of fetchdocker. Use `config.services.hocker.functions.fetchdocker { image = …; imageManifest = …; }`, or give the path of another OCI image layout as a string, \"\${…}\".";
      }
      {
        assertion = isInStore image.image;
        message = "${option}.image: ${toString image.image} is not in the store, so a change of it would have no effect on the system. Write the path without quotes, which copies it into the store, or use fetchdocker.";
      }
      {
        assertion = misspelt == [ ];
        message = "${option}.tags: ${quoted misspelt} cannot be the name of an image. Write names like debian:12 or ghcr.io/a/b:1.";
      }
      {
        assertion = cfg.${image.backend}.host == local.host -> local.isEnabled config.virtualisation;
        message = "${option} is for ${image.backend}, which this machine does not run: ${local.remedy}, choose another `${option}.backend`, or set `services.hocker.${image.backend}.host` to the address of the daemon.";
      }
    ];

  # The tags that several images of one backend have, with these images.
  clashes =
    let
      wanted = lib.concatLists (
        lib.mapAttrsToList (
          name: image:
          map (tag: {
            inherit name tag;
            inherit (image) backend;
          }) (lib.unique (lib.filter (tag: tag != null) (map canonicalName image.names)))
        ) cfg.images
      );
      byTag = lib.groupBy (entry: "${entry.backend} ${entry.tag}") wanted;
    in
    lib.filter (entries: lib.length entries > 1) (lib.attrValues byTag);
in
lib.concatLists (lib.mapAttrsToList ofImage cfg.images)
++ map (entries: {
  assertion = false;
  message =
    let
      first = lib.head entries;
    in
    "services.hocker.images: ${
      quoted (map (entry: entry.name) entries)
    } all have the tag ${first.tag} in ${first.backend}, where only the image that is loaded last would keep it. Declare the image once, or give the images different tags.";
}) clashes
