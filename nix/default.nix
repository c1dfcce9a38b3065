/**
  Registry images in the Nix store, layer by layer. Needs only Nix's builtins and the hocker program.

  # Inputs

  `hocker`
  : the package, or the path of one: `bin/hocker` in it is the builder of everything here. It must run in
    the sandbox with nothing but its own closure.

  `system`
  : what the builder runs on; to be named in pure evaluation.

  `targetSystem`
  : what images are for, where that is not what the builder runs on

  `runtime`
  : the package whose `bin/hocker` the scripts of images start, where they run on another platform than the
    builder
*/
{
  hocker,
  system ? builtins.currentSystem,
  targetSystem ? system,
  runtime ? hocker,
}:
let
  programOf = package: "${import ./package-path.nix package}/bin/hocker";
  program = programOf hocker;

  decodeHash = import ./decode-hash.nix;
  parseReference = import ./parse-reference.nix;
  registryName = import ./registry-name.nix;
  readManifest = import ./read-manifest.nix;
  manifestText = import ./manifest-text.nix;

  fetchBlob = import ./fetch-blob.nix {
    inherit
      program
      system
      decodeHash
      registryName
      ;
  };

  fetchLockedBlob = import ./fetch-locked-blob.nix { inherit fetchBlob; };

  # From the functions that fetch blobs and read manifests.
  fetchdockerWith =
    fetchers:
    import ./fetchdocker.nix (
      {
        interpreter = programOf runtime;
        inherit
          program
          system
          decodeHash
          parseReference
          registryName
          ;
      }
      // fetchers
    );

  functions = {
    fetchDockerLayer = import ./fetch-docker-layer.nix { inherit fetchBlob; };
    fetchDockerConfig = import ./fetch-docker-config.nix { inherit fetchBlob; };
    fetchdocker = fetchdockerWith {
      readManifest = given: readManifest "fetchdocker: `imageManifest`" (manifestText given);
      inherit (functions) fetchDockerLayer fetchDockerConfig;
    };
    callImage = import ./call-image.nix functions;
    importLock = import ./import-lock.nix {
      inherit
        parseReference
        registryName
        readManifest
        fetchdockerWith
        ;
      system = targetSystem;
      platformOf = import ./platform.nix;
      fetchDockerLayer = import ./fetch-docker-layer.nix { fetchBlob = fetchLockedBlob; };
      fetchDockerConfig = import ./fetch-docker-config.nix { fetchBlob = fetchLockedBlob; };
    };
  };
in
functions
// {
  # For the `imports` of a NixOS configuration; with this package, unless that names another.
  nixosModules.default =
    { lib, ... }:
    {
      imports = [ ./modules ];
      services.hocker.package = lib.mkDefault hocker;
    };
}
