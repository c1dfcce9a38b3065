/**
  Returns the command that updates a lock file, in the form of nixpkgs' `passthru.updateScript`.

  # Inputs

  `lockFile`
  : the path of the lock file, relative to the root of the repository. A path value would name a copy in the store.

  # Type

  ```
  lockUpdateScript :: String -> [ String ]
  ```

  # Example

  ```nix
  passthru.updateScript = lockUpdateScript "pkgs/by-name/my/my-app/docker-images.lock.json";
  ```
*/
{ program }:
lockFile:
if builtins.isString lockFile && builtins.match "[^/-].*" lockFile != null then
  [
    program
    "lock"
    "update"
    "--lock-file"
    lockFile
  ]
else
  throw "lockUpdateScript: the lock file must be a relative path as a string, like \"pkgs/app/docker-images.lock.json\""
