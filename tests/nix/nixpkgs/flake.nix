# Stands in for nixpkgs where that cannot be had: the real `lib`, which tests put beside this, and packages of
# which no more is known than what evaluation needs.
{
  outputs =
    { self }:
    let
      lib = import ./lib.nix;
    in
    {
      lib = lib // {
        # The little of NixOS that there is: it ignores options that it does not have.
        nixosSystem =
          { modules }:
          import ./nixos {
            inherit lib;
            pkgs = self.legacyPackages.x86_64-linux;
          } (modules ++ [ { _module.check = false; } ]);
      };
      legacyPackages =
        lib.genAttrs
          [
            "x86_64-linux"
            "aarch64-linux"
            "x86_64-darwin"
            "aarch64-darwin"
          ]
          (
            system:
            import ./packages.nix {
              inherit lib;
              buildSystem = system;
            }
          );
    };
}
