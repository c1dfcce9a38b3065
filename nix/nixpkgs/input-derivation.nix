/**
  Returns the derivation whose closure is everything that a build needs. The one of `stdenv` does not find store paths in
  nested attributes, such as the layers of an image, and keeps `unsafeDiscardReferences`, which hides all of them.

  # Inputs

  `stdenv`
  : a `stdenv` of nixpkgs

  `attributes`
  : the attributes of the derivation that needs the inputs, also as final attributes

  # Type

  ```
  inputDerivation :: Stdenv -> AttrSet -> Derivation
  ```
*/
stdenv: attributes:
derivation {
  name = "inputDerivation-${attributes.name}";
  inherit (stdenv.buildPlatform) system;
  builder = stdenv.shell;
  args = [
    "-c"
    ''printf '%s\n' "$(<"$inputsPath")" > "$out"''
  ];
  inputs = builtins.toJSON (
    removeAttrs attributes [
      "finalPackage"
      "meta"
      "overrideAttrs"
      "passthru"
      "pos"
    ]
  );
  # A manifest may be longer than a variable of the environment.
  passAsFile = [ "inputs" ];
  preferLocalBuild = true;
}
