import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    // Hundreds of processes are started: none of them compiles the program again.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The tests mostly wait for processes of their own: as many files at once as there are cores, also where there are only two.
    maxWorkers: '100%',
    // A fixture is no import, so that vitest would not see it change.
    watchTriggerPatterns: [{ pattern: /fixtures\/([^/]+)\//, testsToRun: (_, [, name]) => `./test/pipelines/${name}.test.ts` }],
  },
})
