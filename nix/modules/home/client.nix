/**
  The common part of the units that are clients of the user's podman.

  # Type

  ```
  client :: { config, lib } -> { socket :: [ String ], service :: AttrSet, command :: String -> [ String ] -> String }
  ```

  `socket` is the unit to start before. `command` makes a command line from a subcommand of hocker and its arguments.
*/
{ config, lib }:
let
  cfg = config.services.hocker;
  inherit (cfg.podman) host;

  escape = argument: lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON argument);
in
{
  socket =
    {
      "unix://%t/hocker/podman.sock" = [ "hocker-podman.socket" ];
      "unix://%t/podman/podman.sock" = [ "podman.socket" ];
    }
    .${host} or [ ];

  # The restrictions that the systemd of a user can make. The others need rights that it does not have, or hide from
  # podman which user connects.
  service =
    lib.getAttrs [
      "LockPersonality"
      "MemoryDenyWriteExecute"
      "NoNewPrivileges"
      "RestrictNamespaces"
      "RestrictRealtime"
      "RestrictSUIDSGID"
      "SystemCallArchitectures"
      "SystemCallErrorNumber"
      "SystemCallFilter"
      "UMask"
    ] (import ../hardening.nix)
    // {
      Type = "oneshot";
      RestrictAddressFamilies = [
        "AF_UNIX"
        # Podman fetches images from hocker by loopback.
        "AF_INET"
      ];
    };

  # The directory of records is named in full: `%S` means another directory since systemd 254.
  command =
    subcommand: arguments:
    lib.concatStringsSep " " (
      [
        (escape cfg.program)
        subcommand
        "--host=${host}"
      ]
      ++ map escape ([ "--state=${config.xdg.stateHome}/hocker/podman" ] ++ arguments)
    );
}
