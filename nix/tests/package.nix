/**
  Tests of the package of this source, which need no network.
*/
{
  lib,
  runCommand,
  hocker,
}:
{
  # The first ring of tests, with everything that it reads.
  it = hocker.overrideAttrs {
    pname = "hocker-tests";
    src = lib.fileset.toSource {
      root = ../../.;
      fileset = lib.fileset.unions [
        ../../CHANGELOG.md
        ../../CONTRIBUTING.md
        ../../Cargo.lock
        ../../Cargo.toml
        ../../LICENSE
        ../../README.md
        ../../SECURITY.md
        ../../docs
        ../../examples
        ../../flake.nix
        ../../fuzz/Cargo.lock
        ../../fuzz/seeds
        ../../nix
        ../../scripts
        ../../src
        ../../tests
      ];
    };
    cargoTestFlags = [
      "--test"
      "it"
    ];
  };

  installed = runCommand "hocker-test-installed" { } ''
    for name in ${toString hocker.programs}; do
      ${hocker}/bin/$name --help >/dev/null
      test -s ${hocker}/share/bash-completion/completions/$name.bash
      test -s ${hocker}/share/fish/vendor_completions.d/$name.fish
      test -s ${hocker}/share/zsh/site-functions/_$name
      test -s ${hocker}/share/man/man1/$name.1.gz
    done
    touch $out
  '';
}
