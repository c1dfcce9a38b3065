/**
  The module loads an image into Docker and into Podman, for a container that runs it.
*/
{ hocker, layout }:
let
  machineWith = backend: {
    imports = [ ../modules ];
    services.hocker = {
      enable = true;
      package = hocker;
      images.greeting = {
        image = "${layout}";
        tags = [ "greeting:1" ];
      };
    };
    virtualisation.${backend}.enable = true;
    virtualisation.oci-containers = {
      inherit backend;
      containers.greeting.image = "greeting:1";
    };
  };
in
{
  name = "hocker-module";

  nodes = {
    docker = machineWith "docker";
    podman = machineWith "podman";
  };

  testScript = ''
    start_all()
    for machine in (docker, podman):
        machine.wait_for_unit("hocker-load-greeting.service")
        machine.succeed(f"{machine.name} image inspect greeting:1")
        machine.wait_until_succeeds(f"journalctl --unit {machine.name}-greeting | grep 'Hello, world'")
  '';
}
