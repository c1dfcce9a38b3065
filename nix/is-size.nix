/**
  Whether a value is the size of a blob in bytes. JSON's `1e3` and `97.0` are not sizes. A number beyond Nix's integers
  becomes another type or negative.

  # Type

  ```
  isSize :: Any -> Bool
  ```
*/
value:
# The maximum size is 1 TiB.
builtins.isInt value && value >= 0 && value <= 1099511627776
