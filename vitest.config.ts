import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A fixture is no import, so that vitest would not see it change.
    watchTriggerPatterns: [{ pattern: /fixtures\/([^/]+)\//, testsToRun: (_, [, name]) => `./test/pipelines/${name}.test.ts` }],
  },
})
