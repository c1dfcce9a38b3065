/**
  The podman of the user. Images are loaded by podman's API. A socket of the module's own starts it when it is needed, so
  that nothing depends on units of the system's podman.
*/
{ config, lib, ... }:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.hocker;
  isOwn = cfg.podman.host == own;
  # systemd replaces `%t` by the runtime directory of the user.
  own = "unix://%t/hocker/podman.sock";
in
{
  options.services.hocker.podman = {
    package = mkOption {
      # This also accepts `/usr`.
      type = types.path;
      default = config.services.podman.package;
      defaultText = literalExpression "config.services.podman.package";
      example = "/usr";
      description = ''
        The Podman whose API loads the images: the one that runs the containers. The Podman of another distribution is
        `"/usr"`.
      '';
    };

    host = mkOption {
      # These characters need no quotation in a unit and in a script.
      type = types.strMatching "unix://(%t)?/[a-zA-Z0-9._/@+=~-]*";
      default = own;
      example = "unix://%t/podman/podman.sock";
      description = ''
        The socket of Podman's API; `%t` is the runtime directory of the user. The default is a socket of the module's
        own, whose unit starts {option}`services.hocker.podman.package` while images are loaded.
      '';
    };
  };

  config.systemd.user = lib.mkIf (cfg.enable && isOwn) {
    sockets.hocker-podman = {
      Unit.Description = "Podman's API, for loading images";
      Socket = {
        ListenStream = lib.removePrefix "unix://" own;
        SocketMode = "0600";
        DirectoryMode = "0700";
      };
      Install.WantedBy = [ "sockets.target" ];
    };

    # As podman's own units: it ends after some seconds without a connection.
    services.hocker-podman = {
      Unit = {
        Description = "Podman's API, for loading images";
        Requires = [ "hocker-podman.socket" ];
        After = [ "hocker-podman.socket" ];
        # A running load keeps its connection.
        X-SwitchMethod = "keep-old";
      };
      Service = {
        Type = "exec";
        KillMode = "process";
        Delegate = true;
        ExecStart = "${cfg.podman.package}/bin/podman system service";
        # Podman needs newuidmap, which has more rights than a file of the store can have.
        Environment = [
          "PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        ];
      };
    };
  };
}
