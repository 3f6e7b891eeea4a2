import { App, File, Image, Shell, Size, Variable } from 'bake-sdk';
import { AmiLookup, Ec2Source } from 'bake-sdk/ec2';

const region = Variable.string('region', { default: 'eu-west-1', description: 'where it is built' });

/** A web server as an AMI, made of the newest Debian 12 that Debian itself publishes. */
class Web extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new Ec2Source(this, 'Ec2', {
      region,
      // Which one it was is pinned in bake.lock.json; `bake run --update=ami` looks for a newer one.
      baseImage: AmiLookup.mostRecent({ owners: ['136693071363'], name: 'debian-12-amd64-*' }),
      instanceType: ['t3.small', 't3a.small', 'm6i.large'],
      blockDevices: [{ deviceName: '/dev/xvda', size: Size.gibibytes(8), encrypted: true }],
      amiDescription: 'nginx on Debian 12',
      ssh: { user: 'admin' },
    });

    new Shell(this, 'Nginx', {
      inline: ['sudo apt-get update -qq', 'sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light', 'sudo apt-get clean'],
      retries: 2,
    });
    new File(this, 'Site', { source: './site/', destination: '/tmp/site' });
    new Shell(this, 'Install', { inline: ['sudo cp -r /tmp/site/. /var/www/html/', 'rm -r /tmp/site'] });
  }
}

new Web(new App(), 'Web');
