#!/usr/bin/env bash
# Brings what the tests need to a Debian machine that has git and Node only. Does nothing where all is there.
set -euo pipefail
packages=(
  docker.io docker-registry mmdebstrap openssh-server openssh-client sshpass zstd xz-utils lz4 pigz zip unzip sudo uidmap skopeo umoci apache2-utils tinyproxy-bin procps iproute2
  qemu-system-x86 qemu-system-arm qemu-utils ipxe-qemu ovmf qemu-efi-aarch64 swtpm swtpm-tools xorriso mtools dosfstools fdisk e2fsprogs grub-pc-bin grub-efi-amd64-bin
  cloud-init busybox-static attr openssh-sftp-server syslinux syslinux-common isolinux kmod cpio openssl python3 python3-venv debian-installer-12-netboot-amd64
)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  # A server that a package starts by itself is not wanted: the tests start their own.
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# An EC2 to test against, in a Python of its own.
moto=/opt/bake-test-moto
version=5.2.5
if [ "$("$moto/bin/python" -c 'import importlib.metadata as m; print(m.version("moto"))' 2>/dev/null || true)" != "$version" ]; then
  echo "installing moto $version"
  "${as_root[@]}" /usr/bin/python3 -m venv --clear "$moto"
  "${as_root[@]}" "$moto/bin/pip" install -q --disable-pip-version-check "moto[ec2,server,s3,ssm,sts]==$version"
fi

# The vendor's end of a session with a machine, which has no package: built from its published source.
plugin=/opt/bake-test-session-manager
commit=v0.0.0-20260401221635-b79d06c1d3a2
if [ "$(cat "$plugin/commit" 2>/dev/null || true)" != "$commit" ] && command -v go >/dev/null; then
  echo "building session-manager-plugin $commit"
  source=$(mktemp -d)
  # Its source wants the first version of a package that has changed since.
  printf 'module build\ngo 1.22\nrequire github.com/aws/session-manager-plugin %s\nreplace github.com/twinj/uuid => github.com/twinj/uuid v0.0.0-20151029044442-89173bcdda19\n' "$commit" > "$source/go.mod"
  if (cd "$source" && GOFLAGS=-mod=mod timeout 300 go build -o "$source/session-manager-plugin" github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main); then
    "${as_root[@]}" mkdir -p "$plugin"
    "${as_root[@]}" mv "$source/session-manager-plugin" "$plugin/"
    echo "$commit" | "${as_root[@]}" tee "$plugin/commit" >/dev/null
  else
    echo "session-manager-plugin could not be built: what needs it is skipped"
  fi
  rm -rf "$source"
fi
