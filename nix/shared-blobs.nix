/**
  Returns fetchers of layers and configs for images that may share some. All images get the same derivation for a digest,
  with the locations of that blob in all images. With several derivations for one output path, Nix would build one of
  them and not notice that the others are done.

  # Inputs

  `fetchers`
  : `fetchDockerLayer` and `fetchDockerConfig`

  `shared`
  : the common arguments of all calls

  `images`
  : the images, as a list

  # Type

  ```
  sharedBlobs :: { fetchDockerLayer, fetchDockerConfig } -> AttrSet -> [ {
    where :: { registry, repository, imageName :: String },
    blobs :: [ { digest :: String, size :: Int } ],
    urls :: { ${digest} :: [ String ] }
  } ] -> { fetchDockerLayer, fetchDockerConfig }
  ```
*/
fetchers: shared: images:
let
  inherit (builtins)
    attrValues
    concatMap
    elem
    foldl'
    groupBy
    head
    length
    listToAttrs
    mapAttrs
    tail
    ;

  unique = foldl' (seen: one: if elem one seen then seen else seen ++ [ one ]) [ ];

  owners = groupBy (owner: owner.digest) (
    concatMap (image: map ({ digest, size }: { inherit digest size image; }) image.blobs) images
  );

  blob =
    digest: owners:
    let
      # The order depends only on the locations, not on the names of the images, and groups them by registry.
      locations = attrValues (
        listToAttrs (
          map (
            { image, ... }:
            {
              name = "${image.where.registry} ${image.where.repository}/${image.where.imageName}";
              value = image.where;
            }
          ) owners
        )
      );
      # The digest identifies the content, so one of two sizes is wrong.
      sizes = unique (map (owner: owner.size) owners);
      arguments =
        shared
        // head locations
        // {
          sha256 = digest;
          size =
            if length sizes == 1 then
              head sizes
            else
              throw "hocker: the images give different sizes for ${digest}: ${builtins.concatStringsSep " and " (map toString sizes)} bytes";
          alternatives = tail locations;
        };
    in
    {
      config = fetchers.fetchDockerConfig arguments;
      layer = fetchers.fetchDockerLayer (
        arguments // { urls = unique (concatMap ({ image, ... }: image.urls.${digest} or [ ]) owners); }
      );
    };
  blobs = mapAttrs blob owners;
in
{
  fetchDockerConfig =
    given: blobs."sha256:${given.sha256}".config or (fetchers.fetchDockerConfig given);
  fetchDockerLayer = given: blobs."sha256:${given.sha256}".layer or (fetchers.fetchDockerLayer given);
}
