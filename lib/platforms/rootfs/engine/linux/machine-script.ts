/** First line of files that are in a tree only while it is being built. */
export const placeholderMark = '# made by bake while this tree is being built';

/** Package installs must not start services: Debian's invoke-rc.d asks this program, and 101 means no. */
export const policyScript = `#!/bin/sh\n${placeholderMark}\nexit 101\n`;

/** What the first process prints when everything is in place, before its two process ids. */
export const readyWord = 'bake-machine-ready';

/**
 * The first process of a machine, run by this computer's own shell. It sets up the mounts, all of them private to its
 * namespace, moves the tree over the namespace's root, so that whoever enters is in the tree and sees nothing else, and
 * then waits for its input to end, reaping what loses its parent.
 *
 * Variables: root, dev, proc, sys, run (folders, links followed), resolv, resolv_from, policy, policy_from, hostname.
 */
export const machineScript = `
set -eu
read -r init _ _ outer _ < /proc/self/stat
umask 022
cd /
hostname "$hostname"
mount -n --bind "$root" "$root"
mkdir -p "$dev" "$proc" "$sys" "$run"
mount -n -t proc -o nosuid,nodev,noexec proc "$proc"
mount -n -t tmpfs -o mode=755,nosuid,noexec,size=1m dev "$dev"
for node in null zero full random urandom tty; do
  : > "$dev/$node"
  mount -n --bind "/dev/$node" "$dev/$node"
done
mkdir "$dev/pts" "$dev/shm"
mount -n -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts "$dev/pts"
mount -n -t tmpfs -o mode=1777,nosuid,nodev shm "$dev/shm"
ln -s pts/ptmx "$dev/ptmx"
ln -s /proc/self/fd "$dev/fd"
ln -s fd/0 "$dev/stdin"
ln -s fd/1 "$dev/stdout"
ln -s fd/2 "$dev/stderr"
mount -n -t sysfs -o ro,nosuid,nodev,noexec sysfs "$sys" 2>/dev/null || {
  mount -n --rbind /sys "$sys"
  mount -n -o remount,bind,ro,nosuid,nodev,noexec "$sys"
}
mount -n -t tmpfs -o mode=755,nosuid,nodev run "$run"
mkdir -m 1777 "$run/lock"
for name in sys sysrq-trigger irq bus fs; do
  [ -e "$proc/$name" ] || continue
  mount -n --bind "$proc/$name" "$proc/$name"
  mount -n -o remount,bind,ro,nosuid,nodev,noexec "$proc/$name"
done
place() {
  if [ -e "$2" ]; then
    mount -n --bind "$1" "$2"
  else
    mkdir -p "\${2%/*}"
    cp "$1" "$2"
    chmod "$3" "$2"
  fi
}
place "$resolv_from" "$resolv" 644
place "$policy_from" "$policy" 755
cd "$root"
mount -n --move "$root" /
exec 3<&0
cat <&3 > /dev/null &
echo "${readyWord} $init $outer"
wait
`;
