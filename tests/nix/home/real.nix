# The modules of home-manager that the module touches, and what these need.
homeManager:
let
  modules = homeManager + "/modules";
in
[
  (modules + "/files.nix")
  (modules + "/home-environment.nix")
  (modules + "/misc/lib.nix")
  (modules + "/misc/version.nix")
  (modules + "/misc/xdg")
  (modules + "/services/podman")
  (modules + "/systemd.nix")
  (
    { lib, ... }:
    {
      # Options of modules that are not here.
      config._module.check = false;
      options = {
        # nixpkgs has these two.
        assertions = lib.mkOption {
          type = lib.types.listOf lib.types.unspecified;
          default = [ ];
        };
        meta = lib.mkOption { type = lib.types.raw; };
        warnings = lib.mkOption {
          type = lib.types.listOf lib.types.str;
          default = [ ];
        };
      };
      config = {
        lib = lib.hm;
        home = {
          username = "ann";
          homeDirectory = "/home/ann";
          stateVersion = "26.05";
        };
      };
    }
  )
]
