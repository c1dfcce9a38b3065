/**
  Makes an image from layers, each of which is a separate store path. The result is a directory with `oci/`, an OCI image
  layout of links to the layers, and `compositeImage.sh`, which writes the image to standard output for `docker load`.

  # Inputs

  `image`
  : a reference as `docker pull` takes it. It replaces the next four arguments.

  `registry`, `repository`, `imageName`, `tag`
  : the parts of the reference, as in classic expressions. The default tag is `latest`. With the tag `null`, or with an
    `image` that has only a digest, the image has no tag, and its digest names it.

  `imageManifest`
  : the text of the manifest, or a file with it, byte for byte as in the registry. It keeps the registry's digest, and
    makes the next two arguments unnecessary.

  `imageIndex`
  : the text of the index that names the manifest, or a file with it, byte for byte as in the registry. With it, `image`
    may have the digest of the index, which is the digest that `docker pull` prints for an image of several platforms.

  `imageConfig`, `imageLayers`
  : the config and the layers: results of `fetchDockerConfig` and `fetchDockerLayer`, or files

  `mirrors`
  : URLs of registries that hocker tries first for layers and configs. They need no trust, because hashes verify the
    content.

  `name`
  : the name of the result in the store. The default is the name of the image.

  `preferLocalBuild`, `meta`, `passthru`
  : as in the fetchers of nixpkgs

  # Output

  A derivation with these further attributes:

  `image`, `imageName`, `imageTag`
  : the name of the loaded image, the name without the tag, and the tag. Without a tag, the name ends in the digest. Then
    only podman, Docker with containerd's image store and `hocker serve` find the image by its name, because they keep
    digests. Docker's own store finds it only by its image ID.

  `registry`, `repository`, `tag`
  : the parts of the reference, as in classic results

  `manifestDigest`
  : the registry's digest of the manifest, or null without `imageManifest`

  `indexDigest`
  : the registry's digest of the index, or null without `imageIndex`

  `stream`
  : the second output: a store path that is a `compositeImage.sh`. It can take the place of a result of
    `streamLayeredImage` of nixpkgs' `dockerTools`.

  `archive`, `plainArchive`
  : the image as one `.tar` file, made only if it is used. `archive` contains the blobs of the registry, unchanged.
    `plainArchive` contains decompressed layers, for readers that take the hash of a layer's file for its diff ID, such
    as `fromImage` of nixpkgs' `dockerTools`.

  `isExe`
  : whether the store path is a program that writes the image: true for `stream`, false for the others. `stream`,
    `archive` and `plainArchive` have `isExe`, `image`, `imageName` and `imageTag`, too.

  `erofs`
  : the layers as EROFS file system images, one derivation for each layer, lowest layer first. Linux mounts them. None is
    made unless it is used.

  `podmanStore`
  : a small directory from which podman runs the image without loading it, while the file system images of the layers are
    mounted. Its attribute `mounts` lists what to mount where. `services.hocker.images.<name>.mode = "store"` does so.

  `podmanStoreWith`
  : a function from `{ tags }`, a list of further names, to such a directory

  `rootfs`, `rootfsWith`
  : all layers as one EROFS file system, made only if it is used, for `RootImage=` of a systemd service,
    `systemd-nspawn --image` and virtual machines. `rootfsWith { mountPoints, directories, files }` chooses the mount
    points; see `rootfs.nix`.

  `serviceUnit`
  : a function that makes the systemd unit that the image's config means; see `service-unit.nix`. The NixOS module uses it.

  # Example

  ```nix
  fetchdocker {
    image = "debian:12";
    imageManifest = ./debian.json; # hocker manifest debian:12 > debian.json
  }
  ```
*/
{
  program,
  interpreter,
  system,
  decodeHash,
  parseReference,
  registryName,
  readManifest,
  readIndex,
  fetchDockerLayer,
  fetchDockerConfig,
  # Makes the derivation of the image from its attributes, as `mk-derivation.nix` does.
  mkDerivation ? import ./mk-derivation.nix,
  # A function from the given arguments and the result to the result. It refuses unknown arguments.
  checkArguments ? _given: result: result,
}:
{
  name ? null,
  image ? null,
  registry ? null,
  repository ? null,
  imageName ? null,
  tag ? "latest",
  imageManifest ? null,
  imageIndex ? null,
  imageConfig ? null,
  imageLayers ? null,
  mirrors ? [ ],
  preferLocalBuild ? true,
  meta ? { },
  passthru ? { },
  ...
}@given:
let
  inherit (builtins)
    elemAt
    genList
    head
    length
    match
    ;

  checkParts = import ./arguments/parts.nix;
  fail = reason: throw "fetchdocker: ${reason}";

  # Classic expressions have config, layers and parts of the reference. There, `image` is only an attribute of the result.
  isClassic =
    imageName != null && imageConfig != null && imageLayers != null && imageManifest == null;

  # The location of the image, from `image` or from its parts.
  location =
    if image == null || isClassic then
      if imageName == null then
        fail "give `image`, or `imageName` with `registry`, `repository` and `tag`"
      else
        checkParts "fetchdocker" {
          endpoint = if registry == null then "https://registry-1.docker.io/v2/" else registry;
          path =
            if repository == null then
              "library/${imageName}"
            else if repository == "" then
              imageName
            else
              "${repository}/${imageName}";
          inherit tag;
          digest = null;
        }
    else if registry != null || repository != null || imageName != null || given ? tag then
      fail "leave out `registry`, `repository`, `imageName` and `tag`, which `image` contains"
    else
      let
        reference = parseReference image;
      in
      {
        endpoint =
          if reference.registry == "docker.io" then
            "https://registry-1.docker.io/v2/"
          else
            reference.registry;
        path = reference.repository;
        tag = if reference.tag == null && reference.digest == null then "latest" else reference.tag;
        inherit (reference) digest;
      };

  # The arguments of the fetchers, which take the path in two parts.
  split = match "(.*)/([^/]*)" location.path;
  where = {
    registry = location.endpoint;
    repository = if split == null then "" else elemAt split 0;
    imageName = if split == null then location.path else elemAt split 1;
    inherit mirrors preferLocalBuild;
  };

  # Docker prints short names for images of Docker Hub.
  registry' = registryName location.endpoint;
  fullName = "${registry'}/${location.path}";
  short = match "library/([^/]+)" location.path;
  # A name that looks like an image ID, or begins with the name of a registry, has no short form.
  isId = match "[0-9a-f]{64}" (head short) != null;
  namesRegistry = match "(localhost|[^/]*[.].*)/.*" location.path != null;
  familiarName =
    if registry' != "docker.io" || namesRegistry then
      fullName
    else if short != null && !isId then
      head short
    else
      location.path;
  # The digest that names the image: that of the index, unless `image` has that of the manifest.
  suffix =
    if location.tag != null then
      ":${location.tag}"
    else if manifest != null && index != null && location.digest != manifest.digest then
      "@${index.digest}"
    else if manifest != null then
      "@${manifest.digest}"
    else
      fail "an image without a tag needs `imageManifest`, whose digest names the image";
  familiar = "${familiarName}${suffix}";
  # The name that the classic compositeImage.sh gave the image, and that old units still run.
  withoutScheme = match "[a-z]+://(.*)" location.endpoint;
  classicBase = if withoutScheme == null then location.endpoint else head withoutScheme;
  classicSlash = if match ".*/" classicBase == null then "/" else "";
  classic = "${classicBase}${classicSlash}${location.path}${suffix}";
  repoTags =
    if location.tag == null then
      # Not `latest`, which may be another image.
      [ ]
    else if manifest == null && classic != familiar then
      [
        familiar
        classic
      ]
    else
      [ familiar ];

  manifest = if imageManifest == null then null else readManifest imageManifest;
  index =
    if imageIndex == null then
      null
    else if manifest == null then
      fail "`imageIndex` needs `imageManifest`"
    else
      let
        read = readIndex imageIndex;
      in
      if builtins.elem manifest.digest read.manifests then
        read
      else
        fail "`imageIndex` does not name ${manifest.digest}, which is the digest of `imageManifest`";
  digestAgrees =
    location.digest == null
    || (
      if manifest == null then
        fail "an `image` with a digest needs `imageManifest`"
      else if location.digest == manifest.digest then
        true
      else if index != null && location.digest == index.digest then
        true
      else if index != null then
        fail "`image` has the digest ${location.digest}, but `imageIndex` has ${index.digest} and `imageManifest` has ${manifest.digest}"
      else
        fail "`image` has the digest ${location.digest}, but `imageManifest` has ${manifest.digest}"
    );

  # The digest in hex if Nix verifies it, else null: then the builder hashes the file.
  knownHex =
    what: file:
    if
      builtins.isAttrs file
      && file ? outputHash
      && file.outputHashMode or "flat" == "flat"
      && builtins.elem (file.outputHashAlgo or null) [
        "sha256"
        null
      ]
    then
      decodeHash "fetchdocker: ${what}" file.outputHash
    else
      null;
  # A file in the form that the builder reads. Its digest is compared with the manifest.
  blob =
    what: expected: file:
    let
      hex = knownHex what file;
    in
    if expected != null && hex != null && hex != expected then
      fail "${what} is sha256:${hex}, but `imageManifest` has sha256:${expected}"
    else
      {
        path = "${file}";
        digest = hex;
      };
  # A file of a fetcher, which has the digest that the manifest names.
  fetched = digest: file: {
    path = "${file}";
    inherit digest;
  };

  config =
    if imageConfig != null then
      blob "`imageConfig`" (if manifest == null then null else manifest.config.sha256) imageConfig
    else if manifest != null then
      fetched manifest.config.sha256 (fetchDockerConfig (where // manifest.config))
    else
      fail "give `imageManifest`, or both `imageConfig` and `imageLayers`";
  layers =
    if imageLayers != null && manifest != null && length imageLayers != length manifest.layers then
      fail "`imageLayers` has ${toString (length imageLayers)} layers, but `imageManifest` has ${toString (length manifest.layers)}"
    else if imageLayers != null then
      genList (
        index:
        blob "layer ${toString index} of `imageLayers`" (
          if manifest == null then null else (elemAt manifest.layers index).sha256
        ) (elemAt imageLayers index)
      ) (length imageLayers)
    else if manifest != null then
      map (layer: fetched layer.sha256 (fetchDockerLayer (where // layer))) manifest.layers
    else
      fail "give `imageManifest`, or both `imageConfig` and `imageLayers`";

  # Names in the store allow fewer characters than names of images, and have a maximum length.
  storeName = import ./store-name.nix (if name == null then where.imageName else name);

  imageSpec = {
    inherit
      interpreter
      repoTags
      config
      layers
      ;
    reference = "${fullName}${suffix}";
    inherit (location) tag;
    manifest = if manifest == null then null else manifest.text;
  }
  # Derivations without an index stay as they were.
  // (if index == null then { } else { index = index.text; });

  erofsLayer = import ./erofs-layer.nix { inherit program system; };
  podmanStoreWith =
    {
      tags ? [ ],
    }:
    import ./podman-store.nix { inherit system program erofsLayer; } { inherit imageSpec tags; };

  # Arion and others read these of results of `streamLayeredImage` and `buildImage`.
  names = {
    image = familiar;
    imageName = familiarName;
    imageTag = location.tag;
  };
in
checkArguments given (
  assert digestAgrees;
  mkDerivation (result: {
    name = storeName;
    inherit system preferLocalBuild meta;
    builder = program;
    args = [ "builder" ];
    outputs = [
      "out"
      "stream"
    ];
    __structuredAttrs = true;
    inherit imageSpec;

    passthru =
      names
      // import ./image-files.nix {
        inherit
          program
          system
          preferLocalBuild
          storeName
          names
          ;
        image = result;
      }
      // {
        image = if isClassic && image != null then image else familiar;
        isExe = false;
        # Classic results have these attributes, too.
        inherit (where) repository;
        inherit (location) tag;
        registry = location.endpoint;
        manifestDigest = if manifest == null then null else manifest.digest;
        indexDigest = if index == null then null else index.digest;
        erofs = map (layer: erofsLayer layer.path) layers;
        podmanStore = podmanStoreWith { };
        inherit podmanStoreWith;
      }
      // passthru;
  })
)
