/**
  Fetches the config of an image by its digest. A tag that moves does not affect it.

  # Inputs

  `registry`
  : the URL of the registry's API, or the name of the registry (`ghcr.io`, `localhost:5000`)

  `repository`, `imageName`
  : the full name of the repository: the part before the last slash, which may be empty, and the part after it

  `tag`
  : ignored; classic expressions contain it, but the hash determines the content

  `sha256` or `hash`
  : the digest of the config, in any form that Nix accepts

  `size`
  : the size of the config in bytes, as in the manifest. Without it, the limit is 4 MiB, which is also the limit for `size`.

  `alternatives`
  : other locations of the config, each `{ registry, repository, imageName }`. hocker tries them in this order if the
    registry does not have the config, denies access, does not answer or sends other content.

  `mirrors`
  : URLs of registries that hocker tries first. They need no trust, because the hash verifies the content.

  `name`
  : the name in the store. Without it, the store path depends only on the content.

  `preferLocalBuild`, `meta`, `passthru`
  : as in the fetchers of nixpkgs

  # Example

  ```nix
  fetchDockerConfig {
    imageName = "debian";
    tag = "jessie";
    sha256 = "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5";
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
  tag ? "latest",
  hash ? null,
  sha256 ? null,
  size ? null,
  name ? null,
  alternatives ? [ ],
  mirrors ? [ ],
  preferLocalBuild ? true,
  meta ? { },
  passthru ? { },
  ...
}@given:
checkArguments given (fetchBlob {
  kind = (import ./blob-kinds.nix).config;
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
  attributes = _hex: { };
})
