/**
  The images of a lock file that `hocker lock` keeps: an attribute set with one `fetchdocker` result for each, made
  when it is asked for. Evaluation reads the file and nothing else: what is in it is text, whatever it looks like.

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
  registryName,
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

  printable = import ./printable.nix;
  fail = reason: throw "importLock: ${reason}";
  file = builtins.baseNameOf (toString lockFile);
  # Of an image, for messages.
  ofImage = name: "`${printable name}` in ${file}";

  # What the file says of an image.
  read =
    name: locked:
    let
      registry = locked.registry or null;
      reference =
        if registry != null then
          withoutDefaults name registry locked.reference
        else
          # Not by its digest: that may be the index's, of which Nix knows nothing.
          parseReference locked.reference;
      split = builtins.match "(.*)/([^/]*)" reference.repository;
      where = {
        registry =
          if registry != null then
            registry
          else if reference.registry == "docker.io" then
            "https://registry-1.docker.io/v2/"
          else
            reference.registry;
        repository = if split == null then "" else builtins.elemAt split 0;
        imageName = if split == null then reference.repository else builtins.elemAt split 1;
      };
      onPlatform =
        platform: one:
        let
          context = "importLock: the manifest of ${ofImage name} for ${printable platform}";
          parsed = readManifest context one.manifest;
          # From the lock itself: a manifest is read when its image is asked for, or one that shares something with it.
          blobs = map (descriptor: { inherit (descriptor) digest size; }) ([ one.config ] ++ one.layers);
          described = map (blob: {
            digest = "sha256:${blob.sha256}";
            inherit (blob) size;
          }) ([ parsed.config ] ++ parsed.layers);
          manifest =
            if blobs == described then
              parsed
            else
              throw "${context} has other blobs than the `config` and `layers` beside it";
        in
        {
          inherit where manifest blobs;
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
      fail "${ofImage name} is locked for ${printable (builtins.concatStringsSep ", " offered)}, but not for ${platform}; add it with `hocker lock add --platform ${platform} …`"
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
    name: registry: reference:
    let
      prefix = "${registryName registry}/";
      length = builtins.stringLength prefix;
      path = builtins.substring length (-1) reference;
    in
    if builtins.substring 0 length reference == prefix then
      parseReference "registry.invalid/${path}"
    else
      fail "the `registry` of ${ofImage name} is not the one in its `reference`";
in
if !(lock ? version && builtins.isAttrs (lock.images or null)) then
  fail "${file} is not a lock file; create one with `hocker lock add IMAGE`"
else if !(builtins.isInt lock.version && builtins.elem lock.version known) then
  fail "${file} has the unknown version ${printable (builtins.toJSON lock.version)}; this hocker reads version ${toString known}"
else
  builtins.mapAttrs image images
