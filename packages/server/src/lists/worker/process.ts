import { closeSync, fsyncSync, openSync } from 'node:fs';
import { LIST_LIMITS } from '../limits.ts';
import { CALL_STATUSES, type ListSummary } from '../model.ts';
import { formatE164, prefixFacts, type PrefixFacts } from '../phone.ts';
import type { ProcessJob, ProcessResult, Verdicts } from './protocol.ts';
import { csvField, readStagedRows, ROW_KIND, writeAll, type StagedRow } from './staged-rows.ts';

/** The columns that a result adds to the customer's own. */
export const RESULT_COLUMNS = ['e164', 'region', 'time_zone', 'line_type', 'status', 'reason'] as const;

/** Asks for verdicts on numbers; null when nothing is known of any of them. */
export type Classify = (numbers: Float64Array) => Promise<Verdicts | null>;

const BLOCK_BYTES = 1024 * 1024;
const LIKELY_ANSWER = CALL_STATUSES.indexOf('Likely Answer');

/** Why a row has no verdict of its own. */
const SKIPPED: Record<number, string> = {
  [ROW_KIND.invalid]: ',,,,,Unknown,not a phone number\n',
  [ROW_KIND.foreign]: ',,,,,Unknown,not a US or Canadian number\n',
  [ROW_KIND.duplicate]: ',Unknown,repeats an earlier row\n',
};
const NO_HISTORY = 'no history';

/** Writes both result files: every row in the order of the list, and the likely answers alone. */
export async function processList(job: ProcessJob, classify: Classify): Promise<ProcessResult> {
  const processed = new LineWriter(job.processedPath);
  const filtered = new LineWriter(job.filteredPath);
  let rows = 0;
  const tally = new Tally();
  try {
    for (const block of readStagedRows(job.stagedPath, BLOCK_BYTES)) {
      const verdicts = await verdictsOf(block, classify);
      let index = 0;
      for (const row of block) {
        if (row.kind === ROW_KIND.header) {
          const added = headerSuffix(row.text.toString('utf8'));
          processed.write(row.text, added);
          filtered.write(row.text, added);
          continue;
        }
        rows += 1;
        if (row.kind !== ROW_KIND.valid) {
          const known = row.kind === ROW_KIND.duplicate ? `,${formatE164(row.number)}${factsSuffix(prefixFacts(row.number), null)}` : '';
          processed.write(row.text, known + SKIPPED[row.kind]!);
          continue;
        }
        const { status, suffix } = verdicts.at(index++, row.number);
        processed.write(row.text, suffix);
        tally.count(row.number, status);
        if (status === LIKELY_ANSWER) filtered.write(row.text, suffix);
      }
    }
  } finally {
    processed.close();
    filtered.close();
  }
  return { rows, summary: tally.summary() };
}

/** Counts what a list holds, for charts. Facts are few and shared, so that a row costs one look-up. */
class Tally {
  readonly #statuses = CALL_STATUSES.map(() => 0);
  readonly #facts = new Map<PrefixFacts, number>();

  count(number: number, status: number): void {
    const facts = prefixFacts(number);
    this.#facts.set(facts, (this.#facts.get(facts) ?? 0) + 1);
    this.#statuses[status]! += 1;
  }

  summary(): ListSummary {
    const by = (name: (facts: PrefixFacts) => string) => {
      const counts: Record<string, number> = {};
      for (const [facts, count] of this.#facts) counts[name(facts) || 'unknown'] = (counts[name(facts) || 'unknown'] ?? 0) + count;
      return counts;
    };
    return {
      statuses: Object.fromEntries(CALL_STATUSES.map((name, index) => [name, this.#statuses[index]!])),
      regions: by(({ region }) => region),
      timeZones: by(({ timeZone }) => timeZone),
    };
  }
}

interface BlockVerdicts {
  at(index: number, number: number): { readonly status: number; readonly suffix: string };
}

async function verdictsOf(block: readonly StagedRow[], classify: Classify): Promise<BlockVerdicts> {
  const numbers = block.filter(({ kind }) => kind === ROW_KIND.valid).map(({ number }) => number);
  const batches: Promise<Verdicts | null>[] = [];
  for (let from = 0; from < numbers.length; from += LIST_LIMITS.classifyBatch) {
    batches.push(classify(Float64Array.from(numbers.slice(from, from + LIST_LIMITS.classifyBatch))));
  }
  const verdicts = await Promise.all(batches);
  return {
    at: (index, number) => {
      const batch = verdicts[Math.floor(index / LIST_LIMITS.classifyBatch)];
      const within = index % LIST_LIMITS.classifyBatch;
      const status = batch?.statuses[within] ?? 0;
      const reason = batch ? (batch.reasons[within] ?? batch.reasons[0] ?? '') : NO_HISTORY;
      const facts = factsSuffix(prefixFacts(number), batch?.lineTypes?.[within] ?? null);
      return { status, suffix: `,${formatE164(number)}${facts},${CALL_STATUSES[status]},${csvField(reason)}\n` };
    },
  };
}

const factsCache = new Map<PrefixFacts, string>();

/** `,IL,America/Chicago,fixed_line_or_mobile`; a few hundred different ones at most. */
function factsSuffix(facts: PrefixFacts, lineType: string | null): string {
  if (lineType !== null) return `,${facts.region},${facts.timeZone},${csvField(lineType)}`;
  let suffix = factsCache.get(facts);
  if (suffix === undefined) {
    suffix = `,${facts.region},${facts.timeZone},${facts.lineType}`;
    factsCache.set(facts, suffix);
  }
  return suffix;
}

/** Our columns' names; one that the customer uses already gets a number. */
function headerSuffix(header: string): string {
  const taken = new Set(header.split(',').map((column) => column.replaceAll('"', '').trim().toLowerCase()));
  const names = RESULT_COLUMNS.map((column) => {
    let name: string = column;
    for (let n = 2; taken.has(name); n++) name = `${column}_${n}`;
    return name;
  });
  return `,${names.join(',')}\n`;
}

/** Buffers lines; a line is the customer's bytes as they are and a suffix of ours. */
class LineWriter {
  readonly #file: number;
  #buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  #used = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w', 0o600);
  }

  write(text: Buffer, suffix: string): void {
    const most = text.length + suffix.length * 3;
    if (this.#used + most > this.#buffer.length) {
      this.#flush();
      if (most > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(most);
    }
    text.copy(this.#buffer, this.#used);
    this.#used += text.length;
    this.#used += this.#buffer.write(suffix, this.#used, 'utf8');
  }

  close(): void {
    try {
      this.#flush();
      fsyncSync(this.#file);
    } finally {
      closeSync(this.#file);
    }
  }

  #flush(): void {
    writeAll(this.#file, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}
