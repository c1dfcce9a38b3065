/**
  Assertions about declared images, in NixOS and in home-manager. Each message contains a remedy.

  # Inputs

  `daemonOf`
  : a function from an image to the name of its daemon
*/
{
  lib,
  images,
  daemonOf,
}:
let
  canonicalName = import ./canonical-name.nix;
  isFetched = import ./is-fetched.nix lib;
  isInStore = import ./is-in-store.nix;

  isTag = text: canonicalName text != null && !lib.hasInfix "@" text;
  quoted = lib.concatMapStringsSep ", " (text: "`${text}`");

  ofImage =
    name: image:
    let
      option = "services.hocker.images.${name}";
      misspelt = lib.filter (tag: !isTag tag) image.tags;
    in
    [
      {
        assertion = builtins.match "[a-zA-Z0-9:_.-]+" name != null;
        message = "${option}: the name is part of the name of a unit, and may contain only letters, digits and `:_.-`. Rename it. (The names of the image in ${daemonOf image} are from fetchdocker and from `tags`.)";
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
    ];

  # The tags that several images of one daemon have, with these images.
  clashes =
    let
      wanted = lib.concatLists (
        lib.mapAttrsToList (
          name: image:
          map (tag: {
            inherit name tag;
            daemon = daemonOf image;
          }) (lib.unique (lib.filter (tag: tag != null) (map canonicalName image.names)))
        ) images
      );
      byTag = lib.groupBy (entry: "${entry.daemon} ${entry.tag}") wanted;
    in
    lib.filter (entries: lib.length entries > 1) (lib.attrValues byTag);
in
lib.concatLists (lib.mapAttrsToList ofImage images)
++ map (entries: {
  assertion = false;
  message =
    let
      first = lib.head entries;
    in
    "services.hocker.images: ${
      quoted (map (entry: entry.name) entries)
    } all have the tag ${first.tag} in ${first.daemon}, where only the image that is loaded last would keep it. Declare the image once, or give the images different tags.";
}) clashes
