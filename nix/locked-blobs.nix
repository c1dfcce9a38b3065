/**
  Returns fetchers of layers and configs for the images of a lock file, which may share some. All images get the same
  derivation for a digest, with the locations of that blob in all images. With several derivations for one output path,
  Nix would build one of them and not notice that the others are done.

  Locations and digests are checked once for each image, by the caller, and not once for each blob.

  # Inputs

  `blobDerivation`
  : makes the derivation of a blob from what differs between blobs

  `mirrors`
  : the common mirrors of all blobs

  `images`
  : the images, as a list. `place` is the checked location, in the form that the builder reads, with a `name` that orders
    it. `blobs` are the descriptors of the config and the layers, and `urls` the further URLs of layers.

  # Type

  ```
  lockedBlobs :: { blobDerivation, mirrors :: [ String ] } -> [ {
    place :: { name :: String, value :: { registry, repository :: String } },
    isPlainHttp :: Bool,
    blobs :: [ { digest :: String, size :: Int } ],
    urls :: { ${digest} :: [ String ] }
  } ] -> { fetchDockerConfig, fetchDockerLayer :: { sha256 :: String } -> Derivation }
  ```
*/
{ blobDerivation, mirrors }:
images:
let
  inherit (builtins)
    any
    attrValues
    concatMap
    elem
    foldl'
    groupBy
    head
    length
    listToAttrs
    mapAttrs
    substring
    tail
    ;

  kinds = import ./blob-kinds.nix;
  sources = import ./blob-sources.nix;

  unique = foldl' (seen: one: if elem one seen then seen else seen ++ [ one ]) [ ];

  # A descriptor without a digest is refused when its image is needed.
  owners = groupBy (owner: owner.blob.digest or "") (
    concatMap (image: map (blob: { inherit blob image; }) image.blobs) images
  );

  withMirrors = sources.mirrors mirrors;

  blob =
    digest: owners:
    let
      first = head owners;
      isOne = length owners == 1;
      hex = substring 7 64 digest;
      # The order depends only on the locations, not on the names of the images, and groups them by registry.
      places =
        if isOne then
          [ first.image.place.value ]
        else
          attrValues (listToAttrs (map (owner: owner.image.place) owners));
      others = tail places;
      # The digest identifies the content, so one of two sizes is wrong.
      sizes = if isOne then [ first.blob.size ] else unique (map (owner: owner.blob.size) owners);
      size =
        if length sizes == 1 then
          head sizes
        else
          throw "hocker: the images give different sizes for ${digest}: ${builtins.concatStringsSep " and " (map toString sizes)} bytes";
      urls = unique (concatMap ({ image, ... }: image.urls.${digest} or [ ]) owners);

      # Most images have none of these. An update of an empty set costs nothing.
      further =
        withMirrors
        // (if others == [ ] then { } else { alternatives = others; })
        // (if any (owner: owner.image.isPlainHttp) owners then { registryFrom = "lock file"; } else { });
      inherit (head places) registry repository;
    in
    {
      config = blobDerivation (
        further
        // {
          inherit registry repository;
          preferLocalBuild = true;
          name = kinds.config.nameOf hex;
          size = kinds.config.sizeOf size;
          outputHash = hex;
        }
      );
      layer = blobDerivation (
        further
        // sources.urls urls
        // {
          inherit registry repository;
          preferLocalBuild = true;
          name = kinds.layer.nameOf hex;
          size = kinds.layer.sizeOf size;
          outputHash = hex;
          layerDigest = hex;
        }
      );
    };
  blobs = mapAttrs blob owners;
in
{
  fetchDockerConfig = given: blobs."sha256:${given.sha256}".config;
  fetchDockerLayer = given: blobs."sha256:${given.sha256}".layer;
}
