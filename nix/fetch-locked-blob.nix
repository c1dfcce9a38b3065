/**
  `fetchBlob` for an image of a lock file. Another person may have written the lock file, so its `http://` is not a
  decision of the user: the builder sends no credentials to such a registry.
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
