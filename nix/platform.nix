/**
  Returns the platform, as registries write it, of the containers that run on a Nix system. Containers always run Linux:
  on other systems they run in a virtual machine.

  # Type

  ```
  platform :: String -> String
  ```

  # Example

  ```nix
  platform "aarch64-linux"
  => "linux/arm64"
  ```
*/
system:
let
  matched = builtins.match "([^-]+)-.+" system;
  architecture = if matched == null then system else builtins.head matched;
  names = {
    x86_64 = "amd64";
    aarch64 = "arm64";
    armv7l = "arm/v7";
    armv6l = "arm/v6";
    armv5tel = "arm/v5";
    i686 = "386";
    powerpc64le = "ppc64le";
    loongarch64 = "loong64";
  };
in
"linux/${names.${architecture} or architecture}"
