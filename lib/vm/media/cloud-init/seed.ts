import type { Asset } from '../../../image/asset.js';
import type { CompiledStep } from '../../../image/compile.js';
import type { TextInput } from '../../../image/ref.js';
import { cloudInitSeed, type CloudInitSeedSpec } from '../steps.js';

/** A document of cloud-init: an object, in which texts may be late values; a text; or a file, `Asset.fromPath('user-data')`. */
export type CloudInitDocument = Readonly<Record<string, unknown>> | TextInput | Asset;

/** What cloud-init is to do in the machine, read from a CD that bake makes (its NoCloud data source). */
export interface CloudInitProps {
  /**
   * An object is a cloud-config. A text or a file is anything that cloud-init takes: `#cloud-config`, a script, `#include`, a
   * MIME archive. What bake needs to log in is added to it: lists get longer, and where both say something, this is what counts.
   * A text or file that makes the ssh user himself must name the run's key there; in an object bake adds it.
   * @default - only what bake needs to log in
   */
  readonly userData?: CloudInitDocument;
  /** @default - the instance id and the host name */
  readonly metaData?: CloudInitDocument;
  /** The network, as netplan (version 2) or version 1. @default - cloud-init's own: DHCP on the first network card */
  readonly networkConfig?: CloudInitDocument;
  /** @default - that of metaData, or else cloud-init's own */
  readonly hostname?: TextInput;
  /** A machine that has seen this id before does nothing. @default - that of metaData, or else one that no other run has */
  readonly instanceId?: TextInput;
}

/** The names of `CloudInitProps`. */
export const cloudInitPropNames: Readonly<Record<keyof Required<CloudInitProps>, true>> = { userData: true, metaData: true, networkConfig: true, hostname: true, instanceId: true };

/** How bake gets into the machine. */
export interface SeedLogin {
  /** Made if there is none, with sudo and without a password of his own. @default 'root' */
  readonly user?: TextInput;
  /** Lines of authorized_keys that let the user in. @default - none */
  readonly authorizedKeys?: readonly TextInput[];
  /** Set as the user's password, and sshd is told to take passwords. @default - passwords are as they are */
  readonly password?: TextInput;
  /** What the machine's sshd shows, instead of keys that it would make; the private half is read from its file. @default - it makes its own */
  readonly hostKey?: { readonly privateKeyFile: TextInput; readonly publicKey: TextInput };
}

/** The step that makes the CD, whose output `file` is the image's path; its label is `cidata`. */
export function compileCloudInitSeed(props: CloudInitProps, login: SeedLogin): CompiledStep<CloudInitSeedSpec> {
  const { userData, metaData, networkConfig, hostname, instanceId } = props;
  const { user, authorizedKeys, password, hostKey } = login;
  return { kind: cloudInitSeed, title: 'CD for cloud-init', spec: { userData, metaData, networkConfig, hostname, instanceId, user, authorizedKeys, password, hostKey } };
}
