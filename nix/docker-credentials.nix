/**
  The attribute of derivations that names a credentials file, as in the classic fetchers: `-I DOCKER_CREDENTIALS=FILE`, or
  this entry in `NIX_PATH`, names it. The derivation contains the path, and never the content. Without such an entry, and
  in pure evaluation, there is no attribute.

  # Type

  ```
  dockerCredentials :: { dockerCredentialsFile? :: String }
  ```
*/
let
  name = "DOCKER_CREDENTIALS";
  isNamed = builtins.any (entry: entry.prefix == name) builtins.nixPath;
  # Not `"${…}"`, which would copy the file into the store.
  file = toString (builtins.findFile builtins.nixPath name);
  store = "${builtins.storeDir}/";
in
if !isNamed then
  { }
else if builtins.substring 0 (builtins.stringLength store) file == store then
  throw "hocker: `-I ${name}=…` names a file in the store, which every user can read"
else
  { dockerCredentialsFile = file; }
