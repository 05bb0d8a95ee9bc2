import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { NetworkSize, Stage } from '../stages.ts';

export interface NetworkStackProps extends StackProps {
  readonly stage: Stage;
  readonly size: NetworkSize;
}

/** The network of a stage in AWS. What is in it reaches the broker from the static addresses of its NAT gateways. */
export class NetworkStack extends Stack {
  readonly vpc: IVpc;
  /** Of everything that talks to Redis: the cache lets these in. */
  readonly clients: SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkStackProps) {
    super(scope, id, props);
    const { stage, size } = props;
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.40.0.0/16'),
      maxAzs: size.availabilityZones,
      natGateways: size.natGateways,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
      // Table and bucket without NAT, and without its price by the gigabyte.
      gatewayEndpoints: {
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        S3: { service: GatewayVpcEndpointAwsService.S3 },
      },
    });
    // CDK's classes miss their own interfaces under exactOptionalPropertyTypes: hence the assertion, here and elsewhere.
    this.vpc = vpc as IVpc;
    const logs = new LogGroup(this, 'FlowLogs', {
      retention: stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logs) });
    this.clients = new SecurityGroup(this, 'Clients', {
      vpc: this.vpc,
      description: 'Functions and streamers: out to everywhere, in from nowhere',
    });
  }
}
