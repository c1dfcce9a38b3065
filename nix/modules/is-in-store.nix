/**
  Whether an image is part of the store, or becomes part of it: a package, a path without quotes, text that
  mentions a package, or a store path.

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
