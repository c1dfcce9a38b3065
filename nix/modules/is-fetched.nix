/**
  Whether an image is a result of `fetchdocker`, which has a name.

  # Type

  ```
  isFetched :: Lib -> Any -> Bool
  ```
*/
lib: image:
lib.isDerivation image && image ? imageSpec && image ? imageName && image ? manifestDigest
