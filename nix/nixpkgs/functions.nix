/**
  The functions for nixpkgs. They give the store paths that the functions of `../default.nix` give. Their results can be
  overridden like those of other fetchers: `override`, `overrideAttrs`, `inputDerivation` and `meta.position`.

  `fetchDockerLayer` and `fetchDockerConfig` make derivations with `stdenvNoCC`. Layers that an image brings with its
  manifest, and all parts of locked images, are derivations without `stdenv`, so a large lock file evaluates fast.

  # Inputs

  `lib`, `stdenv`, `stdenvNoCC`
  : of nixpkgs

  `hocker`, `buildHocker`
  : the hocker of the host platform, which the scripts of images start, and the one of the build platform, which builds

  # Type

  ```
  functions :: AttrSet -> { fetchDockerLayer, fetchDockerConfig, fetchdocker, importLock, callImage, … :: Function }
  ```
*/
{
  lib,
  stdenv,
  stdenvNoCC,
  hocker,
  buildHocker,
}:
let
  functionsWith =
    mkDerivation:
    import ../for-platforms.nix {
      inherit
        stdenv
        hocker
        buildHocker
        mkDerivation
        ;
    };
  overridable =
    pos:
    functionsWith (
      import ./overridable.nix {
        inherit lib stdenvNoCC pos;
      }
    );
  described = functionsWith (describe: describe null);

  # The position of the first of these arguments that the caller gives.
  positionOf =
    names: given:
    lib.findFirst (position: position != null) null (
      map (name: builtins.unsafeGetAttrPos name given) names
    );

  # Before 25.05, nixpkgs has no such function.
  extendMkDerivation =
    lib.extendMkDerivation or (
      {
        constructDrv,
        excludeDrvArgNames,
        extendDrvArgs,
        ...
      }:
      lib.setFunctionArgs (
        given:
        constructDrv (
          final:
          let
            previous = if lib.isFunction given then given final else given;
          in
          removeAttrs previous excludeDrvArgNames // extendDrvArgs final previous
        )
      ) (lib.functionArgs (extendDrvArgs { }))
    );

  fetcher =
    name:
    let
      describe = described.${name};
      arguments = lib.functionArgs describe;
    in
    lib.makeOverridable (extendMkDerivation {
      constructDrv = stdenvNoCC.mkDerivation;
      excludeDrvArgNames = lib.attrNames arguments ++ (import ../arguments/ignored.nix).${name};
      extendDrvArgs =
        final:
        lib.setFunctionArgs (
          given:
          let
            attributes = import ./stdenv-attributes.nix lib (describe given);
          in
          attributes
          // {
            passthru = {
              inputDerivation = import ./input-derivation.nix stdenvNoCC final;
            }
            // attributes.passthru;
            pos = positionOf [ "sha256" "hash" ] given;
          }
        ) arguments;
      inheritFunctionArgs = false;
    });

  images = overridable null;

  functions = images // {
    fetchDockerLayer = fetcher "fetchDockerLayer";
    fetchDockerConfig = fetcher "fetchDockerConfig";
    fetchdocker = lib.makeOverridable (
      lib.setFunctionArgs (
        given: (overridable (positionOf [ "image" "imageName" ] given)).fetchdocker given
      ) (lib.functionArgs images.fetchdocker)
    );
    callImage = import ../call-image.nix functions;
  };
in
functions
