/**
  Tests of the package itself, which need no network.
*/
{
  lib,
  runCommand,
  testers,
  hocker,
}:
{
  version = testers.testVersion { package = hocker; };

  # The first ring of tests, with everything that it reads.
  it = hocker.overrideAttrs {
    pname = "hocker-tests";
    src = lib.sourceByRegex ../../. [
      "Cargo\\.(lock|toml)"
      "LICENSE"
      "[A-Z]+\\.md"
      "flake\\.nix"
      "fuzz(/Cargo\\.lock)?"
      "(docs|nix|scripts|src|tests)(/.*)?"
    ];
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
