{
  load,
  noCredentials,
  refuses,
  repeat,
  ...
}:
let
  inherit (load "blob-sources.nix") mirrors urls;
  inUrl = "fetchDockerLayer: one of the `urls` contains credentials, which must not be in the store";
  noUrl = "fetchDockerLayer: each of the `urls` must be a string of at most 4096 characters";
in
[
  {
    name = "none";
    seen = [
      (mirrors [ ])
      (urls [ ])
    ];
    expected = [
      { }
      { }
    ];
  }
  {
    name = "several";
    seen = [
      (mirrors [
        "https://a.example"
        "b.example:5000"
      ])
      (urls [
        "https://a.example/x"
        "https://b.example/@x"
      ])
    ];
    expected = [
      { mirrors = "https://a.example b.example:5000"; }
      { urls = "https://a.example/x https://b.example/@x"; }
    ];
  }
  (refuses "a mirror with credentials" noCredentials (mirrors [ "https://me:pw@a.example" ]).mirrors)
  (refuses "a URL with credentials" inUrl (urls [ "https://me:p/w@a.example/x" ]).urls)
  (refuses "a URL that is no text" noUrl (urls [ 1 ]).urls)
  (refuses "a URL without an end" noUrl (urls [ "https://a.example/${repeat 4096 "x"}" ]).urls)
]
