/**
  Returns what an image becomes for readers that do not take a directory of links: a program, one file, a file system or a
  systemd unit. Nothing is made unless it is used. `fetchdocker.nix` describes the attributes.

  # Inputs

  `program`, `system`, `preferLocalBuild`
  : of the derivations

  `storeName`
  : the name of the image in the store

  `names`
  : attributes that the program and the files have, too

  `image`
  : the derivation of the image

  # Type

  ```
  imageFiles :: AttrSet -> { stream, archive, plainArchive, rootfs :: Derivation, rootfsWith, serviceUnit :: Function }
  ```
*/
{
  program,
  system,
  preferLocalBuild,
  storeName,
  names,
  image,
}:
let
  # One file for readers that need one. It holds the whole image, so it refers to no other store path.
  archiveOf =
    { plain }:
    derivation (
      {
        name = "${storeName}.tar";
        inherit system preferLocalBuild;
        builder = program;
        args = [ "builder" ];
        __structuredAttrs = true;
        imageArchive = {
          image = "${image}";
          inherit plain;
        };
      }
      // (if import ./can-discard-references.nix then { unsafeDiscardReferences.out = true; } else { })
    )
    // names
    // {
      isExe = false;
    };
in
rec {
  stream = image.stream // names // { isExe = true; };
  archive = archiveOf { plain = false; };
  plainArchive = archiveOf { plain = true; };
  rootfsWith = import ./rootfs.nix {
    inherit
      program
      system
      preferLocalBuild
      storeName
      image
      ;
  };
  rootfs = rootfsWith { };
  serviceUnit = import ./service-unit.nix { inherit program system image; };
}
