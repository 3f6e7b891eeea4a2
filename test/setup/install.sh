#!/usr/bin/env bash
# Brings what the tests need to a Debian machine that has git and Node only. Does nothing where all is there.
set -euo pipefail
packages=(docker.io docker-registry mmdebstrap openssh-server openssh-client sshpass zstd xz-utils lz4 pigz zip unzip busybox sudo uidmap skopeo umoci lz4 apache2-utils procps iproute2)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  # A server that a package starts by itself is not wanted: the tests start their own.
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
