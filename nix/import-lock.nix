/**
  Returns the images of a lock file of `hocker lock`: an attribute set with one `fetchdocker` result for each image,
  evaluated lazily. Evaluation reads only the lock file: text in it never becomes a path.

  A layer that several images share is one derivation, with all locations in the file that have it.

  # Inputs

  `lockFile`
  : the lock file

  `platform`
  : the platform to select of each image. The default is the platform of `targetSystem`.

  `mirrors`
  : URLs of registries that hocker tries first for layers and configs. They need no trust, because hashes verify the
    content.

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
  readIndex,
  fetchdockerWith,
  blobDerivation,
}:
{
  lockFile,
  platform ? platformOf system,
  mirrors ? [ ],
}:
let
  inherit (builtins) catAttrs;
  checkParts = import ./arguments/parts.nix;

  lock = builtins.fromJSON (builtins.unsafeDiscardStringContext (builtins.readFile lockFile));

  # The versions of the format that this function reads.
  known = [
    1
    2
    3
  ];

  printable = import ./printable.nix;
  fail = reason: throw "importLock: ${reason}";
  file = builtins.baseNameOf (toString lockFile);
  # An image, for error messages.
  ofImage = name: "`${printable name}` in ${file}";

  # Reads the entry of an image.
  read =
    name: locked:
    let
      registry = locked.registry or null;
      reference =
        if registry != null then
          withoutDefaults name registry locked.reference
        else
          # Its digest is not used: it may be the digest of an index, which locks of version 1 do not have.
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
      location = checkParts "importLock" {
        endpoint = where.registry;
        path = reference.repository;
        tag = null;
      };
      place = {
        name = "${where.registry} ${where.repository}/${where.imageName}";
        value = {
          registry = location.endpoint;
          repository = location.path;
        };
      };
      isPlainHttp = import ./is-plain-http.nix where.registry;
      onPlatform =
        platform: one:
        let
          context = "importLock: the manifest of ${ofImage name} for ${printable platform}";
          parsed = readManifest context one.manifest;
          # These are from the entry. A manifest is parsed only when its image, or an image that shares a blob, is needed.
          blobs = [ one.config ] ++ one.layers;
          described = [ parsed.config ] ++ parsed.layers;
          agrees =
            catAttrs "digest" blobs == map (blob: "sha256:${blob.sha256}") described
            && catAttrs "size" blobs == catAttrs "size" described;
          manifest =
            if agrees then
              parsed
            else
              throw "${context} has other blobs than the `config` and `layers` beside it";
        in
        {
          inherit
            place
            isPlainHttp
            manifest
            blobs
            ;
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
      # Locks of version 1 have no text of an index.
      index =
        if locked.indexText or null == null then
          null
        else
          let
            context = "importLock: the index of ${ofImage name}";
            parsed = readIndex context locked.indexText;
          in
          if parsed.digest == locked.index.digest or null then
            parsed
          else
            throw "${context} has the digest ${parsed.digest}, which is not the one in its `index`";
      platforms = builtins.mapAttrs onPlatform locked.platforms;
    };
  images = builtins.mapAttrs read lock.images;

  fetchdocker = fetchdockerWith (
    # Other platforms are included: the same Nix may build them.
    import ./locked-blobs.nix { inherit blobDerivation mirrors; } (
      builtins.concatMap (image: builtins.attrValues image.platforms) (builtins.attrValues images)
    )
    // {
      readManifest = manifest: manifest;
      readIndex = index: index;
    }
  );

  image =
    name:
    {
      tag,
      where,
      index,
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
          imageIndex = index;
        }
      );

  # With a `registry`, the text after the name of the registry is the full name of the repository. Nothing adds Docker
  # Hub's `library/` there.
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
  fail "${file} has the unknown version ${printable (builtins.toJSON lock.version)}; this hocker reads versions ${builtins.concatStringsSep ", " (map toString known)}"
else
  builtins.mapAttrs image images
