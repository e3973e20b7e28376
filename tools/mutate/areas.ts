import { globSync } from 'node:fs';

/** What a mutation run mistakes on purpose, and the tests that should notice. Globs, from the top of the repository. */
interface Area {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

/** Not mutated: tests and what stands beside them for tests alone, and what runs once before all tests. */
const LEFT_OUT = /\.(test|fixture)\.ts$|\.d\.ts$|\/global-setup\.ts$/;
/** Not part of a run: they take minutes each. */
const LONG = /\.long\.test\.ts$/;

/**
 * The engine and the SDK are held by their own tests, so that what they promise is written down where they are. The test kit
 * counts as engine; what only the platform's tests use of it is run by some of those.
 */
export const AREAS: Readonly<Record<string, Area>> = {
  engine: {
    sources: ['packages/engine/src/**/*.ts', 'packages/testing/src/**/*.ts'],
    tests: [
      'packages/{engine,testing}/src/**/*.test.ts',
      'packages/cli/src/{kill,chaos}.test.ts',
      'packages/server/src/http/{dialnexa/calls,panel/tails}.test.ts',
      'packages/panel/src/panel.test.ts',
    ],
  },
  webhooks: {
    sources: ['packages/webhooks/src/**/*.ts'],
    tests: ['packages/webhooks/src/**/*.test.ts', 'tools/sdk.test.ts'],
  },
  server: {
    sources: ['packages/server/src/**/*.ts'],
    tests: ['packages/server/src/**/*.test.ts', 'packages/cli/src/*.test.ts', 'tools/*.test.ts'],
  },
};

/** The files of one area, or of all when none is named. */
export function filesOf(root: string, area: string | undefined): { sources: string[]; tests: string[] } {
  const areas = area === undefined ? Object.values(AREAS) : [AREAS[area]!];
  const find = (patterns: readonly string[]) =>
    [...new Set(globSync([...patterns], { cwd: root }).map((path) => path.replaceAll('\\', '/')))].sort();
  return {
    sources: find(areas.flatMap(({ sources }) => sources)).filter((path) => !LEFT_OUT.test(path)),
    // The tool's own test would run the tool within the tool.
    tests: find(areas.flatMap(({ tests }) => tests)).filter((path) => !LONG.test(path) && path !== 'tools/mutate.test.ts'),
  };
}
