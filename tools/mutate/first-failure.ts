import type { TestEvent } from 'node:test/reporters';

/** How `test-run.ts` finds the name of the test that failed in what the process writes. */
export const FAILED = '\u0001failed ';

/** A reporter that says nothing but which test failed, at once: whoever reads it ends the process then. */
export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // `test:fail` waits for its turn in the order of the file; this one does not.
    if (event.type === 'test:complete' && !event.data.details.passed && event.data.todo === undefined)
      yield `${FAILED}${event.data.name.replaceAll('\n', ' ')}\n`;
  }
}
