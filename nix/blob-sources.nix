/**
  The attributes of a blob's derivation that name further sources of the blob. Every user can read derivations, so no URL
  with credentials may become part of one.

  # Type

  ```
  blobSources :: { mirrors, urls :: [ String ] -> AttrSet }
  ```
*/
let
  registryName = import ./registry-name.nix;

  # The path after a host may contain an @. An @ without a host before it may belong to a password that contains a slash.
  isSafe =
    url:
    builtins.match "[^?#]*@.*" url == null
    || builtins.match "[a-zA-Z]+://[^/@:?#\\\\]+(:[0-9]*)?/.*" url != null;
  withoutCredentials =
    url:
    if !builtins.isString url || builtins.stringLength url > 4096 then
      throw "fetchDockerLayer: each of the `urls` must be a string of at most 4096 characters"
    else if !isSafe url then
      throw "fetchDockerLayer: one of the `urls` contains credentials, which must not be in the store"
    else
      url;

  attribute =
    name: check: given:
    if given == [ ] then { } else { ${name} = builtins.concatStringsSep " " (map check given); };
in
{
  mirrors = attribute "mirrors" (url: builtins.seq (registryName url) url);
  urls = attribute "urls" withoutCredentials;
}
