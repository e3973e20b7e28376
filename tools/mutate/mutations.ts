import { parseSync } from 'oxc-parser';
import { sqlConditions } from './sql-conditions.ts';

/*
 * Why not Stryker: its mutators cannot be extended, and dropped conditions of SQL statements are what our tests overlook most;
 * its runners cannot share one global set-up (our databases) among test files that are TypeScript run by Node's type
 * stripping (its `tap` runner wants them compiled, one for node:test is an open pull request); and it takes more than sixty packages.
 */

export type MutationKind =
  | 'condition negated'
  | 'condition of SQL left out'
  | 'order reversed'
  | 'statement left out'
  | 'constant changed'
  | 'await left out'
  | 'boundary moved'
  | 'and/or swapped'
  | 'arithmetic swapped';

/** One small mistake: the text between two offsets is replaced. */
export interface Mutation {
  readonly file: string;
  readonly kind: MutationKind;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** Of the first character, from 1. */
  readonly line: number;
  /** The line on which it begins, trimmed. With `change` it finds a mutation again after the file has grown. */
  readonly source: string;
  /** What became of what, with single spaces. */
  readonly change: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const BOUNDARY: Record<string, string> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const EQUALITY: Record<string, string> = { '===': '!==', '!==': '===' };
const ARITHMETIC: Record<string, string> = { '*': '/', '/': '*', '-': '+' }; // `+` joins texts too
const LOGICAL: Record<string, string> = { '&&': '||', '||': '&&' };
/** What is only said to the operator changes nothing that a test of behavior sees. */
const LOGS = /^(?:await )?(?:this\.)?(?:#?\w+\.)*#?(?:log|logger|console)(?:\?)?\.\w+\(/;
/** TypeScript's nodes that hold code; all others are types, which are gone when the code runs. */
const TS_CODE = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSParameterProperty']);

/** Whether a text is a program at all. */
export function parses(file: string, text: string): boolean {
  return parseSync(file, text).errors.length === 0;
}

export function apply(text: string, { end, replacement, start }: Mutation): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Every mistake that can be made in one file, in the order of the text. */
export function mutationsOf(file: string, text: string): Mutation[] {
  const found: Mutation[] = [];
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const add = (kind: MutationKind, { end, start }: { start: number; end: number }, replacement: string) => {
    const line = lineStarts.findLastIndex((at) => at <= start) + 1;
    const source = text.slice(lineStarts[line - 1], lineStarts[line] ?? text.length).trim();
    const change = `${text.slice(start, end)} -> ${replacement}`.replace(/\s+/g, ' ');
    found.push({ file, kind, start, end, replacement, line, source, change });
  };
  const source = ({ end, start }: Node) => text.slice(start, end);
  /** The operator between two operands. */
  const operator = (node: Node): { start: number; end: number } => {
    const from = (node.left as Node).end;
    const at = text.indexOf(node.operator as string, from);
    return { start: at, end: at + (node.operator as string).length };
  };
  const inSql = (node: Node) => {
    for (const { end, start } of sqlConditions(source(node))) {
      const at = { start: node.start + start, end: node.start + end };
      // Still there, so that parameters keep their types; it just holds for every row.
      add('condition of SQL left out', at, `(${text.slice(at.start, at.end)} or true)`);
    }
    for (const { index } of source(node).matchAll(/\bdesc\b/g))
      add('order reversed', { start: node.start + index, end: node.start + index + 4 }, 'asc');
  };
  const isStore = file.includes('/store/');

  const visit = (node: Node, parent: Node | null): void => {
    if (node.type.startsWith('TS') && !TS_CODE.has(node.type)) return;
    switch (node.type) {
      case 'IfStatement':
      case 'ConditionalExpression':
      case 'WhileStatement':
        add('condition negated', node.test as Node, `!(${source(node.test as Node)})`);
        break;
      case 'BinaryExpression': {
        const sign = node.operator as string;
        if (sign in BOUNDARY) add('boundary moved', operator(node), BOUNDARY[sign]!);
        if (sign in EQUALITY) add('condition negated', operator(node), EQUALITY[sign]!);
        if (sign in ARITHMETIC) add('arithmetic swapped', operator(node), ARITHMETIC[sign]!);
        break;
      }
      case 'LogicalExpression':
        if ((node.operator as string) in LOGICAL) add('and/or swapped', operator(node), LOGICAL[node.operator as string]!);
        break;
      case 'UnaryExpression':
        if (node.operator === '!' && parent?.test !== node) add('condition negated', node, source(node.argument as Node));
        break;
      case 'AwaitExpression':
        add('await left out', node, source(node.argument as Node));
        break;
      case 'ExpressionStatement':
        if (node.directive == null && !LOGS.test(source(node)) && !source(node).startsWith('super(')) add('statement left out', node, ';');
        break;
      case 'ThrowStatement':
      case 'ContinueStatement':
      case 'BreakStatement':
        add('statement left out', node, ';');
        break;
      case 'ReturnStatement':
        if (node.argument === null) add('statement left out', node, ';');
        break;
      case 'TemplateLiteral':
        if (isStore) inSql(node);
        break;
      case 'Literal':
        if (typeof node.value === 'number') add('constant changed', node, changed(node.value));
        else if (typeof node.value === 'boolean') add('constant changed', node, String(!node.value));
        else if (typeof node.value === 'string' && isStore) inSql(node);
        break;
      default:
    }
    for (const child of Object.values(node)) for (const one of Array.isArray(child) ? child : [child]) if (isNode(one)) visit(one, node);
  };
  const { errors, program } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]!.message}`);
  visit(program as unknown as Node, null);
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Small numbers are counts and places: one more. Large ones are times and sizes: another order of magnitude. */
function changed(value: number): string {
  return Number.isInteger(value) && value <= 10 ? String(value + 1) : String(value * 10);
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
