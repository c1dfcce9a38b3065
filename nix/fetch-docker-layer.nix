/**
  Fetches one layer of an image, unchanged.

  # Inputs

  `registry`
  : the URL of the registry's API, or the name of the registry (`ghcr.io`, `localhost:5000`)

  `repository`, `imageName`
  : the full name of the repository: the part before the last slash, which may be empty, and the part after it

  `layerDigest`
  : the digest of the layer as in the manifest, `sha256:<hex>` or only the hex

  `sha256` or `hash`
  : this digest in any form that Nix accepts

  `size`
  : the size of the layer in bytes, as in the manifest. Without it, the limit is 16 GiB.

  `alternatives`
  : other locations of the layer, each `{ registry, repository, imageName }`. hocker tries them in this order if the
    registry does not have the layer, denies access, does not answer or sends other content.

  `mirrors`
  : URLs of registries that hocker tries first. They need no trust, because the hash verifies the content.

  `urls`
  : URLs of the layer, if registries do not have it. Manifests contain such URLs for layers that registries may not
    distribute.

  `name`
  : the name in the store. Without it, the store path depends only on the content.

  `preferLocalBuild`, `meta`, `passthru`
  : as in the fetchers of nixpkgs

  # Example

  ```nix
  fetchDockerLayer {
    imageName = "debian";
    layerDigest = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";
    sha256 = "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd";
  }
  ```
*/
{
  fetchBlob,
  # A function from the given arguments and the result to the result. It refuses unknown arguments.
  checkArguments ? _given: result: result,
}:
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
}@given:
let
  printable = import ./printable.nix;
  digits =
    if builtins.isString layerDigest then
      builtins.match "(sha256:)?([0-9a-f]{64})" layerDigest
    else
      null;

  elsewhere = (import ./blob-sources.nix).urls urls;
in
checkArguments given (fetchBlob {
  kind = (import ./blob-kinds.nix).layer;
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
  attributes =
    hex:
    if layerDigest == null || layerDigest == "" then
      { layerDigest = hex; } // elsewhere
    else if digits == null then
      throw "fetchDockerLayer: `layerDigest` is `${printable layerDigest}`, but must be sha256:<hex> or 64 hex digits"
    else if builtins.elemAt digits 1 != hex then
      throw "fetchDockerLayer: `layerDigest` is sha256:${builtins.elemAt digits 1}, but the hash is sha256:${hex}; both must be the same digest"
    else
      { layerDigest = hex; } // elsewhere;
})
