# Two images, pinned by their manifests. To pin them, and later to update them:
#
#     hocker manifest nginx:1.27 > nginx.json
#     hocker manifest redis:7 > redis.json
#     git add nginx.json redis.json
{ config, ... }:
let
  inherit (config.services.hocker.functions) fetchdocker;
in
{
  services.hocker = {
    enable = true;
    images = {
      web.image = fetchdocker {
        image = "nginx:1.27";
        imageManifest = ./nginx.json;
      };
      cache.image = fetchdocker {
        image = "redis:7";
        imageManifest = ./redis.json;
      };
    };
    prune.enable = true;
  };

  virtualisation.oci-containers = {
    backend = "podman";
    containers = {
      web = {
        image = "nginx:1.27";
        ports = [ "8080:80" ];
      };
      cache.image = "redis:7";
    };
  };
}
