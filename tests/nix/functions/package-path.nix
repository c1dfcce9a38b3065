{ load, ... }:
let
  packagePath = load "package-path.nix";
  inStore = "${builtins.storeDir}/${"00000000000000000000000000000000"}-hocker";
in
[
  {
    name = "a path of the store as text brings its context";
    seen =
      let
        path = packagePath inStore;
      in
      [
        (builtins.unsafeDiscardStringContext path)
        (builtins.hasContext path)
      ];
    expected = [
      inStore
      true
    ];
  }
  {
    name = "a package";
    seen = packagePath { outPath = inStore; };
    expected = inStore;
  }
  {
    name = "a path elsewhere as text";
    seen = packagePath "/opt/hocker";
    throws = "hocker: `/opt/hocker` is neither a package nor a path of ${builtins.storeDir}; give the package, or its path without quotes";
  }
]
