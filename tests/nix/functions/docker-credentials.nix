{ loadWith, refuses, ... }:
let
  # With these entries in the search path of Nix.
  given =
    nixPath:
    loadWith {
      builtins = builtins // {
        inherit nixPath;
      };
    } "docker-credentials.nix";
  entry = prefix: path: { inherit prefix path; };
  file = toString ./docker-credentials.nix;
in
[
  {
    name = "no entry";
    seen = given [
      (entry "nixpkgs" "/nixpkgs")
      (entry "" "/channels")
    ];
    expected = { };
  }
  {
    name = "the path of the file, which is not copied";
    seen = given [
      (entry "nixpkgs" "/nixpkgs")
      (entry "DOCKER_CREDENTIALS" file)
    ];
    expected.dockerCredentialsFile = file;
  }
  {
    name = "the first entry counts";
    seen = given [
      (entry "DOCKER_CREDENTIALS" file)
      (entry "DOCKER_CREDENTIALS" "/other")
    ];
    expected.dockerCredentialsFile = file;
  }
  (refuses "a file in the store"
    "hocker: `-I DOCKER_CREDENTIALS=…` names a file in the store, which every user can read"
    (
      loadWith {
        builtins = builtins // {
          nixPath = [ (entry "DOCKER_CREDENTIALS" "x") ];
          findFile = _: _: "${builtins.storeDir}/x";
        };
      } "docker-credentials.nix"
    )
  )
]
