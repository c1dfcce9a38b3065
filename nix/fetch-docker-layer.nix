/**
  Fetches one layer of an image, as the registry has it.

  # Inputs

  `registry`
  : URL of the registry's interface, or the registry's name (`ghcr.io`, `localhost:5000`)

  `repository`, `imageName`
  : where the image is: everything before the last slash, which may be nothing, and what follows it

  `layerDigest`
  : the layer's digest as the manifest has it, `sha256:<hex>` or the hex alone

  `sha256` or `hash`
  : the same digest in any spelling of Nix

  `size`
  : the layer's size in bytes, as the manifest has it; more is not taken. Without it the limit is 16 GiB.

  `alternatives`
  : where else the layer is, each as `{ registry, repository, imageName }`: asked in this order where that registry
    does not have it, denies it, does not answer or sends something else

  `mirrors`
  : URLs of registries that are asked first, and need not be trusted

  `urls`
  : where else the layer may be, if registries lack it: the manifest says it of layers that registries may not
    distribute

  `name`
  : the name in the store; without it the path depends on the content alone

  `preferLocalBuild`, `meta`, `passthru`
  : as with the fetchers of nixpkgs

  # Example

  ```nix
  fetchDockerLayer {
    imageName = "debian";
    layerDigest = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";
    sha256 = "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd";
  }
  ```
*/
{ fetchBlob }:
{
  registry ? "https://registry-1.docker.io/v2/",
  repository ? "library",
  imageName,
  layerDigest ? null,
  hash ? null,
  sha256 ? null,
  size ? null,
  name ? null,
  alternatives ? [ ],
  mirrors ? [ ],
  urls ? [ ],
  preferLocalBuild ? true,
  meta ? { },
  passthru ? { },
  ...
}:
let
  printable = import ./printable.nix;
  digits =
    if builtins.isString layerDigest then
      builtins.match "(sha256:)?([0-9a-f]{64})" layerDigest
    else
      null;

  # Everybody can read a derivation: a URL with credentials in it must not become part of one. Behind a host, a path may
  # hold an @; what has one and no host before it may be a password with a slash.
  withoutCredentials =
    url:
    if !builtins.isString url || builtins.stringLength url > 4096 then
      throw "fetchDockerLayer: each of the `urls` must be a string of at most 4096 characters"
    else if
      builtins.match "[^?#]*@.*" url != null
      && builtins.match "[a-zA-Z]+://[^/@:?#\\\\]+(:[0-9]*)?/.*" url == null
    then
      throw "fetchDockerLayer: one of the `urls` contains credentials, which must not be in the store"
    else
      url;
  elsewhere =
    if urls == [ ] then
      { }
    else
      { urls = builtins.concatStringsSep " " (map withoutCredentials urls); };
in
fetchBlob {
  caller = "fetchDockerLayer";
  # The classic name, whatever the compression: caches have these paths.
  nameOf = hex: "docker-layer-${hex}.tar.gz";
  inherit
    registry
    repository
    imageName
    alternatives
    hash
    sha256
    size
    name
    mirrors
    preferLocalBuild
    meta
    passthru
    ;
  maxSize = null;
  attributes =
    hex:
    if layerDigest == null then
      { layerDigest = hex; } // elsewhere
    else if digits == null then
      throw "fetchDockerLayer: `layerDigest` is `${printable layerDigest}`, but must be sha256:<hex> or 64 hex digits"
    else if builtins.elemAt digits 1 != hex then
      throw "fetchDockerLayer: `layerDigest` is sha256:${builtins.elemAt digits 1}, but the hash is sha256:${hex}; both must be the same digest"
    else
      { layerDigest = hex; } // elsewhere;
}
