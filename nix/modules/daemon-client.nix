/**
  The part of a service that all clients of a daemon share: they start after it, reach nothing else, and keep
  what they did in `/var/lib/hocker/<backend>`. They run as root, whom the sockets belong to, but without
  any capability.

  # Type

  ```
  daemonClient :: { config, lib, utils } -> String -> { requires, wants, after, serviceConfig, command }
  ```

  `command` makes a command line of a subcommand of hocker and its further arguments.
*/
{
  config,
  lib,
  utils,
}:
backend:
let
  inherit (config.services.hocker) program;
  inherit (config.services.hocker.${backend}) host;
  local = (import ./local-daemons.nix).${backend};
  isLocal = host == local.host;
  isSocket = lib.hasPrefix "unix://" host;
in
{
  # Not the service: it starts when somebody connects, and stopping it must not stop this, and with this the
  # containers, which nobody would start again.
  requires = lib.optional isLocal local.socket;
  wants = lib.optional (!isSocket) "network-online.target";
  after =
    lib.optionals isLocal [
      local.socket
      local.service
    ]
    ++ lib.optional (!isSocket) "network-online.target";

  serviceConfig =
    import ./hardening.nix
    // {
      Type = "oneshot";
      StateDirectory = "hocker/${backend}";
      StateDirectoryMode = "0700";
      RestrictAddressFamilies = [
        "AF_UNIX"
      ]
      ++ lib.optionals (!isSocket) [
        "AF_INET"
        "AF_INET6"
      ];
    }
    # A socket in the file system is reached without any network.
    // lib.optionalAttrs isSocket {
      PrivateNetwork = true;
      IPAddressDeny = "any";
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
      # systemd's name for /var/lib.
      ++ [ "--state=%S/hocker/${backend}" ]
      ++ map utils.escapeSystemdExecArg arguments
    );
}
