/**
  Returns the name of a registry in references, from the URL of its API: `docker.io` for
  `https://registry-1.docker.io/v2/`, `localhost:5000` for `http://localhost:5000/v2/`. A name is returned unchanged.

  # Type

  ```
  registryName :: String -> String
  ```
*/
let
  printable = import ./printable.nix;
in
registry:
let
  matched = builtins.match "((https?)://)?([^/]+)(/.*)?" registry;
  scheme = builtins.elemAt matched 1;
  authority = builtins.elemAt matched 2;
  # The name leaves out the default port of the scheme.
  withoutPort = builtins.match (
    if scheme == "http" then
      "(.*):80"
    else if scheme == "https" then
      "(.*):443"
    else
      "(.*):"
  ) authority;
  host = if withoutPort == null then authority else builtins.head withoutPort;
in
# This is the first check, so that no message below quotes credentials. A password may contain a slash.
if !builtins.isString registry || builtins.stringLength registry > 2048 then
  throw "hocker: a registry must be a string of at most 2048 characters"
else if builtins.match ".*[@?#].*" registry != null then
  throw "hocker: the registry's URL contains credentials or a query, which must not be in the store"
else if matched == null || (scheme == null && builtins.match ".*://.*" registry != null) then
  throw "hocker: `${printable registry}` is not a registry: a registry is like https://registry-1.docker.io/v2/, ghcr.io or localhost:5000"
# With plain http or another port, it is another registry.
else if scheme != "http" && (host == "registry-1.docker.io" || host == "index.docker.io") then
  "docker.io"
else
  host
