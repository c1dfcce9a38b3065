/**
  The daemons that NixOS runs: where each listens, which socket unit that is, what else has to come before a
  client, and how to say that there is none.

  Source: nixpkgs, `nixos/modules/virtualisation/docker.nix` and `podman/default.nix`.

  # Type

  ```
  localDaemons :: { docker, podman :: { host, socket, service, isEnabled, remedy } }
  ```
*/
{
  docker = {
    host = "unix:///run/docker.sock";
    socket = "docker.socket";
    service = "docker.service";
    isEnabled = virtualisation: virtualisation.docker.enable;
    remedy = "set `virtualisation.docker.enable = true`";
  };
  podman = {
    host = "unix:///run/podman/podman.sock";
    socket = "podman.socket";
    service = "podman.service";
    # The socket comes with it.
    isEnabled = virtualisation: virtualisation.podman.enable;
    remedy = "set `virtualisation.podman.enable = true`";
  };
}
