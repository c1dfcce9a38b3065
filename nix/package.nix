/**
  The package of this source, for `callPackage`: the program, its classic names, manual pages and completions. In
  `pkgsStatic`, the program is one file without shared libraries.

  It is the package of `nixpkgs/package.nix`, which builds a release, with the source, the dependencies and the functions
  of this directory. It takes the same arguments.
*/
let
  release = import ./nixpkgs/package.nix;

  ofThisSource =
    {
      lib,
      stdenv,
      stdenvNoCC,
      rustPlatform,
      runCommand,
    }:
    arguments:
    let
      functions = import ./nixpkgs/functions.nix {
        inherit lib stdenv stdenvNoCC;
        hocker = package;
        buildHocker = package;
      };
      package =
        (release (
          arguments
          // {
            inherit (functions) fetchDockerConfig fetchDockerLayer fetchdocker;
          }
        )).overrideAttrs
          (
            finalAttrs: old: {
              # Images depend on the package, so only the files of the program are its source.
              src = lib.fileset.toSource {
                root = ../.;
                fileset = lib.fileset.unions [
                  ../Cargo.lock
                  ../Cargo.toml
                  ../src
                ];
              };
              cargoHash = null;
              cargoDeps = rustPlatform.importCargoLock { lockFile = ../Cargo.lock; };

              passthru = old.passthru // {
                tests =
                  old.passthru.tests
                  // import ./tests/package.nix {
                    inherit lib runCommand;
                    hocker = finalAttrs.finalPackage;
                  };
              };
            }
          );
    in
    package;
in
{
  __functionArgs =
    builtins.removeAttrs (builtins.functionArgs release // builtins.functionArgs ofThisSource)
      [
        "fetchDockerConfig"
        "fetchDockerLayer"
        "fetchdocker"
      ];
  __functor =
    _self: arguments:
    ofThisSource (builtins.intersectAttrs (builtins.functionArgs ofThisSource) arguments) (
      builtins.intersectAttrs (builtins.functionArgs release) arguments
    );
}
