/**
  The fetchers of layers and configurations for images that may share some. There is one derivation for each digest,
  the same whichever image asks for it, and it names every place where one of the images has that blob: of several
  derivations with one output path, Nix builds one and hardly notices when it is done.

  # Inputs

  `fetchers`
  : `fetchDockerLayer` and `fetchDockerConfig`

  `shared`
  : what all calls of them have in common

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
      # Sorted by what they are: registries stand together, and it does not matter what the images are called.
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
      # The digest says what the content is, so one of two sizes is a lie.
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
