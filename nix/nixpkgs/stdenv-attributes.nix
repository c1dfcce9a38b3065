/**
  Returns the attributes of a derivation in the form that `stdenv.mkDerivation` takes. hocker stays the builder: no shell
  runs.

  # Inputs

  `lib`
  : the `lib` of nixpkgs

  `attributes`
  : the attributes for `derivation`, with `meta` and `passthru`

  # Type

  ```
  stdenvAttributes :: Lib -> AttrSet -> AttrSet
  ```
*/
lib: attributes:
let
  proxies = lib.fetchers.proxyImpureEnvVars;
in
removeAttrs attributes [
  # `mkDerivation` sets it to the build platform, whose hocker is the builder.
  "system"
  "builder"
]
// {
  realBuilder = attributes.builder;
  strictDeps = true;
}
// lib.optionalAttrs (attributes ? impureEnvVars) {
  impureEnvVars = proxies ++ lib.subtractLists proxies attributes.impureEnvVars;
}
