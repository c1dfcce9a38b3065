/**
  Loads the new images of containers before a switch to another configuration restarts the containers. The units that
  load would do so too, but systemd stops a container before it starts what the container requires.

  Nothing is loaded before the first switch, which starts the socket. A load that fails does not stop the switch, because
  the units try again.
*/
{ config, lib, ... }:
let
  cfg = config.services.hocker;
  load = import ../load.nix { inherit lib; };

  runtime = "\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}";
  host = lib.replaceStrings [ "%t" ] [ runtime ] cfg.podman.host;
  socket = lib.removePrefix "unix://" host;

  loadOne =
    image:
    let
      arguments = lib.escapeShellArgs (
        [ "--state=${config.xdg.stateHome}/hocker/podman" ] ++ load.arguments image
      );
    in
    ''
      run --quiet ${lib.escapeShellArg cfg.program} load --host="${host}" ${arguments} ||
        warnEcho ${lib.escapeShellArg "hocker cannot load an image before the switch; ${image.unit} tries again"}
    '';
in
{
  config = lib.mkIf (cfg.enable && cfg.usedImages != [ ]) {
    home.activation.hockerImages =
      lib.hm.dag.entryBetween [ "reloadSystemd" ] [ "writeBoundary" "linkGeneration" ]
        ''
          if [[ -S "${socket}" ]]; then
          ${lib.concatMapStrings loadOne cfg.usedImages}
          fi
        '';
  };
}
