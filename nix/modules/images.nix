/**
  Images that are declared, and for each a unit that loads it: `hocker-load-<name>.service` starts after the
  daemon and sends what the daemon lacks. It runs again where the image's store path has changed.
*/
{
  config,
  lib,
  utils,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.hocker;
  daemonClient = import ./daemon-client.nix { inherit config lib utils; };

  loadService =
    name: image:
    let
      client = daemonClient image.backend;
    in
    {
      description = "Image ${name} in ${image.backend}";
      inherit (client) requires wants after;
      wantedBy = [ "multi-user.target" ];
      unitConfig = {
        StartLimitBurst = 5;
        StartLimitIntervalSec = 300;
      };
      serviceConfig = client.serviceConfig // {
        RemainAfterExit = true;
        ExecStart = client.command "load" (
          lib.concatMap (tag: [
            "--tag"
            tag
          ]) image.tags
          ++ lib.optionals (image.platform != null) [
            "--platform"
            image.platform
          ]
          ++ [ image.path ]
        );
        # A daemon that is just starting or restarting; units that wait for this one go on waiting meanwhile.
        Restart = "on-failure";
        RestartMode = "direct";
        RestartSec = 5;
        # Usage, not found, denied, integrity, unsupported: the next time would be no better.
        RestartPreventExitStatus = [
          2
          3
          4
          5
          7
        ];
      };
    };
in
{
  options.services.hocker.images = mkOption {
    type = types.attrsOf (
      types.submodule (
        import ./image.nix {
          inherit lib;
          defaultBackend = config.virtualisation.oci-containers.backend;
        }
      )
    );
    default = { };
    example = literalExpression ''
      {
        web.image = config.services.hocker.functions.fetchdocker {
          image = "nginx:1.27";
          imageManifest = ./nginx.json;
        };
      }
    '';
    description = ''
      Images to load into Docker or Podman. They belong to the system's closure, and nothing is fetched when they
      are loaded.
    '';
  };

  config = lib.mkIf cfg.enable {
    assertions = import ./image-assertions.nix { inherit config lib; };

    systemd.services = lib.mapAttrs' (
      name: image: lib.nameValuePair "hocker-load-${name}" (loadService name image)
    ) cfg.images;
  };
}
