/**
  The overlay for nixpkgs: the package and the functions, under the names that they had in nixpkgs before.

  Derivations are built by `hocker-builder`, which is `hocker` without signatures and their libraries. In a cross
  compilation, it is the one of the build platform, and the scripts of images start the one of the host platform.
*/
final: _prev: {
  hocker = final.callPackage ./package.nix { };
  hocker-builder = final.callPackage ./package.nix { withSignatures = false; };

  # All functions of nix/default.nix. Their results can be overridden.
  hockerFunctions = final.callPackage ./nixpkgs/functions.nix {
    hocker = final.hocker-builder;
    buildHocker = final.buildPackages.hocker-builder;
  };

  inherit (final.hockerFunctions)
    fetchDockerConfig
    fetchDockerLayer
    fetchdocker
    importLock
    ;
}
