{
  description = "A NixOS host that runs two images from a lock file";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    hocker = {
      # Where you have hocker from.
      url = "path:/path/to/hocker";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    { nixpkgs, hocker, ... }:
    {
      nixosConfigurations.host = nixpkgs.lib.nixosSystem {
        modules = [
          { nixpkgs.hostPlatform = "x86_64-linux"; }
          hocker.nixosModules.default
          ./containers.nix
          # And what is in /etc/nixos.
        ];
      };
    };
}
