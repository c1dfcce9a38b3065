/**
  The images of a lock file that `hocker lock` keeps: an attribute set with one `fetchdocker` result for each, made
  when it is asked for. Evaluation reads the file and nothing else.

  A layer that several images have is one derivation, which names every place in the file that has it.

  # Inputs

  `lockFile`
  : the file

  `platform`
  : which of an image's platforms; that of `targetSystem` where nothing is said

  `mirrors`
  : URLs of registries that are asked for layers and configurations first, and need not be trusted

  # Type

  ```
  importLock :: { lockFile :: Path, platform? :: String, mirrors? :: [ String ] } -> { ${name} :: Derivation }
  ```

  # Example

  ```nix
  let
    images = importLock { lockFile = ./docker-images.lock.json; };
  in
  {
    image = images.debian.image; # debian:12
    imageStream = images.debian.stream;
  }
  ```
*/
{
  system,
  platformOf,
  parseReference,
  readManifest,
  fetchdockerWith,
  fetchDockerLayer,
  fetchDockerConfig,
}:
{
  lockFile,
  platform ? platformOf system,
  mirrors ? [ ],
}:
let
  lock = builtins.fromJSON (builtins.unsafeDiscardStringContext (builtins.readFile lockFile));

  # The versions of the format that this can read.
  known = [ 1 ];

  fail = reason: throw "importLock: ${reason}";
  file = builtins.baseNameOf (toString lockFile);

  # What the file says of an image.
  read =
    name: locked:
    let
      reference =
        if locked ? registry then
          withoutDefaults name locked
        else
          # Not by its digest: that may be the index's, of which Nix knows nothing.
          parseReference locked.reference;
      split = builtins.match "(.*)/([^/]*)" reference.repository;
      where = {
        registry =
          locked.registry or (
            if reference.registry == "docker.io" then "https://registry-1.docker.io/v2/" else reference.registry
          );
        repository = if split == null then "" else builtins.elemAt split 0;
        imageName = if split == null then reference.repository else builtins.elemAt split 1;
      };
      onPlatform =
        _: one:
        let
          manifest = readManifest one.manifest;
        in
        {
          inherit where manifest;
          # From the lock itself: a manifest is read when its image is asked for, or one that shares something with it.
          digests = map (descriptor: descriptor.digest) ([ one.config ] ++ one.layers);
          urls = builtins.listToAttrs (
            map (layer: {
              name = "sha256:${layer.sha256}";
              value = layer.urls;
            }) (builtins.filter (layer: layer.urls != [ ]) manifest.layers)
          );
        };
    in
    {
      inherit (reference) tag;
      inherit where;
      platforms = builtins.mapAttrs onPlatform locked.platforms;
    };
  images = builtins.mapAttrs read lock.images;

  fetchdocker = fetchdockerWith (
    # Those of other platforms too: they may be built by the same Nix.
    import ./shared-blobs.nix { inherit fetchDockerLayer fetchDockerConfig; } { inherit mirrors; } (
      builtins.concatMap (image: builtins.attrValues image.platforms) (builtins.attrValues images)
    )
    // {
      readManifest = manifest: manifest;
    }
  );

  image =
    name:
    {
      tag,
      where,
      platforms,
    }:
    let
      offered = builtins.attrNames platforms;
    in
    if !(platforms ? ${platform}) then
      fail "`${name}` in ${file} is not locked for ${platform}, but for ${builtins.concatStringsSep ", " offered}; `hocker lock add --platform ${platform} …` adds it"
    else
      fetchdocker (
        where
        // {
          inherit tag mirrors;
          imageManifest = platforms.${platform}.manifest;
        }
      );

  # With a registry's URL, what follows the registry's name is the repository as it is. Docker Hub's namespace
  # for its own images does not go without saying there.
  withoutDefaults =
    name: locked:
    let
      parts = builtins.match "([^/]+)/(.+)" locked.reference;
      parsed = parseReference "registry.invalid/${builtins.elemAt parts 1}";
    in
    if parts == null then
      fail "`${name}` in ${file} has no registry in its reference `${locked.reference}`"
    else
      parsed;
in
if !(lock ? version && lock ? images) then
  fail "${file} is not a lock file; `hocker lock add IMAGE` makes one"
else if !builtins.elem lock.version known then
  fail "${file} is of version ${toString lock.version}, and this knows ${toString known}"
else
  builtins.mapAttrs image images
