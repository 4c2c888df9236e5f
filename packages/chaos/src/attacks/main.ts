import { measureAttacks } from './measure.ts'

const DURATION_MS = 5000

console.log('| transport | attack | calls | failed | p50, ms | p99, ms |')
console.log('| :-- | :-- | --: | --: | --: | --: |')
await measureAttacks({
  durationMs: DURATION_MS,
  onMeasured({ transport, attack, calls, failed, p50, p99 }) {
    console.log(`| ${transport} | ${attack} | ${calls} | ${failed} | ${p50.toFixed(2)} | ${p99.toFixed(2)} |`)
  },
})
