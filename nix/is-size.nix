/**
  Whether a value is the size of a blob in bytes. JSON's `1e3` and `97.0` are none, and a number beyond Nix's integers
  arrives as another kind or as a negative one.

  # Type

  ```
  isSize :: Any -> Bool
  ```
*/
value:
# 1 TiB: what is larger is not believed.
builtins.isInt value && value >= 0 && value <= 1099511627776
