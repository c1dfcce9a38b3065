/*
  What holds for the functions over a package set: a sentence for each fact, and whether it holds. `pkgs` has the overlay,
  and `bare` are the functions of nix/ with the same package.
*/
{ pkgs, bare }:
let
  inherit (pkgs) lib testers;
  manifest = ../../data/debian-jessie.json;
  lock = {
    lockFile = ../docker-images.lock.json;
    platform = "linux/amd64";
  };

  blob = {
    imageName = "debian";
    sha256 = "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd";
  };
  classicLayer = blob // {
    tag = "jessie";
    layerDigest = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";
  };
  pinned = {
    image = "debian:8";
    imageManifest = manifest;
  };
  inParts = functions: {
    imageName = "debian";
    tag = "jessie";
    imageConfig = functions.fetchDockerConfig blob;
    imageLayers = [ (functions.fetchDockerLayer classicLayer) ];
  };

  layer = pkgs.fetchDockerLayer classicLayer;
  config = pkgs.fetchDockerConfig blob;
  image = pkgs.fetchdocker pinned;
  moved = {
    registry = "http://localhost:5000/v2/";
  };
  tagged = image.overrideAttrs (
    _final: old: {
      name = "tagged";
      passthru = old.passthru // {
        isTagged = true;
      };
    }
  );
  locked = pkgs.importLock lock;

  isHere = position: lib.hasPrefix (toString ./layer.nix) position;
  names =
    one: path: lib.hasInfix (builtins.unsafeDiscardStringContext path) one.inputDerivation.inputs;
  differs = a: b: a.drvPath != b.drvPath;
  refuses = value: !(builtins.tryEval value.drvPath).success;
in
{
  "a layer has the store path of the bare function" =
    layer.outPath == (bare.fetchDockerLayer classicLayer).outPath;
  "a config has the store path of the bare function" =
    config.outPath == (bare.fetchDockerConfig blob).outPath;
  "an image of a manifest is the derivation of the bare function" =
    image.drvPath == (bare.fetchdocker pinned).drvPath;
  "an image of layers has the store path of the bare function" =
    (pkgs.fetchdocker (inParts pkgs)).outPath == (bare.fetchdocker (inParts bare)).outPath;
  "locked images are the derivations of the bare function" =
    lib.mapAttrs (_: one: one.drvPath) locked
    == lib.mapAttrs (_: one: one.drvPath) (bare.importLock lock);

  "hocker builds a layer" = layer.builder == (bare.fetchDockerLayer classicLayer).builder;
  "a layer gets nixpkgs' proxy variables and hocker's own" =
    lib.subtractLists layer.impureEnvVars (lib.fetchers.proxyImpureEnvVars ++ [ "NETRC" ]) == [ ]
    && lib.allUnique layer.impureEnvVars;
  "arguments may be a function of the final attributes" =
    (pkgs.fetchDockerLayer (_final: classicLayer)).drvPath == layer.drvPath;
  "an unknown argument is refused" = refuses (
    pkgs.fetchDockerLayer (classicLayer // { mirors = [ ]; })
  );
  "classic arguments do not become part of the derivation" = !(layer.drvAttrs ? tag);

  "override changes arguments of a layer" = (layer.override moved).registry == moved.registry;
  "override changes arguments of a config" = (config.override { name = "x"; }).name == "x";
  "override changes arguments of an image" =
    (image.override { image = "debian:9"; }).image == "debian:9";
  "overrideAttrs changes a layer, but not its store path" =
    differs (layer.overrideAttrs moved) layer && (layer.overrideAttrs moved).outPath == layer.outPath;
  "overrideAttrs changes a config" = (config.overrideAttrs (_: moved)).registry == moved.registry;
  "overrideAttrs changes an image, and what is made of it" =
    tagged.name == "tagged"
    && tagged.isTagged
    && differs tagged.archive image.archive
    && differs tagged.stream image.stream;
  "overrideAttrs of an image knows the final attributes" =
    (tagged.overrideAttrs (
      final: old: {
        passthru = old.passthru // {
          own = final.name;
        };
      }
    )).own == "tagged";
  "override and overrideAttrs follow each other" =
    (tagged.override { image = "debian:9"; }).isTagged
    && ((layer.overrideAttrs moved).override { name = "x"; }).registry == moved.registry;
  "overrideAttrs changes a locked image" = (locked.debian.overrideAttrs { name = "x"; }).name == "x";

  "inputs of layers, configs and images can be built" =
    lib.all (one: differs one.inputDerivation one)
      [
        layer
        config
        image
      ];
  "they name the program and the layers" =
    names layer layer.builder
    && lib.all (one: names image one.path) image.imageSpec.layers
    && builtins.hasContext image.inputDerivation.inputs;
  "meta names the position of the call" = lib.all (one: isHere one.meta.position) [
    layer
    config
    image
  ];
  "meta is what the caller gives" =
    (pkgs.fetchdocker (pinned // { meta.description = "Debian"; })).meta.description == "Debian"
    && (pkgs.fetchDockerLayer (blob // { meta.description = "Debian"; })).meta.description == "Debian";
  "testers can salt layers and configs" =
    lib.all (fetcher: differs (testers.invalidateFetcherByDrvHash fetcher blob) (fetcher blob))
      [
        pkgs.fetchDockerLayer
        pkgs.fetchDockerConfig
      ];
  "callPackage calls a classic expression" =
    (pkgs.callPackage ../classic.nix { }).outPath == (bare.callImage ../classic.nix).outPath;
}
