/**
  `fetchBlob` for an image of a lock file, which may be somebody else's. An `http://` in it is not the user's word: the
  builder learns that, and sends no credentials there.
*/
{ fetchBlob }:
{
  registry,
  alternatives,
  attributes,
  ...
}@arguments:
let
  isUrl = text: builtins.match ".*://.*" text != null;
  isHttps = text: builtins.match "https://.*" text != null;
  registries = [ registry ] ++ map (place: place.registry) alternatives;
  origin =
    if builtins.any (text: isUrl text && !isHttps text) registries then
      { registryFrom = "lock file"; }
    else
      { };
in
fetchBlob (
  arguments
  // {
    attributes = hex: attributes hex // origin;
  }
)
