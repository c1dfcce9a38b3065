# Two containers, whose images docker-images.lock.json pins. These commands write the file:
#
#     hocker lock add web=nginx:1.27 cache=redis:7
#     git add docker-images.lock.json
#
# `hocker lock update` follows the tags. If hocker is not installed, run `nix run path:/path/to/hocker -- lock update`.
{
  services.hocker = {
    enable = true;
    lockFile = ./docker-images.lock.json;
    # Removes images that the file does not pin any more and no container uses.
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
