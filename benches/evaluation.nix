/**
  The inputs of `benches/evaluation`: a lock file of many images, and the same number of plain derivations.

  # Type

  ```
  evaluation :: {
    lock :: { images, layers, shared :: Int } -> AttrSet,
    plain :: { hocker, lockFile :: Path } -> [ Derivation ]
  }
  ```
*/
let
  inherit (builtins)
    attrNames
    genList
    hashString
    listToAttrs
    stringLength
    substring
    toJSON
    ;
  hex = hashString "sha256";
  architectures = [
    "amd64"
    "arm64"
  ];

  descriptor = type: name: size: {
    mediaType = "application/vnd.oci.image.${type}";
    digest = "sha256:${hex name}";
    inherit size;
  };

  # One image for one platform. All images have the same lowest `shared` layers, and no other layer twice.
  onPlatform =
    { layers, shared, ... }:
    number: architecture:
    let
      ofImage = "${toString number} ${architecture}";
      blobs = {
        config = descriptor "config.v1+json" "config ${ofImage}" 4096;
        layers = genList (
          layer:
          descriptor "layer.v1.tar+gzip" (
            if layer < shared then
              "base ${toString layer} ${architecture}"
            else
              "layer ${toString layer} ${ofImage}"
          ) (1000000 + layer)
        ) layers;
      };
    in
    blobs
    // {
      created = "2026-01-01T00:00:00Z";
      manifest = toJSON (
        blobs
        // {
          schemaVersion = 2;
          mediaType = "application/vnd.oci.image.manifest.v1+json";
        }
      );
    };

  image =
    arguments: number:
    let
      platforms = listToAttrs (
        map (architecture: {
          name = "linux/${architecture}";
          value = onPlatform arguments number architecture;
        }) architectures
      );
      indexText = toJSON {
        schemaVersion = 2;
        mediaType = "application/vnd.oci.image.index.v1+json";
        manifests = map (
          architecture:
          let
            text = platforms."linux/${architecture}".manifest;
          in
          {
            mediaType = "application/vnd.oci.image.manifest.v1+json";
            digest = "sha256:${hex text}";
            size = stringLength text;
            platform = {
              os = "linux";
              inherit architecture;
            };
          }
        ) architectures;
      };
      name = "app-${toString number}";
    in
    {
      inherit name;
      value = {
        reference = "registry.example/team/${name}:1.0";
        index = {
          mediaType = "application/vnd.oci.image.index.v1+json";
          digest = "sha256:${hex indexText}";
          size = stringLength indexText;
        };
        inherit indexText platforms;
      };
    };

  # A derivation for each blob of a platform, and one that refers to them for each image. Nothing is checked.
  plain =
    { hocker, lockFile }:
    let
      lock = builtins.fromJSON (builtins.readFile lockFile);
      common = {
        system = "x86_64-linux";
        builder = "${hocker}/bin/hocker";
        args = [ "builder" ];
        preferLocalBuild = true;
        __structuredAttrs = true;
      };
      blob =
        kind:
        { digest, size, ... }:
        derivation (
          common
          // {
            name = "docker-${kind}-${substring 7 64 digest}";
            outputHashMode = "flat";
            outputHashAlgo = "sha256";
            outputHash = substring 7 64 digest;
            impureEnvVars = import ../nix/impure-env-vars.nix;
            registry = "registry.example";
            repository = "team/app";
            layerDigest = digest;
            inherit size;
          }
        );
      image =
        name:
        let
          locked = lock.images.${name};
          inherit (locked.platforms."linux/amd64") config layers manifest;
        in
        derivation (
          common
          // {
            inherit name;
            outputs = [
              "out"
              "stream"
            ];
            imageSpec = {
              inherit manifest;
              index = locked.indexText;
              config = "${blob "config" config}";
              layers = map (layer: "${blob "layer" layer}") layers;
            };
          }
        );
    in
    map image (attrNames lock.images);
in
{
  lock =
    { images, ... }@arguments:
    {
      version = 2;
      images = listToAttrs (genList (image arguments) images);
    };
  inherit plain;
}
