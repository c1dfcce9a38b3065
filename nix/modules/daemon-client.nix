/**
  The common part of all services that are clients of a daemon. They start after the daemon, can connect to nothing else,
  and keep their records in `/var/lib/hocker/<backend>`. They run as root, which owns the sockets, but without any
  capability.

  # Type

  ```
  daemonClient :: { config, lib, utils } -> String -> { isSocket, requires, wants, after, serviceConfig, command }
  ```

  `command` makes a command line from a subcommand of hocker and its arguments.
*/
{
  config,
  lib,
  utils,
}:
backend:
let
  inherit (config.services.hocker) program;
  inherit (config.services.hocker.${backend}) host user;
  local = (import ./local-daemons.nix).${backend};
  isLocal = host == local.host;
  isSocket = lib.hasPrefix "unix://" host;
  namespace = if backend == "containerd" then config.services.hocker.containerd.namespace else null;
  # These start containerd.
  kubernetes = lib.optionals (lib.hasPrefix "unix:///run/k3s/" host) [
    "k3s.service"
    "rke2-server.service"
    "rke2-agent.service"
  ];

  # The directory of a user's own daemon.
  runtime = builtins.match "unix://((/var)?/run/user/([0-9]+))/.*" host;
  # The user's manager makes this directory and the socket.
  manager = lib.optional (runtime != null) "user@${lib.elemAt runtime 2}.service";
  # The store of each user has its own records.
  state = if user == "root" then "hocker/${backend}" else "hocker/${backend}-${user}";
in
{
  inherit isSocket;

  # This requires the socket, not the service. The service starts at the first connection. A stop of the service must not
  # stop this unit and with it the containers, because nothing would start them again.
  requires = lib.optional isLocal local.socket;
  wants = manager ++ lib.optional (!isSocket) "network-online.target";
  after =
    manager
    ++ lib.optionals isLocal [
      local.socket
      local.service
    ]
    ++ lib.optional (!isSocket) "network-online.target"
    ++ kubernetes;

  serviceConfig =
    import ./hardening.nix
    // {
      Type = "oneshot";
      StateDirectory = state;
      StateDirectoryMode = "0700";
      RestrictAddressFamilies = [
        "AF_UNIX"
        "AF_INET"
      ]
      ++ lib.optional (!isSocket) "AF_INET6";
    }
    # A connection to a socket in the file system needs no network. A daemon on this machine fetches images from hocker by
    # loopback.
    // lib.optionalAttrs isSocket {
      IPAddressAllow = "localhost";
      IPAddressDeny = "any";
    }
    // lib.optionalAttrs (user != "root") {
      User = user;
      # The user's other processes, such as podman, share memory that a stop of this unit must not remove.
      RemoveIPC = false;
    }
    # The unit sees no other user's directory.
    // lib.optionalAttrs (runtime != null) {
      ProtectHome = "tmpfs";
      BindPaths = lib.head runtime;
    };

  command =
    subcommand: arguments:
    lib.concatStringsSep " " (
      map utils.escapeSystemdExecArg [
        program
        subcommand
        "--host"
        host
      ]
      # systemd replaces `%S` by /var/lib.
      ++ [ "--state=%S/${state}" ]
      ++ lib.optional (namespace != null) "--namespace=${namespace}"
      ++ map utils.escapeSystemdExecArg arguments
    );
}
