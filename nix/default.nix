/**
  The functions that fetch container images into the Nix store, layer by layer. They need only Nix's builtins and the
  hocker program.

  # Inputs

  `hocker`
  : the hocker package, or its path. Its `bin/hocker` is the builder of all derivations, and must run in the sandbox with
    only its own closure.

  `system`
  : the system of the builder. Pure evaluation needs this argument.

  `targetSystem`
  : the system that the images are for, if it differs from `system`

  `runtime`
  : the package whose `bin/hocker` the scripts of images start, if they run on another system than the builder

  `mkDerivation`
  : a function that makes the derivations of layers, configs and images from their attributes. The default is
    `mk-derivation.nix`. `nixpkgs/functions.nix` gives another one.
*/
{
  hocker,
  system ? builtins.currentSystem,
  targetSystem ? system,
  runtime ? hocker,
  mkDerivation ? import ./mk-derivation.nix,
}:
let
  programOf = package: "${import ./package-path.nix package}/bin/hocker";
  program = programOf hocker;

  decodeHash = import ./decode-hash.nix;
  parseReference = import ./parse-reference.nix;
  registryName = import ./registry-name.nix;
  readManifest = import ./read-manifest.nix;
  readIndex = import ./read-index.nix;
  manifestText = import ./manifest-text.nix;

  blobAttributes = import ./blob-attributes.nix { inherit program system; };
  blobDerivation = attributes: derivation (blobAttributes attributes);
  fetchBlob = import ./fetch-blob.nix { inherit blobAttributes decodeHash mkDerivation; };

  # Makes `fetchdocker` from functions that fetch blobs and read manifests.
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
          mkDerivation
          ;
      }
      // fetchers
    );

  # The check of the arguments of a function.
  checkOf =
    caller:
    import ./arguments/check.nix {
      inherit caller;
      function = functions.${caller};
      ignored = (import ./arguments/ignored.nix).${caller};
      replaced = (import ./arguments/replaced.nix).${caller};
    };

  functions = {
    fetchDockerLayer = import ./fetch-docker-layer.nix {
      inherit fetchBlob;
      checkArguments = checkOf "fetchDockerLayer";
    };
    fetchDockerConfig = import ./fetch-docker-config.nix {
      inherit fetchBlob;
      checkArguments = checkOf "fetchDockerConfig";
    };
    fetchdocker = fetchdockerWith {
      checkArguments = checkOf "fetchdocker";
      readManifest = given: readManifest "fetchdocker: `imageManifest`" (manifestText given);
      readIndex = given: readIndex "fetchdocker: `imageIndex`" (manifestText given);
      inherit (functions) fetchDockerLayer fetchDockerConfig;
    };
    callImage = import ./call-image.nix functions;
    lockUpdateScript = import ./lock-update-script.nix { inherit program; };
    importLock = import ./import-lock.nix {
      inherit
        parseReference
        registryName
        readManifest
        readIndex
        fetchdockerWith
        blobDerivation
        ;
      system = targetSystem;
      platformOf = import ./platform.nix;
    };
  };
  withRuntime =
    module:
    { lib, ... }:
    {
      imports = [ module ];
      services.hocker.package = lib.mkDefault runtime;
      services.hocker.buildPackage = lib.mkIf (programOf runtime != program) (lib.mkDefault hocker);
    };
in
functions
// {
  # For the `imports` of a NixOS configuration, and of one of home-manager. Their default package is this one.
  nixosModules.default = withRuntime ./modules;
  homeModules.default = withRuntime ./modules/home;
}
