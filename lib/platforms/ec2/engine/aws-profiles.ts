import type { IAMClient } from '@aws-sdk/client-iam';
import type { Ec2Access } from '../steps.js';
import { calling, pages, unless } from './aws-call.js';
import { besideEc2, opener } from './aws-client.js';
import { tagsFrom, tagsOf } from './aws-tags.js';
import type { ProfilePort, ProfileRequest } from './profile-port.js';

/** All of bake's are below it. */
const path = '/bake/';
const inlinePolicy = 'bake';
const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }] });
const alreadyThere = /^EntityAlreadyExists/;
const notThere = /^NoSuchEntity/;
const iam = <T>(action: string, call: () => Promise<T>) => calling(action, call, 'iam');

/** Amazon's. */
export const awsProfiles = besideEc2((access): ProfilePort => new AwsProfiles(access));

class AwsProfiles implements ProfilePort {
  readonly #open;

  constructor(access: Ec2Access) {
    this.#open = opener(access, () => import('./aws-iam-sdk.js'), (sdk, options): IAMClient => new sdk.IAMClient(options));
  }

  async create({ name, policy, managedPolicies, tags }: ProfileRequest, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const [, profile] = await Promise.all([
      iam('CreateRole', () => unless(alreadyThere, client.send(new sdk.CreateRoleCommand({ RoleName: name, Path: path, AssumeRolePolicyDocument: trust, Description: 'temporary, of a build of bake', Tags: tagsOf(tags) }), { abortSignal }))),
      iam('CreateInstanceProfile', () => unless(alreadyThere, client.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName: name, Path: path, Tags: tagsOf(tags) }), { abortSignal }))),
    ]);
    await Promise.all([
      ...(policy === undefined ? [] : [iam('PutRolePolicy', () => client.send(new sdk.PutRolePolicyCommand({ RoleName: name, PolicyName: inlinePolicy, PolicyDocument: policy }), { abortSignal }))]),
      ...managedPolicies.map((PolicyArn) => iam('AttachRolePolicy', () => client.send(new sdk.AttachRolePolicyCommand({ RoleName: name, PolicyArn }), { abortSignal }))),
    ]);
    // It holds one role: a second one is refused, and that is this one; but the SDK would think for half a minute that it was only too early.
    if (profile === undefined && await this.#hasRole(name, abortSignal)) return;
    await iam('AddRoleToInstanceProfile', () => unless(/^LimitExceeded/, client.send(new sdk.AddRoleToInstanceProfileCommand({ InstanceProfileName: name, RoleName: name }), { abortSignal })));
  }

  async #hasRole(name: string, abortSignal: AbortSignal): Promise<boolean> {
    const { sdk, client } = await this.#open();
    const { InstanceProfile } = await iam('GetInstanceProfile', () => client.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal }));
    return (InstanceProfile?.Roles ?? []).length > 0;
  }

  async exists(name: string, abortSignal: AbortSignal): Promise<boolean> {
    const { sdk, client } = await this.#open();
    const found = await Promise.all([
      iam('GetRole', () => unless(notThere, client.send(new sdk.GetRoleCommand({ RoleName: name }), { abortSignal }))),
      iam('GetInstanceProfile', () => unless(notThere, client.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal }))),
    ]);
    return found.some((one) => one !== undefined);
  }

  async remove(name: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const send = <T>(action: string, call: () => Promise<T>) => iam(action, () => unless(notThere, call()));
    const [inline, attached, profile] = await Promise.all([
      send('ListRolePolicies', () => client.send(new sdk.ListRolePoliciesCommand({ RoleName: name }), { abortSignal })),
      send('ListAttachedRolePolicies', () => client.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName: name }), { abortSignal })),
      send('GetInstanceProfile', () => client.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal })),
    ]);
    for (const { RoleName } of profile?.InstanceProfile?.Roles ?? []) await send('RemoveRoleFromInstanceProfile', () => client.send(new sdk.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: name, RoleName }), { abortSignal }));
    await Promise.all([
      send('DeleteInstanceProfile', () => client.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal })),
      ...(inline?.PolicyNames ?? []).map((PolicyName) => send('DeleteRolePolicy', () => client.send(new sdk.DeleteRolePolicyCommand({ RoleName: name, PolicyName }), { abortSignal }))),
      ...(attached?.AttachedPolicies ?? []).map(({ PolicyArn }) => send('DetachRolePolicy', () => client.send(new sdk.DetachRolePolicyCommand({ RoleName: name, PolicyArn }), { abortSignal }))),
    ]);
    await send('DeleteRole', () => client.send(new sdk.DeleteRoleCommand({ RoleName: name }), { abortSignal }));
  }

  async list(abortSignal: AbortSignal): ReturnType<ProfilePort['list']> {
    const { sdk, client } = await this.#open();
    const [profiles, roles] = await Promise.all([
      pages((Marker) => iam('ListInstanceProfiles', () => client.send(new sdk.ListInstanceProfilesCommand({ PathPrefix: path, Marker }), { abortSignal })), ({ InstanceProfiles = [] }) => InstanceProfiles.map(({ InstanceProfileName = '' }) => InstanceProfileName)),
      pages((Marker) => iam('ListRoles', () => client.send(new sdk.ListRolesCommand({ PathPrefix: path, Marker }), { abortSignal })), ({ Roles = [] }) => Roles.map(({ RoleName = '' }) => RoleName)),
    ]);
    // A list says nothing of tags.
    return Promise.all([...new Set([...profiles, ...roles])].map(async (name) => ({ name, tags: tagsFrom(await this.#tagsOf(name, abortSignal)) })));
  }

  async #tagsOf(name: string, abortSignal: AbortSignal) {
    const { sdk, client } = await this.#open();
    const role = await iam('GetRole', () => unless(notThere, client.send(new sdk.GetRoleCommand({ RoleName: name }), { abortSignal })));
    if (role?.Role?.Tags !== undefined) return role.Role.Tags;
    const profile = await iam('GetInstanceProfile', () => unless(notThere, client.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal })));
    return profile?.InstanceProfile?.Tags ?? [];
  }
}
