/**
  The overlay for nixpkgs: the package and the functions, under the names that they had in nixpkgs before.

  In a cross compilation, the builder is the hocker of the build platform, and the scripts of images start the hocker of
  the host platform.
*/
final: _prev: {
  hocker = final.callPackage ./package.nix { };

  # All functions of nix/default.nix.
  hockerFunctions = import ./for-platforms.nix {
    inherit (final) stdenv hocker;
    buildHocker = final.buildPackages.hocker;
  };

  inherit (final.hockerFunctions)
    fetchDockerConfig
    fetchDockerLayer
    fetchdocker
    importLock
    ;
}
