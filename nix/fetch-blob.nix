/**
  Makes the derivation of one blob. Its builder is hocker itself. The digest to fetch is the hash of the output, so the
  store path depends only on the content.
*/
{
  program,
  system,
  decodeHash,
  registryName,
  # Makes the derivation from its attributes, as `mk-derivation.nix` does.
  mkDerivation ? import ./mk-derivation.nix,
}:
let
  isSize = import ./is-size.nix;
  checkParts = import ./arguments/parts.nix;
in
{
  # The name of the calling function, for error messages.
  caller,
  # A function from the hash in hex to the name in the store.
  nameOf,
  registry,
  repository,
  imageName,
  alternatives,
  hash,
  sha256,
  # The size in bytes, or null if it is unknown.
  size,
  # The limit in bytes for an unknown size, or null for the builder's default.
  maxSize,
  name,
  mirrors,
  preferLocalBuild,
  meta,
  passthru,
  # A function from the hash in hex to further attributes of the derivation.
  attributes,
}:
let
  given =
    if (hash == null) == (sha256 == null) then
      throw "${caller}: give exactly one of `hash` and `sha256`"
    else if hash != null then
      hash
    else
      sha256;
  hex = decodeHash caller given;

  # Every user can read derivations, so no URL with credentials may become part of one.
  withoutCredentials = url: builtins.seq (registryName url) url;

  # The location of the blob, in the form that the builder reads.
  location =
    {
      registry ? "https://registry-1.docker.io/v2/",
      repository ? "library",
      imageName,
    }:
    let
      checked = checkParts caller {
        endpoint = registry;
        path = if repository == "" then imageName else "${repository}/${imageName}";
        tag = null;
      };
    in
    {
      registry = checked.endpoint;
      repository = checked.path;
    };

  # The limit for the builder. The store path does not depend on it.
  bound =
    if size == null then
      (if maxSize == null then { } else { inherit maxSize; })
    else if !isSize size then
      throw "${caller}: `size` must be a whole number of bytes, at most 1 TiB"
    else if maxSize != null && size > maxSize then
      throw "${caller}: `size` is ${toString size} bytes, but the limit is ${toString maxSize} bytes"
    else
      { inherit size; };
in
mkDerivation (
  _:
  attributes hex
  // {
    inherit meta passthru;

    name = if name != null then name else nameOf hex;
    inherit system preferLocalBuild;
    inherit (location { inherit registry repository imageName; }) registry repository;

    builder = program;
    args = [ "builder" ];

    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = hex;

    impureEnvVars = import ./impure-env-vars.nix;

    __structuredAttrs = true;
  }
  // bound
  // (if alternatives == [ ] then { } else { alternatives = map location alternatives; })
  // (
    if mirrors == [ ] then
      { }
    else
      { mirrors = builtins.concatStringsSep " " (map withoutCredentials mirrors); }
  )
  # An image may contain the text of store paths, which are not references.
  // (if import ./can-discard-references.nix then { unsafeDiscardReferences.out = true; } else { })
)
