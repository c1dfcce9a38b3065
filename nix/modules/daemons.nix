/**
  The addresses of the daemons that images are loaded into.
*/
{ lib, ... }:
let
  inherit (lib) mkOption types;
  local = import ./local-daemons.nix;

  hostOf =
    backend:
    mkOption {
      type = types.strMatching "(unix|tcp|http|https)://[^[:space:]]+";
      default = local.${backend}.host;
      example = "unix:///run/other/${backend}.sock";
      description = ''
        The address of the daemon for images with the backend `${backend}`. With an address other than the default, the
        units do not wait for this machine's own daemon.
      '';
    };
in
{
  options.services.hocker = {
    docker.host = hostOf "docker";
    podman.host = hostOf "podman";
  };
}
