{
  load,
  casesOf,
  escaped,
  manifest,
  manifestDigest,
  manifestFile,
  configOf,
  configHex,
  layerOf,
  layerHex,
  ...
}:
let
  readManifest = load "read-manifest.nix" "test:";
  manifestText = load "manifest-text.nix";

  digestOf = text: (readManifest text).digest;

  onePlatform = "`hocker manifest --platform linux/amd64 IMAGE` prints the manifest for one platform";
  isNone = "test: is not an image manifest; ${onePlatform}";
  noText = "test: must be the text that `hocker manifest IMAGE` prints";
  noBrace = "test: is not a manifest: the text does not begin with `{`";

  documents = [
    {
      name = "a text";
      given = manifest { };
      gives = manifestDigest;
    }
    {
      name = "a text with white space around it";
      given = " \n${manifest { }}\n";
      gives = "sha256:${builtins.hashString "sha256" " \n${manifest { }}\n"}";
    }
    {
      name = "a file that an expression names";
      given = manifestText manifestFile;
      gives = "sha256:${builtins.hashFile "sha256" manifestFile}";
    }
    {
      name = "an index";
      given = "{\"schemaVersion\":2,\"manifests\":[]}";
      throws = "test: is an index; ${onePlatform}";
    }
    {
      name = "a manifest and an index at once";
      given = manifest { manifests = [ ]; };
      throws = "test: is ambiguous: it has fields of a manifest and of an index";
    }
    {
      name = "an index by its type";
      given = manifest { mediaType = "application/vnd.oci.image.index.v1+json"; };
      throws = isNone;
    }
    {
      name = "schema 1";
      given = "{\"schemaVersion\":1,\"fsLayers\":[]}";
      throws = "test: has Docker's schema 1, which contains no config; fetch the manifest again: ${onePlatform}";
    }
    {
      name = "schema 3";
      given = manifest { schemaVersion = 3; };
      throws = isNone;
    }
    {
      name = "no configuration";
      given = manifest { config = null; };
      throws = isNone;
    }
    {
      name = "an artifact";
      given = manifest { config.mediaType = "application/vnd.cncf.helm.config.v1+json"; };
      throws = "test: is the manifest of an artifact, not of a container image (the type of its config is `application/vnd.cncf.helm.config.v1+json`)";
    }
    {
      name = "HTML";
      given = "<html>";
      throws = noBrace;
    }
    {
      name = "an empty text";
      given = "";
      throws = noBrace;
    }
    {
      name = "a number";
      given = 1;
      throws = noText;
    }
    {
      name = "a path, which is not read";
      given = manifestFile;
      throws = noText;
    }
    {
      name = "a path as text, which is not read";
      given = toString manifestFile;
      throws = noBrace;
    }
    {
      name = "a set that would be a path if it were made text";
      given = {
        outPath = toString manifestFile;
      };
      throws = noText;
    }
  ];

  ambiguous =
    map
      (row: {
        name = "with the key ${builtins.toJSON row.key}";
        given = manifest row.changes;
        throws = "test: has the ambiguous key `${row.key}`: clients written in Go ignore the case of keys, and other clients do not";
      })
      [
        {
          key = "Layers";
          changes.Layers = [ ];
        }
        {
          key = "LAYERS";
          changes.LAYERS = null;
        }
        {
          key = "Config";
          changes.Config = { };
        }
        {
          key = "Manifests";
          changes.Manifests = [ ];
        }
        {
          key = "Digest";
          changes.config = configOf // {
            Digest = "sha256:${layerHex}";
          };
        }
        {
          key = "DIGEST";
          changes.layers = [ (layerOf // { DIGEST = "sha256:${configHex}"; }) ];
        }
        # The long s, which Go takes for an s.
        {
          key = "layer?";
          changes.${escaped "layer\\u017f"} = [ ];
        }
        {
          key = "url?";
          changes.layers = [ (layerOf // { ${escaped "url\\u017f"} = [ ]; }) ];
        }
      ];

  # What Go writes where a value is empty, and Docker's old types of a configuration.
  accepted =
    map
      (changes: {
        name = "with ${builtins.toJSON changes}";
        given = changes;
        gives = configHex;
      })
      [
        { layers = null; }
        {
          layers = [
            (
              layerOf
              // {
                urls = null;
                annotations = null;
                platform = null;
              }
            )
          ];
        }
        {
          manifests = null;
          annotations = null;
          subject = null;
          artifactType = "";
        }
        { mediaType = ""; }
        { mediaType = null; }
        { schemaVersion = null; }
        {
          Other = 1;
          other = 2;
        }
        {
          config = configOf // {
            mediaType = "application/octet-stream";
          };
        }
        {
          config = configOf // {
            mediaType = "application/json";
          };
        }
        {
          config = configOf // {
            mediaType = "text/html";
          };
        }
        {
          config = configOf // {
            mediaType = "";
          };
        }
        {
          config = configOf // {
            mediaType = null;
          };
        }
      ];

  digests = [
    {
      name = "a layer of sha512";
      given = manifest { layers = [ { digest = "sha512:${layerHex}${layerHex}"; } ]; };
      throws = "test: has a layer with the digest `sha512:${layerHex}${layerHex}`; hocker supports only sha256";
    }
    {
      name = "a layer without a digest";
      given = manifest { layers = [ { size = 1; } ]; };
      throws = "test: has a layer without a digest";
    }
    {
      name = "a configuration whose digest is a path";
      given = manifest {
        config = configOf // {
          digest = "sha256:../../x";
        };
      };
      throws = "test: has a config with the digest `sha256:../../x`; hocker supports only sha256";
    }
  ];

  # A text, because a reader in another language must understand the same.
  withSize = size: builtins.replaceStrings [ "\"size\":1" ] [ "\"size\":${size}" ] (manifest { });
  sizesOf =
    size:
    let
      read = readManifest (withSize size);
    in
    [ read.config.size ] ++ map (layer: layer.size) read.layers;
  sizes =
    map
      (size: {
        name = "a size of ${toString size}";
        given = toString size;
        gives = [
          size
          size
        ];
      })
      [
        0
        97
        1099511627776
      ]
    ++
      map
        (size: {
          name = "a size of ${size}";
          given = size;
          throws = "test: has a config with a wrong size: a size is a whole number of bytes, at most 1 TiB";
        })
        [
          "1099511627777"
          "-1"
          "97.0"
          "1e3"
          "\"97\""
          "null"
          "[97]"
          "{}"
          # Beyond the integers of Nix, and beyond those of C.
          "99999999999999999999"
        ];
in
casesOf digestOf documents
++ casesOf digestOf ambiguous
++ casesOf (changes: (readManifest (manifest changes)).config.sha256) accepted
++ casesOf (
  text: with readManifest text; [
    config
    layers
  ]
) digests
++ casesOf sizesOf sizes
