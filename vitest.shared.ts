import { defineConfig } from 'vitest/config'

const conditions = ['@qrpc/source', 'module', 'node', 'development|production']

/** What every project of the workspace tests with: sources instead of builds, types beside behaviour. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: './test/tsconfig.json' },
    execArgv: ['--expose-gc'],
    testTimeout: 20_000,
  },
})
