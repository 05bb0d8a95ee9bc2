import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  RestApi as CdkRestApi,
  type IAuthorizer,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RequestAuthorizer,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { PROBLEM_CONTENT_TYPE } from '#shared/http/problem.ts';
import { API_STAGE, stageNames } from '#shared/names.ts';
import type { RouteRow } from '../functions.ts';
import { GATEWAY_PROBLEMS, problemTemplate } from '../gateway-problems.ts';
import type { Stage } from '../stages.ts';
import { acknowledge } from './acknowledge.ts';

export interface RestApiProps {
  readonly stage: Stage;
  readonly authorizer: IFunction;
  readonly functions: readonly { readonly lambda: IFunction; readonly routes: readonly RouteRow[] }[];
}

const NO_LOGS = 'the stage says so: an emulator has no log of its gateway';

/** The REST API: every path goes with all its methods to one function, whose router says which it has. */
export class RestApi extends Construct {
  readonly api: CdkRestApi;

  constructor(scope: Construct, id: string, props: RestApiProps) {
    super(scope, id);
    const { stage } = props;
    this.api = new CdkRestApi(this, 'Api', {
      restApiName: stageNames(stage.name).api,
      cloudWatchRole: stage.apiLogs,
      ...(stage.apiLogs ? { cloudWatchRoleRemovalPolicy: RemovalPolicy.DESTROY } : {}),
      deployOptions: this.#deployOptions(stage),
    });
    const authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: props.authorizer,
      identitySources: [],
      // Either of two headers may carry the key, and a cache would need both as its key.
      resultsCacheTtl: Duration.seconds(0),
    });
    for (const { lambda, routes } of props.functions) this.#route(lambda, routes, authorizer);
    this.#answerInOneForm();
    this.#acknowledge(stage);
  }

  #deployOptions(stage: Stage): StageOptions {
    const common = {
      stageName: API_STAGE,
      throttlingRateLimit: stage.throttle.ratePerS,
      throttlingBurstLimit: stage.throttle.burst,
    };
    if (!stage.apiLogs) return common;
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return {
      ...common,
      metricsEnabled: true,
      loggingLevel: MethodLoggingLevel.ERROR,
      accessLogDestination: new LogGroupLogDestination(logs),
      accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
    };
  }

  #route(lambda: IFunction, routes: readonly RouteRow[], authorizer: IAuthorizer): void {
    // One permission for the function instead of one a method.
    const integration = new LambdaIntegration(lambda, { scopePermissionToMethod: false });
    for (const row of routes) {
      const resource: IResource = this.api.root.resourceForPath(row.path);
      const method = resource.addMethod(
        'ANY',
        integration,
        row.public === true
          ? { authorizationType: AuthorizationType.NONE }
          : { authorizer, authorizationType: AuthorizationType.CUSTOM },
      );
      acknowledge(method, {
        'AwsSolutions-COG4': 'machines call, with API keys that our own authoriser checks',
        ...(row.public === true
          ? { 'AwsSolutions-APIG4': 'tells whether the service is up, to anybody' }
          : {}),
      });
    }
  }

  #answerInOneForm(): void {
    for (const problem of GATEWAY_PROBLEMS) {
      this.api.addGatewayResponse(problem.id, {
        type: problem.type,
        statusCode: String(problem.status),
        responseHeaders: { 'Content-Type': `'${PROBLEM_CONTENT_TYPE}'` },
        templates: { 'application/json': problemTemplate(problem) },
      });
    }
  }

  #acknowledge({ apiLogs }: Stage): void {
    acknowledge(this.api, {
      'AwsSolutions-APIG2':
        'the functions check every request and name all that is wrong, which the gateway cannot',
      'AwsSolutions-APIG3':
        'callers are known backends with keys; a web ACL is the choice of who opens it to browsers',
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]':
        'the one policy with which API Gateway may write logs',
      ...(apiLogs ? {} : { 'AwsSolutions-APIG1': NO_LOGS, 'AwsSolutions-APIG6': NO_LOGS }),
    });
  }
}
