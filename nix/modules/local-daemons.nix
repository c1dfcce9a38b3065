/**
  The daemons that NixOS can run. For each: the address, the socket of a user below `/run/user/<id>`, the socket unit, the service that clients start after, a function
  that returns whether the daemon is enabled, and the remedy if it is not.

  Source: nixpkgs, `nixos/modules/virtualisation/docker.nix`, `podman/default.nix` and `containerd.nix`.

  # Type

  ```
  localDaemons :: { containerd, docker, podman :: { host, userSocket, socket, service, isEnabled, remedy } }
  ```
*/
{
  containerd = {
    host = "unix:///run/containerd/containerd.sock";
    userSocket = "containerd/containerd.sock";
    # NixOS has no socket unit for it.
    socket = "containerd.service";
    service = "containerd.service";
    isEnabled = virtualisation: virtualisation.containerd.enable or false;
    remedy = "set `virtualisation.containerd.enable = true`";
  };
  docker = {
    host = "unix:///run/docker.sock";
    userSocket = "docker.sock";
    socket = "docker.socket";
    service = "docker.service";
    isEnabled = virtualisation: virtualisation.docker.enable;
    remedy = "set `virtualisation.docker.enable = true`";
  };
  podman = {
    host = "unix:///run/podman/podman.sock";
    userSocket = "podman/podman.sock";
    socket = "podman.socket";
    service = "podman.service";
    # This also enables the socket.
    isEnabled = virtualisation: virtualisation.podman.enable;
    remedy = "set `virtualisation.podman.enable = true`";
  };
}
