/**
  The platform, in the words of registries, of containers that run on a system in the words of Nix. Containers
  are Linux's everywhere: elsewhere they run in a virtual machine.

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
