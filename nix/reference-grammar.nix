/**
  The grammar of references, as regular expressions of `builtins.match`.

  Source: github.com/distribution/reference.

  # Type

  ```
  referenceGrammar :: { registry, repository, tag, digest :: String }
  ```
*/
let
  label = "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?";
  # A number of at most 65535.
  port = "0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
  component = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";
in
{
  registry = "(${label}(\\.${label})*|\\[[0-9a-fA-F:.]+])(:${port})?";
  repository = "${component}(/${component})*";
  tag = "[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}";
  digest = "sha256:[0-9a-f]{64}";
}
