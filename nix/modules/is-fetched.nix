/**
  Whether this is what `fetchdocker` made, and so knows its own name.

  # Type

  ```
  isFetched :: Lib -> Any -> Bool
  ```
*/
lib: image:
lib.isDerivation image && image ? imageSpec && image ? imageName && image ? manifestDigest
