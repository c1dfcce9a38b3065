/**
  The environment variables that builds get: proxies, certificate authorities, hocker's network settings and credentials.
*/
[
  "http_proxy"
  "https_proxy"
  "ftp_proxy"
  "all_proxy"
  "no_proxy"
  "HTTP_PROXY"
  "HTTPS_PROXY"
  "FTP_PROXY"
  "ALL_PROXY"
  "NO_PROXY"

  "NIX_SSL_CERT_FILE"
  "SSL_CERT_FILE"

  "DOCKER_USER"
  "DOCKER_PASS"
  "DOCKER_TOKEN"

  "HOCKER_BLOBS_FROM"
  "HOCKER_MIRRORS"
  "HOCKER_RETRIES"
  "HOCKER_RETRY_DELAY"
  "HOCKER_STALL_TIMEOUT"

  "DOCKER_AUTH_CONFIG"
  "REGISTRY_AUTH_FILE"
  "DOCKER_CONFIG"
  "NETRC"
]
