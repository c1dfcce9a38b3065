/**
  Declared images, with one unit for each: `hocker-load-<name>.service` sends what the user's podman lacks. It runs at
  login, at each switch to another configuration, and at each start of a unit that requires it, because someone may have
  removed the image since the last time. If podman has the image, a run takes milliseconds.
*/
{ config, lib, ... }:
let
  cfg = config.services.hocker;
  client = import ./client.nix { inherit config lib; };
  load = import ../load.nix { inherit lib; };

  imageModule =
    { name, ... }:
    {
      config.unit = "hocker-load-${name}.service";
    };

  loadService = name: image: {
    Unit = load.unitConfig // {
      Description = "Image ${name} in podman";
      # A stop of the socket must not stop containers, which require this unit.
      Wants = client.socket;
      After = client.socket;
      # For the same reason, a switch does not stop this unit while it retries. The next try runs the new command.
      X-SwitchMethod = "keep-old";
    };
    Service =
      client.service
      // load.serviceConfig
      // {
        ExecStart = client.command "load" (load.arguments image);
      };
    Install.WantedBy = [ "default.target" ];
  };
in
{
  options.services.hocker.images = import ../images-option.nix {
    inherit lib;
    module = imageModule;
    description = ''
      Images to load into the Podman of this user. They are part of the configuration's closure, so a load fetches
      nothing.
    '';
  };

  config = lib.mkIf cfg.enable {
    assertions = import ../image-assertions.nix {
      inherit lib;
      inherit (cfg) images;
      daemonOf = _: "podman";
    };

    systemd.user.services = lib.mapAttrs' (
      name: image: lib.nameValuePair "hocker-load-${name}" (loadService name image)
    ) cfg.images;
  };
}
