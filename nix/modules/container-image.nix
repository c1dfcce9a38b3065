/**
  The declared image that a container runs: the image that its option `hockerImage` names, or else the one that has the
  container's `image` as a name.

  # Type

  ```
  containerImage :: { lib, enable :: Bool, images :: { ${name} :: Image } }
    -> {
      weak :: Int,
      byName :: { ${fullName} :: Image },
      imageOf :: Container -> Image | Null,
      ofContainers :: { ${name} :: Container } -> { ${name} :: Image },
      used :: { ${name} :: Container } -> [ Image ],
      hasName :: String -> Container -> Assertion,
      module :: String -> Module
    }
  ```

  `hasName` is the assertion that a container names no image without a name, for the container's option. `module` makes
  a module for containers from the description of the option `hockerImage`.
*/
{
  lib,
  enable,
  images,
}:
let
  inherit (lib) mkOption types;
  canonicalName = import ./canonical-name.nix;

  # The image that `hockerImage` names, or null. This must not read `image`, because it may define `image`.
  namedImage =
    container:
    if enable && container.hockerImage != null then images.${container.hockerImage} or null else null;
in
rec {
  # A definition with this priority is weaker than one with `mkDefault`, and stronger than the default of the option.
  weak = 1100;

  byName = import ./by-name.nix { inherit lib; } images;

  imageOf =
    container:
    if !enable || container.hockerImage != null then
      namedImage container
    else
      let
        canonical = canonicalName container.image;
      in
      if canonical == null then null else byName.${canonical} or null;

  ofContainers =
    containers: lib.filterAttrs (_: image: image != null) (lib.mapAttrs (_: imageOf) containers);

  used =
    containers:
    let
      units = map (image: image.unit) (lib.attrValues (ofContainers containers));
    in
    lib.filter (image: lib.elem image.unit units) (lib.attrValues images);

  hasName =
    option: container:
    let
      image = namedImage container;
      name = toString container.hockerImage;
    in
    {
      assertion = image == null || image.names != [ ];
      message = "${option}.hockerImage: the image `${name}` has no name, so no container can run it. Set `services.hocker.images.${name}.tags`.";
    };

  module =
    description:
    { config, ... }:
    let
      named = namedImage config;
    in
    {
      options.hockerImage = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "web";
        inherit description;
      };
      config.image = lib.mkIf (named != null && named.names != [ ]) (
        lib.mkOverride weak (lib.head named.names)
      );
    };
}
