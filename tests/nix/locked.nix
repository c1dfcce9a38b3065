# Lock files for the tables: `importLock` of a value in place of a file, and small images.
{
  loadWith,
  manifest,
  repeat,
  ...
}:
let
  lockFile = ./docker-images.lock.json;
in
rec {
  inherit lockFile;

  # `importLock` with this in the file. Evaluation without a store can write none.
  lockText =
    value:
    loadWith
      {
        builtins = builtins // {
          readFile = _: builtins.toJSON value;
        };
      }
      "import-lock.nix"
      {
        system = "x86_64-linux";
        blobDerivation =
          attributes:
          derivation (
            loadWith { } "blob-attributes.nix" {
              program = "/bin/hocker";
              system = "x86_64-linux";
            } attributes
          );
        parseReference = loadWith { } "parse-reference.nix";
        registryName = loadWith { } "registry-name.nix";
        readManifest = loadWith { } "read-manifest.nix";
        readIndex = loadWith { } "read-index.nix";
        platformOf = loadWith { } "platform.nix";
        fetchdockerWith =
          fetchers:
          loadWith { } "fetchdocker.nix" (
            {
              program = "/bin/hocker";
              interpreter = "/bin/hocker";
              system = "x86_64-linux";
              decodeHash = loadWith { } "decode-hash.nix";
              parseReference = loadWith { } "parse-reference.nix";
              registryName = loadWith { } "registry-name.nix";
            }
            // fetchers
          );
      }
      { inherit lockFile; };

  lockedImages =
    images:
    lockText {
      version = 1;
      inherit images;
    };

  # A locked image of one platform.
  lockedAs =
    reference: config: layers:
    let
      descriptor = hex: {
        mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
        digest = "sha256:${hex}";
        size = 1;
      };
      described = {
        config = descriptor config // {
          mediaType = "application/vnd.oci.image.config.v1+json";
        };
        layers = map descriptor layers;
      };
    in
    {
      inherit reference;
      platforms."linux/amd64" = described // {
        manifest = manifest described;
      };
    };

  # Web and database on one base. The second web image is in the first one's repository, and the copy is the same image
  # in another registry.
  base = repeat 64 "a";
  web = lockedAs "docker.io/library/web:1" (repeat 64 "1") [
    base
    (repeat 64 "b")
  ];
  web2 = lockedAs "docker.io/library/web:2" (repeat 64 "2") [
    base
    (repeat 64 "c")
  ];
  database = lockedAs "docker.io/library/database:1" (repeat 64 "3") [
    base
    (repeat 64 "d")
  ];
  copy = web // {
    reference = "ghcr.io/team/web:1";
  };
}
