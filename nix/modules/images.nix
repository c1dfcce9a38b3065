/**
  Declared images, with one unit for each: `hocker-load-<name>.service` starts after the daemon and sends what the daemon
  lacks. It runs at boot, at each switch to another configuration, and at each start of a unit that requires it, because
  someone may have removed the image since the last time. If the daemon has the image, a run takes milliseconds.
*/
{
  config,
  lib,
  utils,
  ...
}:
let
  cfg = config.services.hocker;
  daemonClient = import ./daemon-client.nix { inherit config lib utils; };
  load = import ./load.nix { inherit lib; };

  loadService =
    name: image:
    let
      client = daemonClient image.backend;
    in
    {
      description = "Image ${name} in ${image.backend}";
      inherit (client) requires wants after;
      wantedBy = [ "multi-user.target" ];
      # A stop of this unit would stop the containers that require it.
      restartIfChanged = false;
      inherit (load) unitConfig;
      serviceConfig =
        client.serviceConfig
        // load.serviceConfig
        // {
          ExecStart = client.command "load" (load.arguments image);
        };
    };
in
{
  options.services.hocker.images = import ./images-option.nix {
    inherit lib;
    module = import ./image-daemon.nix {
      inherit lib;
      defaultBackend = config.virtualisation.oci-containers.backend;
    };
    description = ''
      Images to load into Docker, Podman or containerd. They are part of the system's closure, so a load fetches nothing.
    '';
  };

  config = lib.mkIf cfg.enable {
    assertions =
      import ./image-assertions.nix {
        inherit lib;
        inherit (cfg) images;
        daemonOf = image: image.backend;
      }
      ++ import ./daemon-assertions.nix { inherit config lib; };

    systemd.services = lib.mapAttrs' (
      name: image: lib.nameValuePair "hocker-load-${name}" (loadService name image)
    ) (lib.filterAttrs (_: image: image.mode == "load") cfg.images);
  };
}
