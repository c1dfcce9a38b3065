{
  description = "A NixOS host that runs two images from a lock file";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    hocker = {
      # Your checkout of hocker.
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
          # The modules of your host, from /etc/nixos.
        ];
      };
    };
}
