/**
  A build in the sandbox, by an ordinary user of a nix-daemon, from a registry that wants a password and has a
  certificate of an authority that only this machine knows; and the image in Docker.
*/
{
  hocker,
  layout,
  openssl,
  runCommand,
  skopeo,
}:
let
  tls = runCommand "hocker-test-certificate" { nativeBuildInputs = [ openssl ]; } ''
    mkdir $out
    openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj /CN=registry \
      -addext subjectAltName=DNS:registry -keyout $out/key.pem -out $out/cert.pem
  '';
  functions = "${../.}";
  image = "registry:443/team/greeting:1";
  build = ''
    (import ${functions} { hocker = ${hocker}; }).fetchdocker {
      image = "${image}";
      imageManifest = /tmp/manifest.json;
    }
  '';
in
{
  name = "hocker-private-registry";

  nodes = {
    registry = {
      services.dockerRegistry.enable = true;
      services.nginx = {
        enable = true;
        virtualHosts.registry = {
          onlySSL = true;
          sslCertificate = "${tls}/cert.pem";
          sslCertificateKey = "${tls}/key.pem";
          basicAuth.ann = "secret";
          locations."/".proxyPass = "http://127.0.0.1:5000";
        };
      };
      networking.firewall.allowedTCPPorts = [ 443 ];
      environment.systemPackages = [ skopeo ];
      virtualisation.additionalPaths = [ layout ];
    };

    host = {
      imports = [ ../modules ];
      services.hocker = {
        enable = true;
        package = hocker;
        credentials.authFile = "/run/registries.json";
      };
      security.pki.certificateFiles = [ "${tls}/cert.pem" ];
      environment = {
        systemPackages = [ hocker ];
        etc."greeting.nix".text = build;
      };
      users.users.ann.isNormalUser = true;
      virtualisation = {
        additionalPaths = [
          hocker
          functions
        ];
        docker.enable = true;
        writableStore = true;
      };
    };
  };

  testScript = ''
    import base64, json

    start_all()
    registry.wait_for_unit("docker-registry.service")
    registry.wait_for_open_port(5000)
    registry.wait_for_open_port(443)
    registry.succeed(
        "skopeo --insecure-policy copy --dest-tls-verify=false "
        "oci:${layout} docker://127.0.0.1:5000/team/greeting:1"
    )

    host.wait_for_unit("docker.service")
    auth = base64.b64encode(b"ann:secret").decode()
    secret = json.dumps({"auths": {"registry:443": {"auth": auth}}})
    host.succeed(
        f"echo '{secret}' >/run/registries.json",
        "chgrp nixbld /run/registries.json",
        "chmod 640 /run/registries.json",
        "REGISTRY_AUTH_FILE=/run/registries.json hocker manifest ${image} >/tmp/manifest.json",
    )
    result = host.succeed("su ann -c 'nix-build --no-out-link /etc/greeting.nix'").strip()
    host.succeed(f"hocker load {result}")
    host.succeed("docker run --rm ${image} | grep 'Hello, world'")
  '';
}
