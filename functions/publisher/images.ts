import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

type Image = Record<string, AttributeValue>;

/** An item as a stream record carries it, before or after its change; undefined where there was none. */
export function itemOf(image: unknown): Record<string, unknown> | undefined {
  return image === undefined ? undefined : unmarshall(image as Image);
}
