/**
  The derivation of one blob. Its builder is the program itself, and the digest to fetch is the output's own
  hash, so the store path depends on the content alone.
*/
{
  program,
  system,
  decodeHash,
  registryName,
}:
let
  isSize = import ./is-size.nix;
in
{
  # For messages: the function that was called.
  caller,
  # The name in the store, from the hash in hex.
  nameOf,
  registry,
  repository,
  imageName,
  alternatives,
  hash,
  sha256,
  # In bytes, or null where it is not known.
  size,
  # The limit where it is not known, or null for the builder's own.
  maxSize,
  name,
  mirrors,
  preferLocalBuild,
  meta,
  passthru,
  # Further attributes of the derivation, for those who look at it.
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

  # Everybody can read a derivation: a URL with credentials in it must not become part of one.
  withoutCredentials = url: builtins.seq (registryName url) url;

  # Where it is, as the builder wants it.
  location =
    {
      registry ? "https://registry-1.docker.io/v2/",
      repository ? "library",
      imageName,
    }:
    {
      registry = withoutCredentials registry;
      repository = if repository == "" then imageName else "${repository}/${imageName}";
    };

  # What the builder takes at most. The path does not depend on it.
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
derivation (
  attributes hex
  // {
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
  # An image may mention store paths without meaning them.
  // (if import ./can-discard-references.nix then { unsafeDiscardReferences.out = true; } else { })
)
// {
  inherit meta;
}
// passthru
