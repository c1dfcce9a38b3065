/**
  Checks the arguments that `fetchDockerLayer` and `fetchDockerConfig` have in common, and makes the derivation of the
  blob.
*/
{
  blobAttributes,
  decodeHash,
  # Makes the derivation from its attributes, as `mk-derivation.nix` does.
  mkDerivation,
}:
let
  isSize = import ./is-size.nix;
  checkParts = import ./arguments/parts.nix;
  sources = import ./blob-sources.nix;
in
{
  # The kind of the blob, of `blob-kinds.nix`.
  kind,
  registry,
  repository,
  imageName,
  alternatives,
  hash,
  sha256,
  # The size in bytes, or null if it is unknown.
  size,
  name,
  mirrors,
  preferLocalBuild,
  meta,
  passthru,
  # A function from the hash in hex to further attributes of the derivation.
  attributes,
}:
let
  inherit (kind) caller maxSize;

  given =
    if (hash == null) == (sha256 == null) then
      throw "${caller}: give exactly one of `hash` and `sha256`"
    else if hash != null then
      hash
    else
      sha256;
  hex = decodeHash caller given;

  # The location of the blob, in the form that the builder reads.
  locationOf =
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
  location = locationOf { inherit registry repository imageName; };

  # The limit for the builder. The store path does not depend on it.
  bound =
    if size == null then
      (if maxSize == null then { } else { inherit maxSize; })
    else if !isSize size then
      throw "${caller}: `size` must be a whole number of bytes, at most 1 TiB"
    else
      { size = kind.sizeOf size; };
in
mkDerivation (
  _:
  blobAttributes (
    attributes hex
    // {
      outputHash = hex;
      name = if name != null then name else kind.nameOf hex;
      inherit preferLocalBuild;
      inherit (location) registry repository;
    }
    // bound
    // (if alternatives == [ ] then { } else { alternatives = map locationOf alternatives; })
    // sources.mirrors mirrors
  )
  // {
    inherit meta passthru;
  }
)
