/**
  Fetches the configuration of an image. It is fetched by its digest, so that a tag that moved does no harm.

  # Inputs

  `registry`
  : URL of the registry's interface, or the registry's name (`ghcr.io`, `localhost:5000`)

  `repository`, `imageName`
  : where the image is: everything before the last slash, which may be nothing, and what follows it

  `tag`
  : accepted because the classic expressions name it; the hash says what is fetched

  `sha256` or `hash`
  : the configuration's digest in any spelling of Nix

  `size`
  : the configuration's size in bytes, as the manifest has it; more is not taken. The limit is 4 MiB, as for all tools.

  `alternatives`
  : where else the configuration is, each as `{ registry, repository, imageName }`: asked in this order where that registry
    does not have it, denies it, does not answer or sends something else

  `mirrors`
  : URLs of registries that are asked first, and need not be trusted

  `name`
  : the name in the store; without it the path depends on the content alone

  `preferLocalBuild`, `meta`, `passthru`
  : as with the fetchers of nixpkgs

  # Example

  ```nix
  fetchDockerConfig {
    imageName = "debian";
    tag = "jessie";
    sha256 = "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5";
  }
  ```
*/
{ fetchBlob }:
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
}:
fetchBlob {
  caller = "fetchDockerConfig";
  nameOf = hex: "docker-config-${hex}.json";
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
  # What hocker reads of a document.
  maxSize = 4194304;
  attributes = _hex: { };
}
