/**
  The two kinds of blobs that images have. For each: the name of its fetcher, for error messages; a function from the hash
  in hex to the name in the store; the limit in bytes for a blob of unknown size, or null for the builder's default; and a
  function that returns a known size, or throws because it is beyond the limit.

  # Type

  ```
  blobKinds :: { config, layer :: { caller :: String, nameOf :: String -> String, maxSize :: Int | Null, sizeOf :: Int -> Int } }
  ```
*/
{
  layer = {
    caller = "fetchDockerLayer";
    # The classic name, for every compression: existing caches have these paths.
    nameOf = hex: "docker-layer-${hex}.tar.gz";
    maxSize = null;
    sizeOf = size: size;
  };
  config = rec {
    caller = "fetchDockerConfig";
    nameOf = hex: "docker-config-${hex}.json";
    # The limit of hocker for any document.
    maxSize = 4194304;
    sizeOf =
      size:
      if size > maxSize then
        throw "${caller}: `size` is ${toString size} bytes, but the limit is ${toString maxSize} bytes"
      else
        size;
  };
}
