import { functionParts } from '#shared/http/function.ts';
import { createAuthorizer } from './authorizer.ts';

export const handler = createAuthorizer(functionParts('authorizer'));
