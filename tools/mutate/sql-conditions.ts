/** A stretch of text, from its first character to the one after its last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Words that end a condition which stands on the same level of parentheses. */
const ENDS = new Set(
  'group order limit for returning union intersect except set left right inner cross full natural join window offset fetch when then else'.split(
    ' ',
  ),
);
/** ¤ stands for what is interpolated. */
const TOKEN = /--[^\n]*|'(?:[^']|'')*'|¤+|[a-z_]\w*|[(),;]/giy;

interface Level {
  /** Where the condition under way began; null outside of conditions. */
  start: number | null;
  /** The next `and` belongs to a `between`. */
  isBetween: boolean;
}

/**
 * The conditions of an SQL text, a JavaScript literal with its quotes, that are joined by `and` behind `where`, `on` and `having`: each could be left out.
 * What is interpolated (`${…}`) is one opaque word, and ends a condition unless it is written as a part of it.
 */
export function sqlConditions(text: string): Range[] {
  // JavaScript's part, on which SQL's tokens must not stumble. Same length, so that offsets stay what they are.
  const sql = ` ${text.slice(1, -1)} `.replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, (part) => '¤'.repeat(part.length));
  const found: Range[] = [];
  const levels: Level[] = [{ start: null, isBetween: false }];
  let inConflict = false;
  const close = (end: number, level: Level) => {
    if (level.start !== null) {
      const condition = withoutComments(sql.slice(level.start, end));
      const start = level.start + condition.length - condition.trimStart().length;
      const trimmed = condition.trim();
      if (trimmed !== '' && /[\w)'¤]$/.test(trimmed)) found.push({ start, end: start + trimmed.length });
    }
    level.start = null;
    level.isBetween = false;
  };

  for (let at = 0; at < sql.length;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(sql)?.[0].toLowerCase();
    if (token === undefined) {
      at += 1;
      continue;
    }
    const level = levels.at(-1)!;
    const next = at + token.length;
    const rest = sql.slice(next).trimStart();
    if (token === '(' || token === 'case') levels.push({ start: null, isBetween: false });
    else if (token === ')' || token === 'end') {
      close(at, level);
      if (levels.length > 1) levels.pop();
    } else if (token === ',' || token === ';' || token === 'or') close(at, level);
    else if (token === 'do') inConflict = false;
    else if (token === 'on' && /^(conflict|delete|update|commit)\b/i.test(rest)) {
      close(at, level);
      inConflict ||= /^conflict/i.test(rest);
    } else if (token === 'where' || token === 'having' || token === 'on') {
      close(at, level);
      // What names an index in `on conflict` is no condition of the statement.
      if (!inConflict) level.start = next;
    } else if (token === 'between') level.isBetween = true;
    else if (token === 'and') {
      if (level.isBetween) level.isBetween = false;
      else if (level.start !== null || sql.slice(0, at).trim() === '') {
        close(at, level);
        level.start = next;
      }
    } else if (ENDS.has(token) && !rest.startsWith('(')) close(at, level);
    else if (token.startsWith('¤') && !/[$=<>+\-*/(,]\s*$|\bany\s*$/i.test(sql.slice(0, at))) close(at, level);
    at = next;
  }
  while (levels.length > 0) close(sql.length, levels.pop()!);
  return found.sort((a, b) => a.start - b.start);
}

const withoutComments = (sql: string) => sql.replace(/--[^\n]*/g, (comment) => ' '.repeat(comment.length));
