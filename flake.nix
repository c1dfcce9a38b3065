{
  description = "Registry images into the Nix store, layer by layer";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      overlay = import ./nix/overlay.nix;
      # Those of them that nixpkgs has.
      systems = lib.filter (system: (nixpkgs.legacyPackages or { }) ? ${system}) [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      eachSystem = f: lib.genAttrs systems (system: f (nixpkgs.legacyPackages.${system}.extend overlay));
    in
    {
      packages = eachSystem (
        pkgs:
        {
          inherit (pkgs) hocker hocker-builder;
          default = pkgs.hocker;
        }
        // lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux { hocker-static = pkgs.pkgsStatic.hocker; }
      );

      apps = eachSystem (pkgs: import ./nix/apps.nix { inherit (pkgs) lib hocker; });

      overlays.default = overlay;

      # The functions: from a package (`functions { hocker; system; }`), or over nixpkgs (`functionsFor pkgs`).
      lib = {
        functions = import ./nix;
        functionsFor = pkgs: (pkgs.extend overlay).hockerFunctions;
      };

      nixosModules.default = import ./nix/with-package.nix {
        inherit overlay;
        module = ./nix/modules;
      };
      # For home-manager.
      homeModules.default = import ./nix/with-package.nix {
        inherit overlay;
        module = ./nix/modules/home;
      };

      checks = eachSystem (
        pkgs:
        import ./nix/checks.nix {
          inherit pkgs;
          packages = self.packages.${pkgs.stdenv.hostPlatform.system};
          devShells = self.devShells.${pkgs.stdenv.hostPlatform.system};
        }
      );

      devShells = eachSystem (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { };
      });

      formatter = eachSystem (pkgs: pkgs.nixfmt-tree);

      templates.default = {
        path = ./nix/templates/nixos;
        description = "A NixOS host that runs two pinned images";
      };
    };
}
