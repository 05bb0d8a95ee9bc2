import { Fn, SecretValue } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, Port, SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { CacheSize } from '../stages.ts';
import { acknowledge } from './acknowledge.ts';

export interface CacheProps {
  readonly vpc: IVpc;
  readonly clients: ISecurityGroup;
  readonly size: CacheSize;
}

/** Not the default: a scan of the usual ports finds nothing. */
const CACHE_PORT = 6_380;
/** ElastiCache takes 16 to 128 characters. */
const PASSWORD_LENGTH = 64;

/**
 * ElastiCache for Valkey with TLS, a password and a replica. Nodes, not the serverless kind: that one bills by the
 * kilobyte published, and speaks the cluster protocol only.
 */
export class Cache extends Construct {
  /** Holds the whole `rediss://` address, password included. */
  readonly url: Secret;

  constructor(scope: Construct, id: string, { vpc, clients, size }: CacheProps) {
    super(scope, id);
    const password = new Secret(this, 'Password', {
      generateSecretString: { passwordLength: PASSWORD_LENGTH, excludePunctuation: true },
    });
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Valkey: in from functions and streamers',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(clients, Port.tcp(CACHE_PORT), 'Redis protocol over TLS');
    const subnets = new CfnSubnetGroup(this, 'Subnets', {
      description: 'Private subnets of the stage',
      subnetIds: vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS }).subnetIds,
    });
    const group = new CfnReplicationGroup(this, 'Group', {
      replicationGroupDescription: 'Live ticks and their readers',
      engine: 'valkey',
      engineVersion: '8.0',
      cacheNodeType: size.nodeType,
      numCacheClusters: size.nodes,
      automaticFailoverEnabled: size.nodes > 1,
      multiAzEnabled: size.nodes > 1,
      port: CACHE_PORT,
      transitEncryptionEnabled: true,
      atRestEncryptionEnabled: true,
      authToken: password.secretValue.unsafeUnwrap(),
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [securityGroup.securityGroupId],
    });
    const address = Fn.join('', [
      'rediss://:',
      password.secretValue.unsafeUnwrap(),
      '@',
      group.attrPrimaryEndPointAddress,
      `:${CACHE_PORT}`,
    ]);
    this.url = new Secret(this, 'Url', { secretStringValue: SecretValue.unsafePlainText(address) });
    for (const secret of [password, this.url]) {
      acknowledge(secret, {
        'AwsSolutions-SMG4':
          'a new password breaks every open connection: it is changed by hand, out of market hours',
      });
    }
  }
}
