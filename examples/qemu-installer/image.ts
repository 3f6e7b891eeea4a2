import { readFileSync } from 'node:fs';
import { App, build, Duration, Image, Shell, Size, str, Variable, Verify } from 'bake-sdk';
import { HostKey, QemuSource } from 'bake-sdk/qemu';

const installer = Variable.string('installer', {
  default: '/usr/lib/debian-installer/images/12/amd64/text',
  description: 'where Debian\'s package debian-installer-12-netboot-amd64 has its files',
});

/** An unattended installation of Debian over the network: its own installer, answered by a preseed file. */
class Installed extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new QemuSource(this, 'Qemu', {
      netboot: { folder: installer, bootFile: 'pxelinux.0' },
      diskSize: Size.gibibytes(3),
      memory: Size.mebibytes(1536),
      // The key of this run goes in at the end of the installation, and out again at the end of the build.
      http: { content: { '/preseed.cfg': readFileSync(new URL('./preseed.cfg', import.meta.url), 'utf8'), '/authorized_keys': str`${build.sshPublicKey}\n` } },
      // At the installer's menu, the escape key leads to a prompt.
      bootWait: Duration.seconds(12),
      bootCommand: ['<esc><wait2>', 'debian-installer/amd64/linux initrd=debian-installer/amd64/initrd.gz auto=true priority=critical ', str`url=${build.httpAddress}/preseed.cfg console=ttyS0,115200 --- console=ttyS0,115200<enter>`],
      // The machine makes its host key by itself; it is reached over a port of this computer only.
      ssh: { hostKey: HostKey.insecureAcceptAny(), timeout: Duration.hours(1) },
      trim: 'discard',
      output: 'debian.qcow2',
    });
    new Shell(this, 'Motd', { inline: ['echo "installed by bake" > /etc/motd'] });
    new Verify(this, 'Boots', { checks: [{ command: 'cat /etc/motd', stdout: 'installed by bake' }, { command: 'test ! -s /root/.ssh/authorized_keys -o "$(wc -l < /root/.ssh/authorized_keys)" = 1' }] });
  }
}

new Installed(new App(), 'Debian');
