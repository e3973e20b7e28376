import { setTimeout as wait } from 'node:timers/promises';
import Type from 'typebox';
import { compile } from '../../schema.ts';
import { CALL_STATUSES } from '../model.ts';
import { formatE164 } from '../phone.ts';
import type { Verdicts } from '../worker/protocol.ts';
import type { Classifier, ClassifyOptions } from './classifier.ts';

/** For one request of a batch; a look-up service that takes longer is down. */
const TIMEOUT_MS = 30_000;
/** Waits before the second and third try. */
const RETRY_DELAYS_MS = [500, 2_000] as const;
/** Bytes of an answer: a batch of the greatest size with long reasons fits. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** Characters of a reason and of a line type that reach the result file. */
const MAX_TEXT_LENGTH = 200;

/** Answers of the look-up service; numbers that it leaves out are unknown to it. */
const Answer = Type.Object({
  results: Type.Array(
    Type.Object({
      number: Type.String(),
      status: Type.Enum([...CALL_STATUSES]),
      reason: Type.Optional(Type.String()),
      line_type: Type.Optional(Type.String()),
    }),
  ),
});

const isAnswer = compile<Type.Static<typeof Answer>>(Answer);

/** The look-up service did not answer as agreed; the list fails with this message. */
export class LookupFailed extends Error {
  override readonly name = 'LookupFailed';
}

export interface HttpClassifierOptions {
  /** Where batches are posted; set by the operator, who is trusted with internal addresses. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token: string | undefined;
  /** What to ask when the customer does not want look-ups, and for numbers that the service does not know. */
  readonly fallback: Classifier;
}

/** Asks the operator's look-up service: POST `{numbers: ["+1…"]}`, answered by `{results: [{number, status, …}]}`. */
export class HttpClassifier implements Classifier {
  readonly #options: HttpClassifierOptions;

  constructor(options: HttpClassifierOptions) {
    this.#options = options;
  }

  async classify(numbers: Float64Array, options: ClassifyOptions): Promise<Verdicts | null> {
    const fallback = await this.#options.fallback.classify(numbers, options);
    if (options.skipMobileLookup) return fallback;
    const results = await this.#lookup(Array.from(numbers, formatE164));
    const byNumber = new Map(results.map((result) => [result.number, result]));
    const statuses = new Uint8Array(numbers.length);
    const reasons: string[] = [];
    const lineTypes: (string | null)[] = [];
    for (const [index, number] of numbers.entries()) {
      const result = byNumber.get(formatE164(number));
      const known = result !== undefined && result.status !== 'Unknown';
      statuses[index] = known ? CALL_STATUSES.indexOf(result.status) : (fallback?.statuses[index] ?? 0);
      reasons.push(known ? (result.reason ?? 'lookup').slice(0, MAX_TEXT_LENGTH) : (fallback?.reasons[index] ?? 'no history'));
      lineTypes.push(result?.line_type?.slice(0, MAX_TEXT_LENGTH) ?? null);
    }
    return { statuses, reasons, lineTypes };
  }

  async #lookup(numbers: string[]): Promise<Type.Static<typeof Answer>['results']> {
    let last = '';
    for (let attempt = 0; attempt <= RETRY_DELAYS_MS.length; attempt++) {
      if (attempt > 0) await wait(RETRY_DELAYS_MS[attempt - 1]!);
      try {
        const answer = await this.#post(numbers);
        if (isAnswer(answer)) return answer.results;
        last = 'its answer has another form';
      } catch (error) {
        last = (error as Error).message;
      }
    }
    throw new LookupFailed(`The look-up service failed: ${last}.`);
  }

  async #post(numbers: string[]): Promise<unknown> {
    const { token, url } = this.#options;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ numbers }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > MAX_ANSWER_BYTES) throw new Error('its answer is too large');
    }
    return JSON.parse(text);
  }
}
