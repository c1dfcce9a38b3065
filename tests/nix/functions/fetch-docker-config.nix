{
  config,
  configHex,
  refuses,
  casesOfFetcher,
  ...
}:
let
  drvPathOf = changes: (config changes).drvPath;
in
[
  {
    name = "a configuration is named by its hash, whatever the tag";
    seen = [
      (config { }).name
      ((config { }).outPath == (config { tag = "other"; }).outPath)
      (config { }).outputHash
    ];
    expected = [
      "docker-config-${configHex}.json"
      true
      configHex
    ];
  }
  {
    name = "a size bounds what is fetched, and without one the limit is that of documents";
    seen =
      map
        (changes: {
          size = (config changes).size or null;
          maxSize = (config changes).maxSize or null;
        })
        [
          { }
          { size = 97; }
          { size = 4194304; }
        ];
    expected = [
      {
        size = null;
        maxSize = 4194304;
      }
      {
        size = 97;
        maxSize = null;
      }
      {
        size = 4194304;
        maxSize = null;
      }
    ];
  }
  (refuses "a configuration that is larger than documents may be"
    "fetchDockerConfig: `size` is 4194305 bytes, but the limit is 4194304 bytes"
    (drvPathOf {
      size = 4194305;
    })
  )
]
++ casesOfFetcher "fetchDockerConfig" config
