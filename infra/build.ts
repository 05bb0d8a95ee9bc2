import { join } from 'node:path';
import { type App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { SERVICE } from '#shared/names.ts';
import { addressesOf } from './addresses.ts';
import { bundleFunctions } from './bundles.ts';
import { AUTHORIZER, FUNCTIONS } from './functions.ts';
import { ControlStack } from './stacks/control-stack.ts';
import { DataStack } from './stacks/data-stack.ts';
import { NetworkStack } from './stacks/network-stack.ts';
import { StreamerStack } from './stacks/streamer-stack.ts';
import { stageOf } from './stages.ts';

/** All stacks of one stage. The parts for AWS alone stand or fall with the stage's data. */
export function buildApp(app: App, stageName: unknown, env: NodeJS.ProcessEnv): void {
  const stage = stageOf(stageName);
  const addresses = addressesOf(app.node, stage.addressesFromEnvironment ? env : {}, stage.addresses);
  const props = { stage, addresses, env: { region: stage.region } };
  const id = (part: string) => `ticker-${stage.name}-${part}`;

  const data = new DataStack(app, id('data'), props);
  const network = stage.aws && new NetworkStack(app, id('network'), { ...props, size: stage.aws.network });
  const streamer =
    stage.aws &&
    network &&
    new StreamerStack(app, id('streamer'), { ...props, parts: stage.aws, network, data });
  const rows = [AUTHORIZER, ...FUNCTIONS];
  const bundles = bundleFunctions(
    rows.map(({ name }) => name),
    {
      outDir: join(app.outdir, 'bundles'),
      minify: stage.minify,
    },
  );
  new ControlStack(app, id('control'), { ...props, data, network, streamer, bundles });

  Tags.of(app).add('service', SERVICE);
  Tags.of(app).add('stage', stage.name);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
