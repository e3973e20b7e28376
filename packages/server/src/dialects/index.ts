import { standard, type Dialect } from '@dialhook/engine';
import { dialnexa } from './dialnexa.ts';
import { optimaldial } from './optimaldial.ts';
import { outboundiq } from './outboundiq.ts';

/** Every dialect that this platform speaks. */
export const dialects: readonly Dialect[] = [standard, optimaldial, outboundiq, dialnexa];

/** What a test send carries where it is not `{"test":true}`, by dialect: outboundIQ's events are arrays of dials. */
const TEST_DATA: Readonly<Record<string, string>> = { [outboundiq.name]: '[]' };

/** JSON text for a test send in a dialect. */
export function testData(dialect: string): string {
  return TEST_DATA[dialect] ?? '{"test":true}';
}
