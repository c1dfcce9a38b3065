/**
  The arguments of each function that have no effect, because the hash determines the content. Classic expressions contain
  them.

  # Type

  ```
  ignoredArguments :: { fetchdocker, fetchDockerLayer, fetchDockerConfig :: [ String ] }
  ```
*/
{
  fetchdocker = [ ];
  fetchDockerLayer = [
    "tag"
    "fetcher"
  ];
  fetchDockerConfig = [
    "layerDigest"
    "fetcher"
  ];
}
