/**
  Whether derivations can declare that their outputs refer to no store path (`unsafeDiscardReferences`). Before 2.18,
  Nix has this only as an experimental feature, or not at all.
*/
builtins.compareVersions builtins.nixVersion "2.18" >= 0
