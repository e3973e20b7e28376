import type { TestEvent } from 'node:test/reporters';

/** How `test-run.ts` finds the name of the test that failed in what the process writes. */
export const FAILED = '\u0001failed ';

/** A reporter that says nothing but which test failed and why, at once: whoever reads it ends the process then. */
export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // `test:fail` waits for its turn in the order of the file; this one does not.
    if (event.type === 'test:complete' && !event.data.details.passed && event.data.todo === undefined)
      yield `${FAILED}${event.data.name.replace(/\s+/g, ' ')} (${messageOf(event.data.details.error)})\n`;
  }
}

/** The beginning of the innermost error's message, on one line. */
function messageOf(error: unknown): string {
  const { cause, message = '' } = (error ?? {}) as Partial<Error>;
  return cause instanceof Error ? messageOf(cause) : message.replace(/\s+/g, ' ').slice(0, 120);
}
