{ casesOf, load, ... }:
# A file's http:// is not the user's word.
casesOf (load "is-plain-http.nix") (
  map
    (given: {
      inherit given;
      gives = false;
    })
    [
      "ghcr.io"
      "localhost:5000"
      "https://ghcr.io/v2/"
    ]
  ++
    map
      (given: {
        inherit given;
        gives = true;
      })
      [
        "http://ghcr.io/v2/"
        "HTTP://ghcr.io/v2/"
        " http://ghcr.io/v2/"
        "http://registry.example/v2/"
      ]
)
