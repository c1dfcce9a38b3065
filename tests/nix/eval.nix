/*
  What the functions of nix/ evaluate to, with the builtins of whatever Nix runs this:

      nix-instantiate --eval --strict --json tests/nix/eval.nix

  gives the list of the cases that failed, which must be empty. Nothing is built, so any directory does as
  the program.
*/
let
  nix = ../../nix;
  hocker = import nix {
    hocker = nix;
    system = "x86_64-linux";
  };
  inherit (hocker) fetchDockerLayer fetchDockerConfig fetchdocker;
  decodeHash = import (nix + "/decode-hash.nix") "test";
  parseReference = import (nix + "/parse-reference.nix");
  registryName = import (nix + "/registry-name.nix");
  readManifest = import (nix + "/read-manifest.nix");
  manifestText = import (nix + "/manifest-text.nix");
  printable = import (nix + "/printable.nix");
  storeName = import (nix + "/store-name.nix");
  platformOf = import (nix + "/platform.nix");
  sharedBlobs = import (nix + "/shared-blobs.nix");

  # A case is its name, what comes out, and what should; `throws` is what comes out of a throw.
  throws = "an error";
  evaluate =
    value:
    let
      result = builtins.tryEval (builtins.deepSeq value value);
    in
    if result.success then result.value else throws;
  failures =
    cases:
    builtins.concatMap (
      case:
      let
        seen = evaluate case.seen;
      in
      if seen == case.expected then [ ] else [ (case // { inherit seen; }) ]
    ) cases;

  repeat = count: text: builtins.concatStringsSep "" (builtins.genList (_: text) count);

  layerHex = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";
  layer32 = "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd";
  configHex = "054abe38b1e6f863befa4258cbfaf127b1cc9440d2e2e349b15d22e676b591e7";
  config32 = "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5";
  emptyHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  emptyBase64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

  hashes =
    map
      (pair: {
        name = "decodeHash ${builtins.toJSON (builtins.head pair)}";
        seen = decodeHash (builtins.head pair);
        expected = builtins.elemAt pair 1;
      })
      [
        [
          layerHex
          layerHex
        ]
        [
          "CD0A524342EFAC6EDFF500C17E625735BBE479C926439B263BBE3C8518A0849C"
          layerHex
        ]
        [
          "sha256:${layerHex}"
          layerHex
        ]
        [
          layer32
          layerHex
        ]
        [
          "sha256:${layer32}"
          layerHex
        ]
        [
          config32
          configHex
        ]
        [
          "sha256-${emptyBase64}"
          emptyHex
        ]
        [
          emptyBase64
          emptyHex
        ]
        [
          "sha256:${emptyBase64}"
          emptyHex
        ]
        [
          (repeat 52 "0")
          (repeat 64 "0")
        ]
        [
          "1${repeat 51 "z"}"
          (repeat 64 "f")
        ]
        [
          "sha256-${repeat 42 "/"}8="
          (repeat 64 "f")
        ]
        # Nothing that does not denote exactly 32 bytes, and no other algorithm.
        [
          "2${repeat 51 "0"}"
          throws
        ]
        [
          "e${repeat 51 "0"}"
          throws
        ]
        [
          "sha256-${repeat 42 "/"}9="
          throws
        ]
        [
          "sha256-${layerHex}"
          throws
        ]
        [
          "sha256:"
          throws
        ]
        [
          ""
          throws
        ]
        [
          (repeat 64 "g")
          throws
        ]
        [
          (repeat 63 "0")
          throws
        ]
        [
          "${repeat 63 "0"}\n"
          throws
        ]
        [
          "${layerHex}\n"
          throws
        ]
        [
          "sha512:${layerHex}"
          throws
        ]
        [
          "md5-${emptyBase64}"
          throws
        ]
        [
          null
          throws
        ]
        [
          1
          throws
        ]
      ];

  # The same hash through Nix itself: one hash, one path.
  pathOf =
    outputHash:
    (derivation {
      name = "x";
      system = "x";
      builder = "x";
      outputHashAlgo = "sha256";
      inherit outputHash;
    }).outPath;
  againstNix =
    map
      (seed: {
        name = "decodeHash agrees with Nix on ${seed}";
        # Only nix32 and hex are at hand without a builtin; the store path is the judge.
        seen = pathOf (decodeHash seed);
        expected = pathOf seed;
      })
      [
        layer32
        config32
        "1${repeat 51 "z"}"
        "0ysj00x31q08vxsznqd9pmvwa0rrzza8qqjy3hcvhallzm054cxb"
        "000y5y39fnxp2ijj8cmdgvmia6wwcrws1q6fbcr1fkf5rs2dm8lr"
        "sha256-${emptyBase64}"
        "sha256-VWm9GZ9hQl2M4lVwW3IyFPvQ3lBh+6ynlPAqyhTR8xg="
      ];

  reference = registry: repository: tag: digest: {
    inherit
      registry
      repository
      tag
      digest
      ;
  };
  references =
    map
      (pair: {
        name = "parseReference ${builtins.head pair}";
        seen = parseReference (builtins.head pair);
        expected = builtins.elemAt pair 1;
      })
      [
        [
          "debian"
          (reference "docker.io" "library/debian" null null)
        ]
        [
          "debian:12"
          (reference "docker.io" "library/debian" "12" null)
        ]
        [
          "a/b"
          (reference "docker.io" "a/b" null null)
        ]
        [
          "docker.io/debian"
          (reference "docker.io" "library/debian" null null)
        ]
        [
          "index.docker.io/a/b"
          (reference "docker.io" "a/b" null null)
        ]
        [
          "localhost/x"
          (reference "localhost" "x" null null)
        ]
        [
          "localhost:5000/a/b/c:t"
          (reference "localhost:5000" "a/b/c" "t" null)
        ]
        [
          "ghcr.io/a/b__c--d:1.0_x"
          (reference "ghcr.io" "a/b__c--d" "1.0_x" null)
        ]
        [
          "[::1]:5000/x"
          (reference "[::1]:5000" "x" null null)
        ]
        [
          "[::1]/x:t"
          (reference "[::1]" "x" "t" null)
        ]
        [
          "Upper/x"
          (reference "Upper" "x" null null)
        ]
        [
          "debian@sha256:${layerHex}"
          (reference "docker.io" "library/debian" null "sha256:${layerHex}")
        ]
        [
          "localhost:5000/x:t@sha256:${layerHex}"
          (reference "localhost:5000" "x" "t" "sha256:${layerHex}")
        ]
        # Only the bare identifier of an image is no name.
        [
          "docker.io/${layerHex}"
          (reference "docker.io" "library/${layerHex}" null null)
        ]
        [
          "${layerHex}:1"
          (reference "docker.io" "library/${layerHex}" "1" null)
        ]
        [
          ""
          throws
        ]
        [
          ":"
          throws
        ]
        [
          "debian:"
          throws
        ]
        [
          "localhost:5000/a/sha512:1"
          throws
        ]
        [
          "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
          throws
        ]
        [
          "Debian"
          throws
        ]
        [
          "a//b"
          throws
        ]
        [
          "/a"
          throws
        ]
        [
          "a/"
          throws
        ]
        [
          "../a"
          throws
        ]
        [
          "a.b/../c"
          throws
        ]
        [
          "-a.b/c"
          throws
        ]
        [
          "a:b:c"
          throws
        ]
        [
          "https://a.b/c"
          throws
        ]
        [
          "a@sha256:x"
          throws
        ]
        [
          "a@"
          throws
        ]
        [
          "a@sha512:${layerHex}"
          throws
        ]
        [
          "a:-"
          throws
        ]
        [
          "a b"
          throws
        ]
        [
          "a\nb"
          throws
        ]
        [
          layerHex
          throws
        ]
        [
          (repeat 256 "a")
          throws
        ]
      ];

  registries =
    map
      (pair: {
        name = "registryName ${builtins.head pair}";
        seen = registryName (builtins.head pair);
        expected = builtins.elemAt pair 1;
      })
      [
        [
          "https://registry-1.docker.io/v2/"
          "docker.io"
        ]
        [
          "https://index.docker.io/v1/"
          "docker.io"
        ]
        [
          "docker.io"
          "docker.io"
        ]
        [
          "http://localhost:5000/v2/"
          "localhost:5000"
        ]
        [
          "http://localhost:5000"
          "localhost:5000"
        ]
        [
          "localhost:5000"
          "localhost:5000"
        ]
        [
          "https://a.example/nexus/v2/"
          "a.example"
        ]
        [
          "https://a.example:443/v2/"
          "a.example"
        ]
        [
          "http://a.example:443/v2/"
          "a.example:443"
        ]
        [
          "http://a.example:80/v2/"
          "a.example"
        ]
        [
          "https://[::1]:5000/"
          "[::1]:5000"
        ]
        [
          "https://me:pw@a.example/v2/"
          throws
        ]
        [
          "https://me:p/w@a.example/v2/"
          throws
        ]
        [
          "https://a.example/v2/?token=pw"
          throws
        ]
        [
          ""
          throws
        ]
        [
          "https://"
          throws
        ]
      ];

  manifest =
    changes:
    builtins.toJSON (
      {
        schemaVersion = 2;
        mediaType = "application/vnd.docker.distribution.manifest.v2+json";
        config = configOf;
        layers = [ layerOf ];
      }
      // changes
    );
  configOf = {
    mediaType = "application/vnd.docker.container.image.v1+json";
    size = 1;
    digest = "sha256:${configHex}";
  };
  layerOf = {
    mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    size = 1;
    digest = "sha256:${layerHex}";
  };
  manifestDigest = "sha256:${builtins.hashString "sha256" (manifest { })}";

  manifests =
    map
      (pair: {
        name = "readManifest ${builtins.head pair}";
        seen = (readManifest "test:" (builtins.elemAt pair 1)).digest or null;
        expected = builtins.elemAt pair 2;
      })
      [
        [
          "text"
          (manifest { })
          manifestDigest
        ]
        [
          "white space"
          " \n${manifest { }}\n"
          "sha256:${builtins.hashString "sha256" " \n${manifest { }}\n"}"
        ]
        [
          "index"
          "{\"schemaVersion\":2,\"manifests\":[]}"
          throws
        ]
        [
          "both"
          (manifest { manifests = [ ]; })
          throws
        ]
        [
          "schema 1"
          "{\"schemaVersion\":1,\"fsLayers\":[]}"
          throws
        ]
        [
          "schema 3"
          (manifest { schemaVersion = 3; })
          throws
        ]
        [
          "HTML"
          "<html>"
          throws
        ]
        [
          "nothing"
          ""
          throws
        ]
        [
          "number"
          1
          throws
        ]
        [
          "a file that an expression names"
          (manifestText ./manifest.json)
          "sha256:${builtins.hashFile "sha256" ./manifest.json}"
        ]
        [
          "a path is not read"
          ./manifest.json
          throws
        ]
        [
          "a path as text is not read"
          (toString ./manifest.json)
          throws
        ]
        [
          "what would be a path if it were made text"
          { outPath = toString ./manifest.json; }
          throws
        ]
        [
          "artifact"
          (manifest { config.mediaType = "application/vnd.cncf.helm.config.v1+json"; })
          throws
        ]
        [
          "index by its type"
          (manifest { mediaType = "application/vnd.oci.image.index.v1+json"; })
          throws
        ]
      ]
    ++
      map
        (object: {
          name = "readManifest ${builtins.toJSON object}";
          seen = (readManifest "test:" (manifest object)).digest or null;
          expected = throws;
        })
        [
          { Layers = [ ]; }
          { LAYERS = null; }
          { ${long "layer\\u017f"} = [ ]; }
          { Config = { }; }
          { Manifests = [ ]; }
          {
            config = configOf // {
              Digest = "sha256:${layerHex}";
            };
          }
          { layers = [ (layerOf // { DIGEST = "sha256:${configHex}"; }) ]; }
          { layers = [ (layerOf // { ${long "url\\u017f"} = [ ]; }) ]; }
        ];

  # What Go writes of what is empty, and docker's old words for the type of a configuration.
  emptiness =
    map
      (object: {
        name = "readManifest of ${builtins.toJSON object}";
        seen = (readManifest "test:" (manifest object)).config.sha256;
        expected = configHex;
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
  # A key that Nix's own strings can only hold by way of JSON.
  long = escaped: builtins.fromJSON "\"${escaped}\"";

  # Sizes in the text of a manifest, of which a reader in another language must think the same.
  sizes =
    map
      (pair: {
        name = "a size of ${builtins.head pair}";
        seen =
          let
            text = builtins.replaceStrings [ "\"size\":1" ] [ "\"size\":${builtins.head pair}" ] (manifest { });
            read = readManifest "test:" text;
          in
          [ read.config.size ] ++ map (layer: layer.size) read.layers;
        expected =
          let
            size = builtins.elemAt pair 1;
          in
          if size == throws then
            throws
          else
            [
              size
              size
            ];
      })
      [
        [
          "0"
          0
        ]
        [
          "97"
          97
        ]
        [
          "1099511627776"
          1099511627776
        ]
        [
          "1099511627777"
          throws
        ]
        [
          "-1"
          throws
        ]
        [
          "97.0"
          throws
        ]
        [
          "1e3"
          throws
        ]
        [
          "\"97\""
          throws
        ]
        [
          "null"
          throws
        ]
        [
          "[97]"
          throws
        ]
        [
          "{}"
          throws
        ]
        # Beyond the integers of Nix, and beyond those of C.
        [
          "99999999999999999999"
          throws
        ]
      ];

  image = fetchdocker {
    image = "localhost:5000/team/app:1";
    imageManifest = manifest { };
  };
  classic = hocker.callImage ./classic.nix;
  pinned = hocker.callImage (
    { fetchdocker }:
    fetchdocker {
      name = "debian";
      registry = "https://registry-1.docker.io/v2/";
      repository = "library";
      imageName = "debian";
      imageManifest = manifest { };
    }
  );

  pick = drv: {
    inherit (drv)
      image
      imageName
      imageTag
      manifestDigest
      ;
  };
  layer =
    changes:
    fetchDockerLayer (
      {
        imageName = "debian";
        layerDigest = layerHex;
        sha256 = layer32;
      }
      // changes
    );
  config =
    changes:
    fetchDockerConfig (
      {
        imageName = "debian";
        tag = "jessie";
        sha256 = config32;
      }
      // changes
    );

  functions = [
    {
      name = "a layer is named by its hash alone";
      seen = (layer { }).name;
      expected = "docker-layer-${layerHex}.tar.gz";
    }
    {
      name = "a layer has the path that caches of the classic fetcher have";
      # What `nix-store --print-fixed-path`'s rule for flat hashes gives.
      seen = (layer { }).outPath;
      expected =
        (derivation {
          name = "docker-layer-${layerHex}.tar.gz";
          system = "x";
          builder = "x";
          outputHashAlgo = "sha256";
          outputHashMode = "flat";
          outputHash = layer32;
        }).outPath;
    }
    {
      name = "registry, repository and spelling do not change the path of a layer";
      seen = map (changes: (layer changes).outPath == (layer { }).outPath) [
        {
          registry = "localhost:5000";
          repository = "";
        }
        { repository = "a/b/c"; }
        {
          sha256 = null;
          hash = "sha256:${layerHex}";
          layerDigest = "sha256:${layerHex}";
        }
        { unknown = true; }
        { size = 97; }
      ];
      expected = [
        true
        true
        true
        true
        true
      ];
    }
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
      name = "a name is taken, and so `testers.invalidateFetcherByDrvHash` of nixpkgs does what it should";
      seen = map (derivation: derivation.name) [
        (layer { name = "salted"; })
        (config { name = "salted"; })
      ];
      expected = [
        "salted"
        "salted"
      ];
    }
    {
      name = "meta and passthru are attributes, and no part of a derivation";
      seen =
        map
          (
            f:
            let
              with' = f {
                meta.description = "x";
                passthru.tests = [ ];
              };
            in
            {
              inherit (with') meta tests;
              same = with'.drvPath == (f { }).drvPath;
            }
          )
          [
            layer
            config
            (
              arguments:
              fetchdocker (
                arguments
                // {
                  image = "a";
                  imageConfig = config { };
                  imageLayers = [ ];
                }
              )
            )
          ];
      expected =
        map
          (same: {
            meta.description = "x";
            tests = [ ];
            inherit same;
          })
          [
            true
            true
            true
          ];
    }
    {
      name = "a size bounds what is fetched, and where it is not known there is a limit";
      seen =
        map
          (drv: [
            (drv.size or null)
            (drv.maxSize or null)
          ])
          [
            (layer { })
            (layer { size = 97; })
            (config { })
            (config { size = 97; })
          ];
      expected = [
        [
          null
          null
        ]
        [
          97
          null
        ]
        [
          null
          4194304
        ]
        [
          97
          null
        ]
      ];
    }
    {
      name = "the sizes of a manifest bound the fetches";
      seen =
        let
          drv = fetchdocker {
            image = "a";
            imageManifest = builtins.readFile ./manifest.json;
          };
          spec = drv.imageSpec;
          isOf = file: builtins.head (builtins.attrNames (builtins.getContext file.path));
          read = readManifest "test:" (builtins.readFile ./manifest.json);
        in
        map isOf ([ spec.config ] ++ spec.layers)
        == map (drv: builtins.unsafeDiscardStringContext drv.drvPath) (
          [ (fetchDockerConfig ({ imageName = "a"; } // read.config)) ]
          ++ map (layer: fetchDockerLayer ({ imageName = "a"; } // layer)) read.layers
        );
      expected = true;
    }
    {
      name = "what is no size";
      seen =
        map
          (size: [
            (evaluate (layer { inherit size; }).drvPath)
            (evaluate (config { inherit size; }).drvPath)
          ])
          [
            (-1)
            1.0
            "97"
            1099511627777
          ];
      expected = builtins.genList (_: [
        throws
        throws
      ]) 4;
    }
    {
      name = "a configuration that is larger than documents may be";
      seen = map (size: (builtins.tryEval (config { inherit size; }).drvPath).success) [
        4194304
        4194305
      ];
      expected = [
        true
        false
      ];
    }
    {
      name = "no hash";
      seen = (layer { sha256 = null; }).drvPath;
      expected = throws;
    }
    {
      name = "two hashes";
      seen = (config { hash = config32; }).drvPath;
      expected = throws;
    }
    {
      name = "a layerDigest that disagrees";
      seen = (layer { layerDigest = configHex; }).drvPath;
      expected = throws;
    }
    {
      name = "a layerDigest that is no digest";
      seen = (layer { layerDigest = "../../x"; }).drvPath;
      expected = throws;
    }
    {
      name = "registries and mirrors become part of a derivation as they are";
      seen =
        let
          drv = layer {
            registry = "http://localhost:5000/v2/";
            mirrors = [
              "https://a.example"
              "b.example:5000"
            ];
          };
        in
        [
          drv.registry
          drv.mirrors
        ];
      expected = [
        "http://localhost:5000/v2/"
        "https://a.example b.example:5000"
      ];
    }
    {
      name = "credentials in the URL of a registry or mirror become part of no derivation";
      seen =
        map
          (
            changes:
            map (drv: (builtins.tryEval drv.drvPath).success) [
              (layer changes)
              (config changes)
              (fetchdocker (
                {
                  imageName = "debian";
                  imageManifest = manifest { };
                }
                // changes
              ))
            ]
          )
          [
            { registry = "https://me:hunter2@r.example/v2/"; }
            { registry = "me:hunter2@r.example"; }
            { registry = "https://me:hunt/er2@r.example/v2/"; }
            { mirrors = [ "https://me:hunter2@r.example" ]; }
            {
              mirrors = [
                "https://r.example"
                "https://token@r.example/v2/"
              ];
            }
          ];
      expected = builtins.genList (_: [
        false
        false
        false
      ]) 5;
    }
    {
      name = "the short form";
      seen = pick image;
      expected = {
        image = "localhost:5000/team/app:1";
        imageName = "localhost:5000/team/app";
        imageTag = "1";
        inherit manifestDigest;
      };
    }
    {
      name = "the classic expression";
      seen = pick classic // {
        inherit (classic) name;
        inherit (classic.imageSpec) repoTags reference manifest;
        layers = map (file: file.digest) classic.imageSpec.layers;
        config = classic.imageSpec.config.digest;
      };
      expected = {
        image = "debian:jessie";
        imageName = "debian";
        imageTag = "jessie";
        manifestDigest = null;
        name = "debian";
        repoTags = [
          "debian:jessie"
          "registry-1.docker.io/v2/library/debian:jessie"
        ];
        reference = "docker.io/library/debian:jessie";
        manifest = null;
        layers = [ layerHex ];
        config = configHex;
      };
    }
    {
      name = "an expression with a manifest has one tag, latest where none is said";
      seen = pick pinned // {
        inherit (pinned.imageSpec) repoTags manifest;
        layers = map (file: file.path) pinned.imageSpec.layers;
      };
      expected = {
        image = "debian:latest";
        imageName = "debian";
        imageTag = "latest";
        inherit manifestDigest;
        repoTags = [ "debian:latest" ];
        manifest = manifest { };
        layers = [ (layer { }).outPath ];
      };
    }
    {
      name = "an image that is known by its digest alone takes nobody's tag";
      seen =
        map
          (
            where:
            let
              drv = fetchdocker (where // { imageManifest = manifest { }; });
            in
            pick drv // { inherit (drv.imageSpec) repoTags reference tag; }
          )
          [
            { image = "debian@${manifestDigest}"; }
            {
              imageName = "debian";
              tag = null;
            }
          ];
      expected =
        let
          each = {
            image = "debian@${manifestDigest}";
            imageName = "debian";
            imageTag = null;
            inherit manifestDigest;
            repoTags = [ ];
            reference = "docker.io/library/debian@${manifestDigest}";
            tag = null;
          };
        in
        [
          each
          each
        ];
    }
    {
      name = "a tag beside the digest is the name";
      seen = pick (fetchdocker {
        image = "debian:12@${manifestDigest}";
        imageManifest = manifest { };
      });
      expected = {
        image = "debian:12";
        imageName = "debian";
        imageTag = "12";
        inherit manifestDigest;
      };
    }
    {
      name = "the manifest as a file is the manifest as text";
      seen =
        map
          (
            imageManifest:
            (fetchdocker {
              inherit imageManifest;
              image = "a";
            }).outPath
          )
          [
            ./manifest.json
            (toString ./manifest.json)
          ];
      expected =
        let
          text =
            (fetchdocker {
              imageManifest = builtins.readFile ./manifest.json;
              image = "a";
            }).outPath;
        in
        [
          text
          text
        ];
    }
    {
      name = "where all is given, all agrees";
      seen =
        (fetchdocker {
          image = "localhost:5000/team/app:1@${manifestDigest}";
          imageManifest = manifest { };
          imageConfig = config { };
          imageLayers = [ (layer { }) ];
        }).outPath;
      expected = image.outPath;
    }
    {
      name = "plain files are hashed by the builder";
      seen =
        let
          spec =
            (fetchdocker {
              imageName = "x";
              imageConfig = ./classic.nix;
              imageLayers = [ ];
            }).imageSpec;
        in
        [
          spec.config.digest
          spec.layers
          (builtins.hasContext spec.config.path)
        ];
      expected = [
        null
        [ ]
        true
      ];
    }
    {
      name = "a repository without a slash";
      seen =
        (fetchdocker {
          registry = "http://localhost:5000/v2/";
          repository = "";
          imageName = "app";
          imageManifest = manifest { };
        }).image;
      expected = "localhost:5000/app:latest";
    }
    {
      name = "the streaming output is a path of its own";
      seen = image.stream.outPath != image.outPath && image.stream.outputName == "stream";
      expected = true;
    }
  ]
  ++
    map
      (pair: {
        name = builtins.head pair;
        seen = (fetchdocker (builtins.elemAt pair 1)).outPath;
        expected = throws;
      })
      [
        [
          "fetchdocker: nothing"
          { }
        ]
        [
          "fetchdocker: no content"
          { image = "a"; }
        ]
        [
          "fetchdocker: two ways to say where"
          {
            image = "a";
            imageName = "a";
            imageManifest = manifest { };
          }
        ]
        [
          "fetchdocker: a tag beside `image`"
          {
            image = "a";
            tag = null;
            imageManifest = manifest { };
          }
        ]
        [
          "fetchdocker: neither a tag nor a digest"
          {
            imageName = "a";
            tag = null;
            imageConfig = config { };
            imageLayers = [ ];
          }
        ]
        [
          "fetchdocker: the configuration disagrees"
          {
            image = "a";
            imageManifest = manifest { };
            imageConfig = config { sha256 = layer32; };
          }
        ]
        [
          "fetchdocker: a layer disagrees"
          {
            image = "a";
            imageManifest = manifest { };
            imageLayers = [
              (layer {
                sha256 = config32;
                layerDigest = null;
              })
            ];
          }
        ]
        [
          "fetchdocker: the number of layers disagrees"
          {
            image = "a";
            imageManifest = manifest { };
            imageLayers = [ ];
          }
        ]
        [
          "fetchdocker: the digest disagrees"
          {
            image = "a@sha256:${layerHex}";
            imageManifest = manifest { };
          }
        ]
        [
          "fetchdocker: a digest that nothing proves"
          {
            image = "a@sha256:${layerHex}";
            imageConfig = config { };
            imageLayers = [ ];
          }
        ]
        [
          "fetchdocker: a layer of sha512"
          {
            image = "a";
            imageManifest = manifest { layers = [ { digest = "sha512:${layerHex}${layerHex}"; } ]; };
          }
        ]
      ];

  names =
    map
      (pair: {
        name = "storeName ${builtins.head pair}";
        seen = storeName (builtins.head pair);
        expected = builtins.elemAt pair 1;
      })
      [
        [
          "debian"
          "debian"
        ]
        [
          "team/app b"
          "team-app-b"
        ]
        [
          ".x"
          "image.x"
        ]
        [
          ""
          "image"
        ]
        [
          "é\${x}"
          "-x-"
        ]
        [
          (repeat 300 "a")
          (repeat 180 "a")
        ]
      ];

  platforms =
    map
      (pair: {
        name = "platform ${builtins.head pair}";
        seen = platformOf (builtins.head pair);
        expected = builtins.elemAt pair 1;
      })
      [
        [
          "x86_64-linux"
          "linux/amd64"
        ]
        [
          "aarch64-darwin"
          "linux/arm64"
        ]
        [
          "armv7l-linux"
          "linux/arm/v7"
        ]
        [
          "riscv64-linux"
          "linux/riscv64"
        ]
      ];

  messages =
    map
      (pair: {
        name = "printable ${builtins.toJSON (builtins.head pair)}";
        seen = printable (builtins.head pair);
        expected = builtins.elemAt pair 1;
      })
      [
        [
          "ghcr.io/a/b:1"
          "ghcr.io/a/b:1"
        ]
        [
          "a\nb\r\tc"
          "a?b?c"
        ]
        [
          # An escape sequence, and a character that turns the direction of text.
          (builtins.fromJSON ''"a\u001b[2Jb\u202ec"'')
          "a?[2Jb?c"
        ]
        [
          (repeat 300 "a")
          (repeat 200 "a")
        ]
        [
          { outPath = "/x"; }
          "something that is not a text"
        ]
      ];

  lockFile = ./docker-images.lock.json;
  locked = hocker.importLock { inherit lockFile; };
  lockedForArm = hocker.importLock {
    inherit lockFile;
    platform = "linux/arm64";
    mirrors = [ "https://mirror.example" ];
  };
  # The same with another text in the file. Evaluation without a store can write none.
  lockText =
    value:
    builtins.scopedImport
      {
        builtins = builtins // {
          readFile = _: builtins.toJSON value;
        };
      }
      (nix + "/import-lock.nix")
      {
        system = "x86_64-linux";
        inherit
          parseReference
          registryName
          readManifest
          platformOf
          fetchDockerLayer
          fetchDockerConfig
          ;
        fetchdockerWith =
          fetchers:
          import (nix + "/fetchdocker.nix") (
            {
              program = "/bin/hocker";
              interpreter = "/bin/hocker";
              system = "x86_64-linux";
              decodeHash = import (nix + "/decode-hash.nix");
              inherit parseReference registryName;
            }
            // fetchers
          );
      }
      { inherit lockFile; };
  lockValue = builtins.fromJSON (builtins.readFile lockFile);
  withImage =
    image:
    lockText (
      lockValue
      // {
        images.app = lockValue.images.app // image;
      }
    );

  withManifest =
    manifest:
    withImage {
      platforms."linux/amd64" = lockValue.images.app.platforms."linux/amd64" // {
        inherit manifest;
      };
    };

  # A locked image of one platform.
  lockedAs =
    reference: config: layers:
    let
      descriptor = hex: {
        mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
        digest = "sha256:${hex}";
        size = 1;
      };
      described = {
        config = descriptor config // {
          mediaType = "application/vnd.oci.image.config.v1+json";
        };
        layers = map descriptor layers;
      };
    in
    {
      inherit reference;
      platforms."linux/amd64" = described // {
        manifest = manifest described;
      };
    };
  lockedImages =
    images:
    lockText {
      version = 1;
      inherit images;
    };
  base = repeat 64 "a";
  # Web and database on one base; the second web image is in the first one's repository, and the copy is the same
  # image in another registry.
  web = lockedAs "docker.io/library/web:1" (repeat 64 "1") [
    base
    (repeat 64 "b")
  ];
  web2 = lockedAs "docker.io/library/web:2" (repeat 64 "2") [
    base
    (repeat 64 "c")
  ];
  database = lockedAs "docker.io/library/database:1" (repeat 64 "3") [
    base
    (repeat 64 "d")
  ];
  copy = web // {
    reference = "ghcr.io/team/web:1";
  };
  # The same image with another list of layers beside its manifest.
  withLayers =
    change:
    web
    // {
      platforms."linux/amd64" =
        let
          one = web.platforms."linux/amd64";
        in
        one // { layers = change one.layers; };
    };
  derivationOf = file: builtins.head (builtins.attrNames (builtins.getContext file.path));
  layerDerivations = image: map derivationOf image.imageSpec.layers;
  blobPaths = image: map (file: file.path) (image.imageSpec.layers ++ [ image.imageSpec.config ]);
  # What a fetcher would be called with.
  callOf =
    images: digest:
    (sharedBlobs {
      fetchDockerLayer = given: given;
      fetchDockerConfig = given: given;
    } { mirrors = [ ]; } images).fetchDockerLayer
      { sha256 = digest; };
  sizeOf = images: (callOf images base).size;
  placesOf =
    images: digest:
    let
      called = callOf images digest;
    in
    map (one: "${one.registry or "-"} ${one.repository or "-"} ${one.imageName or "-"}") (
      [ called ] ++ called.alternatives or [ ]
    )
    ++ called.urls or [ ];
  hasBase = registry: repository: imageName: urls: {
    where = { inherit registry repository imageName; };
    blobs = [
      {
        digest = "sha256:${base}";
        size = 1;
      }
    ];
    urls = if urls == [ ] then { } else { "sha256:${base}" = urls; };
  };
  several = [
    (hasBase "ghcr.io" "team" "web" [ ])
    (hasBase "https://registry-1.docker.io/v2/" "library" "web" [ "https://b.example/x" ])
    (hasBase "ghcr.io" "" "web" [ ])
    (hasBase "ghcr.io" "team" "web" [
      "https://a.example/x"
      "https://b.example/x"
    ])
  ];
  shared = [
    {
      name = "sharedBlobs: all places, each once, by registry and repository";
      seen = placesOf several base;
      expected = [
        "ghcr.io  web"
        "ghcr.io team web"
        "https://registry-1.docker.io/v2/ library web"
        "https://b.example/x"
        "https://a.example/x"
      ];
    }
    {
      name = "sharedBlobs: images that disagree about the size of a layer";
      seen = sizeOf (
        several
        ++ [
          (
            builtins.head several
            // {
              blobs = [
                {
                  digest = "sha256:${base}";
                  size = 2;
                }
              ];
            }
          )
        ]
      );
      expected = throws;
    }
    {
      name = "sharedBlobs: the size on which they agree";
      seen = sizeOf several;
      expected = 1;
    }
    {
      name = "sharedBlobs: one place is no choice";
      seen = placesOf [ (builtins.head several) ] base;
      expected = [ "ghcr.io team web" ];
    }
    {
      name = "sharedBlobs: what no image is known to have is fetched as it is asked for";
      seen = placesOf several (repeat 64 "0");
      expected = [ "- - -" ];
    }
    {
      name = "importLock: images of different repositories have one derivation of a layer that they share";
      seen =
        let
          images = lockedImages { inherit web web2 database; };
          layers = builtins.mapAttrs (_: layerDerivations) images;
          base = map (name: builtins.head layers.${name}) (builtins.attrNames layers);
        in
        [
          (builtins.all (one: one == builtins.head base) base)
          (builtins.elemAt layers.web 1 == builtins.elemAt layers.web2 1)
        ];
      expected = [
        true
        false
      ];
    }
    {
      name = "importLock: one image in two registries has one derivation of each blob";
      seen =
        let
          images = lockedImages { inherit web copy; };
        in
        [
          (layerDerivations images.web == layerDerivations images.copy)
          (derivationOf images.web.imageSpec.config == derivationOf images.copy.imageSpec.config)
          (images.web.drvPath == images.copy.drvPath)
        ];
      expected = [
        true
        true
        false
      ];
    }
    {
      name = "importLock: an image more changes derivations and no path";
      seen =
        let
          before = lockedImages { inherit web; };
          after = lockedImages { inherit web database; };
        in
        [
          (builtins.head (layerDerivations before.web) == builtins.head (layerDerivations after.web))
          (builtins.elemAt (layerDerivations before.web) 1 == builtins.elemAt (layerDerivations after.web) 1)
          (blobPaths before.web == blobPaths after.web)
        ];
      expected = [
        false
        true
        true
      ];
    }
    {
      name = "importLock: what images are called, and others of a repository, make no difference";
      seen =
        let
          before = lockedImages { inherit web database; };
          after = lockedImages {
            a = database;
            z = web;
            inherit web2;
          };
        in
        layerDerivations before.web == layerDerivations after.z;
      expected = true;
    }
    {
      name = "importLock: images for other platforms are asked too, and have the same derivation";
      seen =
        let
          arm = {
            inherit (database) reference;
            platforms."linux/arm64" = database.platforms."linux/amd64";
          };
          images = lockedImages { inherit web arm; };
          both = lockedImages { inherit web database; };
        in
        layerDerivations images.web == layerDerivations both.web;
      expected = true;
    }
    {
      name = "importLock: a manifest that is broken leaves images alone that share nothing with it";
      seen =
        (lockedImages {
          inherit web;
          broken = {
            inherit (database) reference;
            platforms."linux/amd64" = {
              manifest = "{";
              config = {
                digest = "sha256:${repeat 64 "3"}";
                size = 1;
              };
              layers = [
                {
                  digest = "sha256:${repeat 64 "d"}";
                  size = 1;
                }
              ];
            };
          };
        }).web.image;
      expected = "web:1";
    }
    {
      name = "importLock: credentials in the URL of a registry that has the layer too";
      seen =
        (lockedImages {
          inherit web;
          database = database // {
            registry = "https://me:pw@ghcr.io/v2/";
          };
        }).web.drvPath;
      expected = throws;
    }
    {
      name = "other places of a blob are in its derivation, and change no path";
      seen =
        map
          (
            fetch:
            let
              drv = fetch {
                alternatives = [
                  {
                    registry = "ghcr.io";
                    repository = "";
                    imageName = "debian";
                  }
                  { imageName = "nginx"; }
                ];
              };
            in
            [
              drv.alternatives
              (drv.outPath == (fetch { }).outPath)
              (fetch { } ? alternatives)
              (fetch { alternatives = [ ]; } == fetch { })
            ]
          )
          [
            layer
            config
          ];
      expected = builtins.genList (_: [
        [
          {
            registry = "ghcr.io";
            repository = "debian";
          }
          {
            registry = "https://registry-1.docker.io/v2/";
            repository = "library/nginx";
          }
        ]
        true
        false
        true
      ]) 2;
    }
    {
      name = "credentials in the URL of a foreign layer become part of no derivation";
      seen = map (url: (builtins.tryEval (layer { urls = [ url ]; }).drvPath).success) [
        "https://r.example/x"
        "https://r.example:8443/x@1?a=b@c"
        "https://r.example/x?signature=a@b"
        "https://me:pw@r.example/x"
        "https://me@r.example/x"
        "https://me:p/w@r.example/x"
        "https:\\\\me:pw@r.example/x"
        "https:me:pw@r.example/x"
        { outPath = "https://r.example/x"; }
      ];
      expected = [
        true
        true
        true
        false
        false
        false
        false
        false
        false
      ];
    }
    {
      name = "credentials in the URL of another place become part of no derivation";
      seen =
        (layer {
          alternatives = [
            {
              registry = "https://me:pw@ghcr.io/v2/";
              imageName = "debian";
            }
          ];
        }).drvPath;
      expected = throws;
    }
  ];

  locks = [
    {
      name = "importLock: the names";
      seen = builtins.attrNames locked;
      expected = [
        "app"
        "debian"
        "nested"
        "pinned"
      ];
    }
    {
      name = "importLock: how the images are called";
      seen = map (name: locked.${name}.image) (builtins.attrNames locked);
      expected = [
        "ghcr.io/team/app:1"
        "debian:12"
        "a.example/app:1"
        "ghcr.io/team/app:2"
      ];
    }
    {
      name = "importLock: another platform is another manifest";
      seen = locked.app.manifestDigest != lockedForArm.app.manifestDigest;
      expected = true;
    }
    {
      name = "importLock: the same as what fetchdocker makes of the manifest";
      seen = locked.app.drvPath;
      expected =
        (fetchdocker {
          image = "ghcr.io/team/app:1";
          imageManifest = lockValue.images.app.platforms."linux/amd64".manifest;
        }).drvPath;
    }
    {
      name = "importLock: the file's http:// is marked, since it is not the user's word";
      seen =
        let
          fetchLockedBlob = import (nix + "/fetch-locked-blob.nix") {
            fetchBlob = arguments: arguments.attributes "x" ? registryFrom;
          };
          isMarked =
            registries:
            fetchLockedBlob {
              registry = builtins.head registries;
              alternatives = map (registry: { inherit registry; }) (builtins.tail registries);
              attributes = _: { };
            };
        in
        map isMarked [
          [ "ghcr.io" ]
          [ "https://ghcr.io/v2/" ]
          [
            "https://ghcr.io/v2/"
            "localhost:5000"
          ]
          [ "http://ghcr.io/v2/" ]
          [ "HTTP://ghcr.io/v2/" ]
          [ " http://ghcr.io/v2/" ]
          [
            "ghcr.io"
            "http://registry.example/v2/"
          ]
        ];
      expected = [
        false
        false
        false
        true
        true
        true
        true
      ];
    }
    {
      name = "importLock: a registry behind a path is asked there";
      seen =
        builtins.match ".*nexus.*" (builtins.toJSON locked.nested.drvAttrs.imageSpec.reference) == null;
      expected = true;
    }
    {
      name = "importLock: a platform that is not locked";
      seen = lockedForArm.debian.drvPath;
      expected = throws;
    }
    {
      name = "importLock: one that is not locked leaves the others alone";
      seen = lockedForArm.app.image;
      expected = "ghcr.io/team/app:1";
    }
    {
      name = "importLock: a newer version";
      seen = lockText (lockValue // { version = 2; });
      expected = throws;
    }
    {
      name = "importLock: another file";
      seen = lockText { name = "package-lock"; };
      expected = throws;
    }
    {
      name = "importLock: credentials in a registry's URL";
      seen = (withImage { registry = "https://me:pw@ghcr.io/v2/"; }).app.drvPath;
      expected = throws;
    }
    {
      name = "importLock: a registry without a word is none";
      seen = (withImage { registry = null; }).app.drvPath;
      expected = (withImage { }).app.drvPath;
    }
    {
      name = "importLock: a registry that is another one than the reference names";
      seen = (withImage { registry = "https://r.example/v2/"; }).app.drvPath;
      expected = throws;
    }
    {
      name = "importLock: a manifest that is the name of a file";
      seen = map (manifest: evaluate (withManifest manifest).app.drvPath) [
        (toString ./manifest.json)
        "./manifest.json"
        "file://${toString ./manifest.json}"
        { outPath = toString ./manifest.json; }
        [ ]
        null
        1
      ];
      expected = builtins.genList (_: throws) 7;
    }
    {
      name = "importLock: layers that are not the manifest's";
      seen = map (change: evaluate (lockedImages { web = withLayers change; }).web.drvPath) [
        (layers: [ ])
        (layers: layers ++ layers)
        (map (layer: layer // { digest = "sha256:${repeat 64 "9"}"; }))
        (map (layer: layer // { size = 2; }))
        (map (layer: layer // { size = 1.5; }))
      ];
      expected = builtins.genList (_: throws) 5;
    }
    {
      name = "importLock: images that disagree about the size of a layer that they share";
      seen =
        let
          images = lockedImages {
            inherit web;
            database = database // {
              platforms."linux/amd64" = builtins.fromJSON (
                builtins.replaceStrings [ "\"size\":1" "\\\"size\\\":1" ] [ "\"size\":2" "\\\"size\\\":2" ] (
                  builtins.toJSON database.platforms."linux/amd64"
                )
              );
            };
          };
        in
        map (name: evaluate images.${name}.drvPath) (builtins.attrNames images);
      expected = [
        throws
        throws
      ];
    }
    {
      name = "importLock: a version that is not a whole number";
      seen = map (version: evaluate (lockText (lockValue // { inherit version; }))) [
        1.5
        "1"
        { }
      ];
      expected = [
        throws
        throws
        throws
      ];
    }
    {
      name = "importLock: a reference that leads out of the registry";
      seen = (withImage { reference = "ghcr.io/../../etc:1"; }).app.drvPath;
      expected = throws;
    }
    {
      name = "importLock: a digest that is a path";
      seen =
        (withImage {
          platforms."linux/amd64" = lockValue.images.app.platforms."linux/amd64" // {
            manifest =
              builtins.replaceStrings
                [ (builtins.head (lockValue.images.app.platforms."linux/amd64".layers)).digest ]
                [ "sha256:../../x" ]
                lockValue.images.app.platforms."linux/amd64".manifest;
          };
        }).app.drvPath;
      expected = throws;
    }
  ];
in
failures (
  hashes
  ++ againstNix
  ++ references
  ++ registries
  ++ manifests
  ++ emptiness
  ++ sizes
  ++ functions
  ++ names
  ++ platforms
  ++ messages
  ++ shared
  ++ locks
)
