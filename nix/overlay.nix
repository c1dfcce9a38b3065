/**
  Nixpkgs with the package and the functions, under the names that they once had there.

  Where packages are made for another platform, the builder is the build machine's hocker, and the scripts of
  images start the other platform's.
*/
final: _prev: {
  hocker = final.callPackage ./package.nix { };

  # All of the functions, as nix/default.nix has them.
  hockerFunctions = import ./. {
    inherit (final.buildPackages) hocker;
    runtime = final.hocker;
    inherit (final.stdenv.buildPlatform) system;
    targetSystem = final.stdenv.hostPlatform.system;
  };

  inherit (final.hockerFunctions)
    fetchDockerConfig
    fetchDockerLayer
    fetchdocker
    importLock
    ;
}
