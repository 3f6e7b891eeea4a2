// Which credentials the calls of EC2 are signed with.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Duration } from '../../../lib/core/duration.js';
import { accessOf } from '../../../lib/platforms/ec2/access.js';
import { awsEc2 } from '../../../lib/platforms/ec2/engine/aws-ec2.js';

t.test('a role is taken on with what narrows it, and the calls are signed as that role', async (t) => {
  const asked: { readonly body: URLSearchParams; readonly keyId: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = new URLSearchParams(Buffer.concat(chunks).toString());
      asked.push({ body, keyId: /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] });
      response.setHeader('content-type', 'text/xml');
      const expires = new Date(Date.now() + 3_600_000).toISOString();
      response.end(body.get('Action') === 'AssumeRole'
        ? `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
        : '<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>');
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.close(); });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.intercept(process, 'env', { value: { ...process.env, AWS_ACCESS_KEY_ID: 'AKIAMINE', AWS_SECRET_ACCESS_KEY: 'x', AWS_ENDPOINT_URL_STS: url } });
  const access = accessOf({
    region: 'eu-west-1', endpoint: url,
    assumeRole: {
      arn: 'arn:aws:iam::123456789012:role/builder', sessionName: 'ci-7', externalId: 'ours', duration: Duration.minutes(30), policy: { Version: '2012-10-17', Statement: [] },
      policyArns: ['arn:aws:iam::aws:policy/AmazonEC2FullAccess'], tags: { team: 'web' }, transitiveTagKeys: ['team'],
    },
  });
  const signal = new AbortController().signal;
  t.same(await awsEc2(access).vpcs({}, signal), ['vpc-1']);
  t.same(await awsEc2(access).vpcs({}, signal), ['vpc-1']);
  t.same(asked.map(({ body, keyId }) => `${body.get('Action')} ${keyId}`), ['AssumeRole AKIAMINE', 'DescribeVpcs ASIAROLE', 'DescribeVpcs ASIAROLE'], 'once for all calls');
  t.match(Object.fromEntries(asked[0]!.body), {
    'RoleArn': 'arn:aws:iam::123456789012:role/builder', 'RoleSessionName': 'ci-7', 'ExternalId': 'ours', 'DurationSeconds': '1800', 'Policy': '{"Version":"2012-10-17","Statement":[]}',
    'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/AmazonEC2FullAccess', 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'web', 'TransitiveTagKeys.member.1': 'team',
  });
});
