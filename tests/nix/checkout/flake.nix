# A subset of nixpkgs, which `--override-input nixpkgs/real` names, with stand-ins for what it lacks. A subset may have
# packages for macOS that cannot be evaluated, so only those for Linux are here.
{
  outputs =
    { self, real }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
    in
    {
      inherit (real) lib;
      legacyPackages = real.lib.genAttrs systems (
        system: real.legacyPackages.${system}.extend (import ./stand-ins.nix)
      );
    };
}
