/**
  Whether a registry is the URL of one without TLS. In a lock file, which another person may have written, this is not a
  decision of the user: the builder sends no credentials to such a registry.

  # Type

  ```
  isPlainHttp :: String -> Bool
  ```
*/
registry: builtins.match ".*://.*" registry != null && builtins.match "https://.*" registry == null
