/**
  Whether an image is in the store, or will be copied into it: a package, a path without quotes, a string that refers to a
  package, or a store path.

  # Type

  ```
  isInStore :: Derivation | Path | String -> Bool
  ```
*/
image:
builtins.isAttrs image
|| builtins.isPath image
|| builtins.hasContext image
|| builtins.match "${builtins.storeDir}/.*" image != null
