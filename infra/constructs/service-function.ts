import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionRow } from '../functions.ts';
import type { Stage } from '../stages.ts';
import { acknowledge } from './acknowledge.ts';

/** Where functions that need Redis or a static address stand. */
export interface FunctionNetwork {
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

export interface ServiceFunctionProps {
  readonly row: FunctionRow;
  readonly stage: Stage;
  /** Directory of the bundle. */
  readonly code: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly network: FunctionNetwork | undefined;
}

const ARCHITECTURES = { arm64: Architecture.ARM_64, x86_64: Architecture.X86_64 };

/** One row of the functions as a Lambda with its log group. */
export class ServiceFunction extends Construct {
  readonly lambda: LambdaFunction;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { row, stage, environment, network } = props;
    const functionName = `ticker-${stage.name}-${row.name}`;
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.lambda = new LambdaFunction(this, 'Function', {
      functionName,
      runtime: Runtime.NODEJS_24_X,
      architecture: ARCHITECTURES[stage.architecture],
      handler: 'index.handler',
      code: Code.fromAsset(props.code),
      memorySize: row.memoryMb,
      timeout: Duration.seconds(row.timeoutS),
      environment: { ...environment, POWERTOOLS_LOG_LEVEL: stage.logLevel },
      logGroup,
      ...(row.vpc && network !== undefined ? placedIn(network) : {}),
    });
    acknowledge(this.lambda, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]':
        'logs only, and the policy that AWS maintains for it',
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]':
        'network interfaces in our own VPC, and the policy that AWS maintains for it',
    });
  }
}

function placedIn({ vpc, securityGroup }: FunctionNetwork) {
  return {
    vpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    securityGroups: [securityGroup],
  };
}
