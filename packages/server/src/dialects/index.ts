import { standard, type Dialect } from '@dialhook/engine';
import { dialnexa } from './dialnexa.ts';
import { optimaldial } from './optimaldial.ts';
import { outboundiq } from './outboundiq.ts';

/** Every dialect that this platform speaks. */
export const dialects: readonly Dialect[] = [standard, optimaldial, outboundiq, dialnexa];
